"""CSV tables of a run directory, which may end in a line that was cut off."""

import io
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from experiments.rundir.older_versions import upgrade_row
from experiments.rundir.text_lines import complete_lines


def read_table(path: Path, empty: Collection[str]) -> pd.DataFrame:
    """Returns the complete rows of a table, with the columns of this version.

    An empty cell is NaN in the columns of `empty`, and an empty string in all others. Raises
    ValueError if the file is not a table.
    """
    text = "".join(complete_lines(path))
    if not text:
        return pd.DataFrame()
    missing = {name: [""] for name in empty}
    try:
        table = pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=missing)
    except pd.errors.ParserError as error:
        raise ValueError(f"{path} is no table: {error}") from None
    if "noise_law" in table or "dependence" not in table:
        return table
    return pd.DataFrame([upgrade_row(row) for row in table.to_dict("records")])
