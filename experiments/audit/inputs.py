"""Reading: captions, labels and concepts from files of any size."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from experiments.audit.concepts import Concepts, label_key, make_concepts
from experiments.audit.counting import NO_LABEL
from experiments.audit.text_rows import (
    TABLES,
    Seen,
    cell,
    read_cells,
    read_lines,
    read_table,
    refuse_others,
    unseen,
)

CONCEPT_COLUMNS = ("group", "value", "words")
BETWEEN_WORDS = "|"  # between the words of a value
SUFFIXES = (*TABLES, ".jsonl", ".txt")
SHOWN = 60  # letters of a column's name


def read_concepts(path: Path) -> Concepts:
    """The concepts in a table with columns group, value and words ("red | crimson").

    Raises ValueError, with the file, for a missing column and as `make_concepts` does.
    """
    names, rows = read_table(path)
    if missing := [name for name in CONCEPT_COLUMNS if name not in names]:
        raise ValueError(f"{path} has no column {missing[0]!r}: it has {_listed(names)}")
    places = [names.index(name) for name in CONCEPT_COLUMNS]

    def concept(line, cells):
        group, value, words = (cell(path, line, cells, place).strip() for place in places)
        return group, value, [word.strip() for word in words.split(BETWEEN_WORDS)] if words else []

    try:
        return make_concepts(concept(line, cells) for line, cells in rows if any(cells))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_captions(path: Path, column: str, seen: Seen = unseen) -> Iterator[str]:
    """The captions of a file, "" for an empty line, a row at a time.

    .txt: a caption a line. .csv and .tsv: `column` is a name in the first row or, where there is no
    row of names, a number from 1. .jsonl: a JSON object a line, `column` is a key. Raises
    ValueError, with the line, for a column that is not there and what cannot be read.
    """
    refuse_others(path, SUFFIXES)
    if path.suffix.lower() == ".txt":
        return (line for _, line in read_lines(path, seen))
    if path.suffix.lower() == ".jsonl":
        return (_of_json(path, *numbered, column) for numbered in read_lines(path, seen))
    return _of_table(path, column, seen)


def read_labels(path: Path, concepts: Concepts) -> tuple[list[str], Iterator[list[int]]]:
    """The columns that are no group, and the labels of each row as `counting.count` takes them.

    A label is the name of a value or one of its words; an empty one is none. Raises ValueError if
    no column is a group or one is there twice, and, with the line, for a label of no value.
    """
    names, rows = read_table(path)
    others = [name for name in names if name not in concepts.groups]
    if len(others) == len(names):
        raise ValueError(
            f"{path} has no column of a concept group: it has {_listed(names)}; the groups are "
            + ", ".join(concepts.groups)
        )
    if twice := {name for name in names if names.count(name) > 1 and name not in others}:
        raise ValueError(f"{path} has the column {min(twice)!r} twice: allowed is once")
    readers = [_reader(path, concepts, place, names) for place in range(len(concepts.groups))]
    return others, ([read(line, cells) for read in readers] for line, cells in rows)


def _of_table(path: Path, column: str, seen: Seen) -> Iterator[str]:
    rows = read_cells(path, seen)
    line, first = next(rows, (0, []))
    names = [name.strip() for name in first]
    if column.isdecimal() and 1 <= int(column) <= len(first):
        place = int(column) - 1
        yield first[place]
    elif column in names:
        place = names.index(column)
    else:
        raise ValueError(
            f"{path} has no column {column!r}: its first row is {_listed(names)}; give --column, "
            f"a name or, if that row is a caption already, a number from 1 to {len(names)}"
        )
    for line, cells in rows:
        yield cell(path, line, cells, place)


def _of_json(path: Path, number: int, line: str, column: str) -> str:
    if not line.strip():
        return ""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}, line {number} is no JSON: {error}") from None
    if not isinstance(row, dict):
        raise ValueError(f"{path}, line {number} is no JSON object: allowed is one a line")
    if column not in row:
        raise ValueError(
            f"{path}, line {number} has no {column!r}: it has {_listed(row)}; give --column"
        )
    caption = "" if row[column] is None else row[column]
    if not isinstance(caption, str):
        raise ValueError(f"{path}, line {number}: {column!r} is no text: allowed is a caption")
    return caption


def _reader(
    path: Path, concepts: Concepts, group: int, names: Sequence[str]
) -> Callable[[int, list[str]], int]:
    """What reads the label of a group from a row of cells."""
    if concepts.groups[group] not in names:
        return lambda line, cells: NO_LABEL
    place, known = names.index(concepts.groups[group]), {"": NO_LABEL}

    def read(line, cells):
        text = cell(path, line, cells, place).strip()
        if text not in known:
            value = concepts.labels[group].get(label_key(text))
            if value is None:
                raise ValueError(_unknown(path, line, concepts, group, text))
            known[text] = value
        return known[text]

    return read


def _unknown(path: Path, line: int, concepts: Concepts, group: int, text: str) -> str:
    values = zip(concepts.values, concepts.group_of, strict=True)
    allowed = ", ".join(value for value, of in values if of == group)
    return (
        f"{path}, line {line}: {concepts.groups[group]} is {text!r}: allowed is nothing, or "
        f"{allowed}, or a word of one of them"
    )


def _listed(names) -> str:
    short = (name if len(name) <= SHOWN else name[:SHOWN] + "…" for name in names)
    return ", ".join(map(repr, short)) or "empty"
