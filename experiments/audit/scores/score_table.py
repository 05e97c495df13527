"""Score table: the scores of a model at concepts and groups, read and checked."""

from pathlib import Path

import pandas as pd

from experiments.audit.concepts import Concepts, label_key
from experiments.audit.inputs.text_rows import cell, listed, read_table

COLUMNS = ("group", "concept", "metric", "value", "low", "high", "images")
REQUIRED = COLUMNS[:4]
METRICS = {"f1": "F1", "accuracy": "accuracy"}  # of a concept, with their names in text
GROUP_METRICS = {"f1": "macro_f1", "accuracy": "accuracy"}  # of a group, by that of a concept
MAX_NAMES = 5  # unknown concepts that an error message contains


def read_scores(path: Path, concepts: Concepts) -> pd.DataFrame:
    """Returns the scores of a table, one row per score, with the columns COLUMNS.

    A concept is given by its name or by a word that is a label of it, and is returned by its name;
    the scores of a group have an empty `concept`. Rows of other metrics than METRICS, and
    GROUP_METRICS for a group, are left out. `low`, `high` and `images` are NaN where not given.

    Raises ValueError for a missing column, unknown groups and concepts, a value that is no number
    from 0 to 1, two equal scores, and a table without a score of a concept.
    """
    names, rows = read_table(path)
    if missing := [name for name in REQUIRED if name not in names]:
        raise ValueError(f"{path} has no column {missing[0]!r}: it has {listed(names)}")
    indices = {name: names.index(name) for name in COLUMNS if name in names}
    scores = {
        line: {name: cell(path, line, cells, index).strip() for name, index in indices.items()}
        for line, cells in rows
        if any(cells)
    }
    if not scores:
        raise ValueError(f"{path} has no scores: allowed is one row or more below its first row")
    _name_as_in(path, concepts, scores)
    scores = {line: row for line, row in scores.items() if row["metric"] in _metrics_of(row)}
    _check_unique(path, scores)
    if not any(row["concept"] for row in scores.values()):
        raise ValueError(
            f"{path} has no score of a concept: allowed is a row with a concept and one of the "
            f"metrics {', '.join(METRICS)}"
        )
    return pd.DataFrame([_with_numbers(path, *score) for score in scores.items()], columns=COLUMNS)


def _metrics_of(row: dict) -> tuple[str, ...]:
    return tuple(METRICS if row["concept"] else GROUP_METRICS.values())


def _name_as_in(path: Path, concepts: Concepts, scores: dict[int, dict]) -> None:
    """Replaces groups and concepts by their names in `concepts`."""
    groups = {label_key(group): index for index, group in enumerate(concepts.groups)}
    unknown = []
    for row in scores.values():
        group = groups.get(label_key(row["group"]))
        labels = {} if group is None else concepts.labels[group]
        value = labels.get(label_key(row["concept"]))
        if group is None or (row["concept"] and value is None):
            unknown.append(f"{row['group']} ({row['concept']})" if row["concept"] else row["group"])
            continue
        row["group"] = concepts.groups[group]
        row["concept"] = concepts.values[value] if row["concept"] else ""
    if unknown := list(dict.fromkeys(unknown)):
        more = f" and {len(unknown) - MAX_NAMES} more" if len(unknown) > MAX_NAMES else ""
        raise ValueError(
            f"{path} has scores of {', '.join(unknown[:MAX_NAMES])}{more}: allowed is a group and "
            "concept of --concepts"
        )


def _check_unique(path: Path, scores: dict[int, dict]) -> None:
    lines: dict[tuple, int] = {}
    for line, row in scores.items():
        key = row["group"], row["concept"], row["metric"]
        if first := lines.get(key):
            name = f"{key[0]} ({key[1]})" if key[1] else key[0]
            raise ValueError(
                f"{path}, lines {first} and {line} are both {key[2]} of {name}: allowed is one row"
            )
        lines[key] = line


def _with_numbers(path: Path, line: int, row: dict) -> dict:
    """Returns a row with its numbers as floats; raises ValueError for what is none."""

    def number(name):
        text = row.get(name, "")
        if not text and name not in REQUIRED:
            return float("nan")
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not 0 <= value <= (1 if name != "images" else float("inf")):
            allowed = "a number from 0 to 1" if name != "images" else "a number"
            raise ValueError(f"{path}, line {line}: {name} is {text!r}: allowed is {allowed}")
        return value

    return row | {name: number(name) for name in COLUMNS[3:]}
