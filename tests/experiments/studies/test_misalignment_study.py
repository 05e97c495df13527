import numpy as np
import pandas as pd
import pytest

from experiments.configs import default
from experiments.report.tables import aggregate_seeds, distance_from_theory, study_names, summary
from experiments.studies import misalignment
from tests.runs import run
from tests.small import small_config


def table():
    """Made-up scores of mcar, with s2 kept as often as it is mentioned, and of one fixed bias."""
    settings = [("perturb {2} mcar", "mcar", rate) for rate in (1.0, 0.0, 0.5)]
    settings += [("perturb {2}", "noise", 0.75)]
    return pd.DataFrame(
        {
            "lane": lane, "seed": 0, "setting": setting, "selected": "s1 s2",
            "perturbable": "s2", "dependence": "independent", "noise_law": "gaussian",
            "encoding_size": 1, "misalignment": kind,
            "noise_probability": rate, "modality": modality, "probe": "mlp", "target": target,
            "metric": "r2", "environment": "same", "attainable": float(target == "s1"),
            "value": 1 - rate if target == "s2" else 1.0, "status": "ok",
        }
        for lane, (setting, kind, rate) in enumerate(settings)
        for modality in "xt"
        for target in ("s1", "s2", "m_x", "rep")
    )  # fmt: skip


def test_every_setting_at_several_rates_has_one_panel():
    (rows,) = misalignment.rate_panels(aggregate_seeds(table()))
    assert set(rows.setting) == {"perturb {2} mcar"}
    assert set(rows.target) == {"s1", "s2"}


def test_the_curves_are_the_scores_against_the_rate(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(misalignment, "save_figure", lambda draw, *_: drawn.append(draw()))
    misalignment.save_rates(
        misalignment.rate_panels(aggregate_seeds(table())), tmp_path / "rates.png"
    )
    lines = [
        line for line in drawn[0].axes[0].lines if line.get_color() == misalignment.BIASED["color"]
    ]
    assert len(lines) == 2
    for line in lines:
        np.testing.assert_array_equal(line.get_xdata(), [0, 0.5, 1])
        np.testing.assert_array_equal(line.get_ydata(), [1, 0.5, 0])
    assert [text.get_text() for text in drawn[0].axes[0].texts] == ["$s_{2}$", "$s_{1}$"]
    assert drawn[0].axes[0].get_title() == "perturb {2} mcar,\nindependent"


def test_other_misalignments_are_a_study_and_have_no_distance_from_theory():
    rows = table()
    names = study_names(aggregate_seeds(rows))
    assert set(names) == {"misalignment", "perturbation"}
    fixed = rows[rows.setting == "perturb {2}"]
    pd.testing.assert_frame_equal(distance_from_theory(rows), distance_from_theory(fixed))
    assert distance_from_theory(rows[rows.setting != "perturb {2}"]).empty
    assert "perturb {2} mcar, independent semantics, size 1, noise probability 0.5" in summary(
        aggregate_seeds(rows)
    )


@pytest.mark.slow
@pytest.mark.parametrize("captions", [1, 2])
def test_a_run_and_its_figure(tmp_path, monkeypatch, capsys, captions):
    kinds = ("noise", "mnar_indicator", "strength")
    settings = tuple(
        default.setting("s1 s2 s3", "s2", noise_probability=rate, misalignment=kind)
        for kind in kinds
        for rate in (0.0, 1.0)
    )
    run(tmp_path, small_config(settings=settings, **{"world.captions": captions}))
    monkeypatch.setattr("sys.argv", ["misalignment", str(tmp_path)])
    misalignment.main()
    assert "figures/rates.png" in capsys.readouterr().out
    assert (tmp_path / "figures" / "rates.png").stat().st_size > 10_000


def test_a_run_with_one_rate_has_no_figure(finished, monkeypatch):
    monkeypatch.setattr("sys.argv", ["misalignment", str(finished[0])])
    with pytest.raises(SystemExit, match="has no setting at several rates"):
        misalignment.main()
