"""Inputs: readers of captions, labels and concepts from files of any size."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from experiments.audit.concepts import Concepts, label_key, make_concepts
from experiments.audit.counting import NO_LABEL
from experiments.audit.text_rows import (
    TABLES,
    OnProgress,
    cell,
    check_suffix,
    ignore_progress,
    read_cells,
    read_lines,
    read_table,
)

CONCEPT_COLUMNS = ("group", "value", "words")
WORD_SEPARATOR = "|"
SUFFIXES = (*TABLES, ".jsonl", ".txt")
MAX_NAME_LENGTH = 60  # letters of a column's name that an error message contains


def read_concepts(path: Path) -> Concepts:
    """Returns the concepts of a table with the columns group, value and words ("red | crimson").

    Raises ValueError, with the path, for a missing column and as `make_concepts` does.
    """
    names, rows = read_table(path)
    if missing := [name for name in CONCEPT_COLUMNS if name not in names]:
        raise ValueError(f"{path} has no column {missing[0]!r}: it has {_listed(names)}")
    columns = [names.index(name) for name in CONCEPT_COLUMNS]

    def concept(line, cells):
        group, value, words = (cell(path, line, cells, column).strip() for column in columns)
        return group, value, [word.strip() for word in words.split(WORD_SEPARATOR)] if words else []

    try:
        return make_concepts(concept(line, cells) for line, cells in rows if any(cells))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_captions(
    path: Path, column: str, on_progress: OnProgress = ignore_progress
) -> Iterator[str]:
    """Yields the captions of a file one at a time, "" for an empty line.

    A .txt file has one caption per line. In a .csv or .tsv file `column` is a name in the first
    row or, if that row has no names, a number from 1. A .jsonl file has one JSON object per line,
    and `column` is a key.

    Raises ValueError, with the line, for a missing column and for text that cannot be read.
    """
    check_suffix(path, SUFFIXES)
    if path.suffix.lower() == ".txt":
        return (line for _, line in read_lines(path, on_progress))
    if path.suffix.lower() == ".jsonl":
        return (_caption_in_json(path, *row, column) for row in read_lines(path, on_progress))
    return _captions_in_table(path, column, on_progress)


def read_labels(path: Path, concepts: Concepts) -> tuple[list[str], Iterator[list[int]]]:
    """Returns the columns that match no group, and the labels of each row as `count` takes them.

    A label is the name of a value or one of its words; an empty cell is no label.

    Raises ValueError if no column matches a group or a group has two columns, and, with the line,
    for a label of no value.
    """
    names, rows = read_table(path)
    unused = [name for name in names if name not in concepts.groups]
    if len(unused) == len(names):
        raise ValueError(
            f"{path} has no column of a concept group: it has {_listed(names)}; the groups are "
            + ", ".join(concepts.groups)
        )
    if repeated := {name for name in names if names.count(name) > 1 and name not in unused}:
        raise ValueError(f"{path} has the column {min(repeated)!r} twice: allowed is once")
    readers = [_label_reader(path, concepts, group, names) for group in range(len(concepts.groups))]
    return unused, ([read(line, cells) for read in readers] for line, cells in rows)


def _captions_in_table(path: Path, column: str, on_progress: OnProgress) -> Iterator[str]:
    rows = read_cells(path, on_progress)
    line, first = next(rows, (0, []))
    names = [name.strip() for name in first]
    if column.isdecimal() and 1 <= int(column) <= len(first):
        index = int(column) - 1
        yield first[index]
    elif column in names:
        index = names.index(column)
    else:
        raise ValueError(
            f"{path} has no column {column!r}: its first row is {_listed(names)}; give --column, "
            f"a name or, if that row has no names, a number from 1 to {len(names)}"
        )
    for line, cells in rows:
        yield cell(path, line, cells, index)


def _caption_in_json(path: Path, number: int, line: str, column: str) -> str:
    if not line.strip():
        return ""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}, line {number} is not JSON: {error}") from None
    if not isinstance(row, dict):
        raise ValueError(f"{path}, line {number} is no JSON object: allowed is one per line")
    if column not in row:
        raise ValueError(
            f"{path}, line {number} has no {column!r}: it has {_listed(row)}; give --column"
        )
    caption = "" if row[column] is None else row[column]
    if not isinstance(caption, str):
        raise ValueError(f"{path}, line {number}: {column!r} is not text: allowed is a caption")
    return caption


def _label_reader(
    path: Path, concepts: Concepts, group: int, names: Sequence[str]
) -> Callable[[int, list[str]], int]:
    """Returns a function from a line number and the cells of a row to the label of a group."""
    if concepts.groups[group] not in names:
        return lambda line, cells: NO_LABEL
    column, known = names.index(concepts.groups[group]), {"": NO_LABEL}

    def read(line, cells):
        text = cell(path, line, cells, column).strip()
        if text not in known:
            value = concepts.labels[group].get(label_key(text))
            if value is None:
                raise ValueError(f"{path}, line {line}: {_unknown_label(concepts, group, text)}")
            known[text] = value
        return known[text]

    return read


def _unknown_label(concepts: Concepts, group: int, text: str) -> str:
    values = zip(concepts.values, concepts.group_of, strict=True)
    allowed = ", ".join(value for value, group_of_value in values if group_of_value == group)
    return (
        f"{concepts.groups[group]} is {text!r}: allowed is an empty cell, or {allowed}, or a word "
        "of one of them"
    )


def _listed(names) -> str:
    shortened = (
        name if len(name) <= MAX_NAME_LENGTH else name[:MAX_NAME_LENGTH] + "…" for name in names
    )
    return ", ".join(map(repr, shortened)) or "empty"
