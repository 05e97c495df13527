import pandas as pd
import pytest

from experiments.studies.selection import save_selection, selection_table
from tests.runs import run
from tests.small import small_config


def test_the_figure_is_drawn_for_every_kind(tmp_path):
    table = pd.DataFrame(
        {
            "misalignment": kind,
            "rate": rate,
            "correlation": 1.0 - rate * column,
            "kept": column == 0,
            "threshold": 0.95,
        }
        for kind in ("strength", "mcar")
        for rate in (0.1, 0.5)
        for column in (0, 1)
    )
    save_selection(table, tmp_path / "selection.png")
    assert (tmp_path / "selection.png").exists() and (tmp_path / "selection.pdf").exists()


def test_runs_without_a_selection_or_without_its_kinds_are_refused(finished, tmp_path):
    with pytest.raises(ValueError, match="has a recipe without selection"):
        selection_table([finished[0]])
    changes = {"recipe.steps": 4, "recipe.refine": 0.5, "recipe.select": 0.5}
    run(tmp_path, small_config(**changes))
    with pytest.raises(ValueError, match="no lane has misalignment strength or mcar"):
        selection_table([tmp_path])
