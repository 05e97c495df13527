"""Concept tables: concepts, and labels of captions, from .csv and .tsv files."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from experiments.audit.concepts import Concepts, label_key, make_concepts
from experiments.audit.counting import NO_LABEL
from experiments.audit.inputs.text_rows import cell, listed, read_table

CONCEPT_COLUMNS = ("group", "value", "words")
WORD_SEPARATOR = "|"


def read_concepts(path: Path, plurals: bool = False) -> Concepts:
    """Returns the concepts of a table with the columns group, value and words ("red | crimson").

    plurals: as in `make_concepts`.

    Raises ValueError, with the path, for a missing column and as `make_concepts` does.
    """
    names, rows = read_table(path)
    if missing := [name for name in CONCEPT_COLUMNS if name not in names]:
        raise ValueError(f"{path} has no column {missing[0]!r}: it has {listed(names)}")
    columns = [names.index(name) for name in CONCEPT_COLUMNS]

    def concept(line, cells):
        group, value, words = (cell(path, line, cells, column).strip() for column in columns)
        return group, value, [word.strip() for word in words.split(WORD_SEPARATOR)] if words else []

    try:
        return make_concepts((concept(line, cells) for line, cells in rows if any(cells)), plurals)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


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
            f"{path} has no column of a concept group: it has {listed(names)}; the groups are "
            + ", ".join(concepts.groups)
        )
    if repeated := {name for name in names if names.count(name) > 1 and name not in unused}:
        raise ValueError(f"{path} has the column {min(repeated)!r} twice: allowed is once")
    readers = [_label_reader(path, concepts, group, names) for group in range(len(concepts.groups))]
    return unused, ([read(line, cells) for read in readers] for line, cells in rows)


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
        "of only one of them"
    )
