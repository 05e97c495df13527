"""CSV tables of a run directory, which may end in a line that was cut off."""

import io
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from experiments.rundir.older_versions import upgrade_row
from experiments.rundir.text_lines import complete_lines

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

    An empty cell is NaN in the columns of `empty`, and an empty string in all others; so is
    NO_SEMANTICS in the column `perturbable`. Raises ValueError if the file is not a table.
    """
    text = "".join(complete_lines(path))
    if not text:
        return pd.DataFrame()
    missing = {name: [""] for name in empty}
    try:
        table = pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=missing)
    except pd.errors.ParserError as error:
        raise ValueError(f"{path} is no table: {error}") from None
    if "perturbable" in table:
        table = table.assign(perturbable=table.perturbable.replace(NO_SEMANTICS, ""))
    older = "noise_law" not in table or ("attainable" in table and "attainable_by" not in table)
    if table.empty or "dependence" not in table or not older:
        return table
    return pd.DataFrame([upgrade_row(row) for row in table.to_dict("records")])
