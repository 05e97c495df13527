"""CSV tables of a run directory, which may end in a line that was cut off."""

import io
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from experiments.rundir.checkpoint_files import read_run
from experiments.rundir.lane_identity import HYPERPARAMETERS
from experiments.rundir.older_versions import upgrade_row
from experiments.runtime.text_lines import complete_lines

NO_SEMANTICS = "none"  # in the column `perturbable` of files


def with_words(table: pd.DataFrame) -> pd.DataFrame:
    """Returns a table to be written: NO_SEMANTICS where the column `perturbable` is empty.

    pandas reads an empty cell as NaN, which `groupby` drops.
    """
    if "perturbable" not in table:
        return table
    return table.assign(perturbable=table.perturbable.replace("", NO_SEMANTICS))


def read_table(path: Path, empty: Collection[str]) -> pd.DataFrame:
    """Returns the complete rows of a table, with the columns of this version.

    Hyperparameters that an older version did not write are those in `config.json` beside the
    table; without that file they are NaN.

    An empty cell is NaN in the columns of `empty`, and an empty string in all others; so is
    NO_SEMANTICS in the column `perturbable`. Raises ValueError if the file is not a table.
    """
    text = "".join(complete_lines(path))
    if not text:
        return pd.DataFrame()
    missing = {name: [""] for name in (*empty, *HYPERPARAMETERS)}
    try:
        table = pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=missing)
    except pd.errors.ParserError as error:
        raise ValueError(f"{path} is no table: {error}") from None
    if "perturbable" in table:
        table = table.assign(perturbable=table.perturbable.replace(NO_SEMANTICS, ""))
    if table.empty or "dependence" not in table:
        return table
    return _with_number_types(_upgraded(table, path.parent))


def _upgraded(table: pd.DataFrame, directory: Path) -> pd.DataFrame:
    columns = ["noise_law", "world_seed", HYPERPARAMETERS[0]] + ["attainable_by"] * (
        "attainable" in table
    )
    if set(columns) <= set(table):
        return table
    has_config = (directory / "config.json").exists()
    lanes = read_run(directory)["lanes"] if has_config else ()
    return pd.DataFrame([upgrade_row(row, lanes) for row in table.to_dict("records")])


def _with_number_types(table: pd.DataFrame) -> pd.DataFrame:
    """Hyperparameters as floats also where all are whole, and steps as integers if known."""
    numbers = {name: pd.to_numeric(table[name]) for name in HYPERPARAMETERS if name in table}
    floats = {name: values.astype(float) for name, values in numbers.items() if name != "steps"}
    return table.assign(**numbers | floats)
