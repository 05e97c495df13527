import pandas as pd
import pytest

from experiments.studies.encoding_size import save_sizes, size_table
from tests.experiments.test_encoding_size_run import CONFIG
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
    save_sizes(table, tmp_path / "sizes.png")
    assert (tmp_path / "sizes.png").exists() and (tmp_path / "sizes.pdf").exists()


def test_runs_without_an_estimate_or_without_its_kinds_are_refused(finished, tmp_path):
    with pytest.raises(ValueError, match="has a recipe with estimate_size=False"):
        size_table([finished[0]])
    run(tmp_path, small_config(**CONFIG))
    with pytest.raises(ValueError, match="no lane has misalignment strength or mcar"):
        size_table([tmp_path])
