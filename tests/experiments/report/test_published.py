"""The paper's cells of images, from a file of its layout."""

import numpy as np
import pandas as pd
import pytest

from experiments.report.figures import save_scores
from experiments.report.published import IMAGE_COLUMNS, add_paper_scores, read_paper

SEMANTICS = ("shape", "x_pos", "hue")


@pytest.fixture
def path(tmp_path):
    rows = [
        ("causal3dident", "selection", 2, "x", "mlp", "shape", "matthews", 0.9),
        ("causal3dident", "selection", 2, "x", "mlp", "hue", "r2", 0.4),
        ("causal3dident", "perturbation", 1, "x", "linear", "shape", "matthews", 0.8),
        ("causal3dident", "perturbation", 3, "x", "linear", "shape", "matthews", 0.7),
        ("mpi3d_complex", "selection", 1, "x", "linear", "color", "matthews", 1.0),
    ]
    path = tmp_path / "paper.csv"
    pd.DataFrame(rows, columns=IMAGE_COLUMNS).to_csv(path, index=False)
    return path


def cells(**columns):
    row = dict(dependence="natural", modality="x", probe="mlp", study="selection", metric="r2")
    row |= dict(law="natural", noise_law="natural", misalignment="noise")
    row |= dict(setting="select {shape, x_pos}", target="hue", perturbable="", mean=0.5)
    row |= dict(noise_probability=0.75, selected="shape x_pos", encoding_size=2, attainable=0.5)
    size = max(len(values) for values in columns.values())
    return pd.DataFrame({name: [value] * size for name, value in row.items()}).assign(**columns)


def test_settings_are_named_by_the_semantics_in_their_order(path):
    paper = read_paper(path, "scenes", SEMANTICS)
    assert paper.setting.tolist() == ["select {shape, x_pos}"] * 2 + ["perturb {x_pos, hue}"]
    assert paper.paper.tolist() == [0.9, 0.4, 0.8]  # full selection occurs once
    assert read_paper(path, "mpi3d", ("color",)).probe.tolist() == ["logistic"]


def test_cells_are_joined_to_those_of_the_same_metric(path):
    paper = read_paper(path, "scenes", SEMANTICS)
    measured = cells(target=["hue", "shape", "shape"], metric=["r2", "r2", "matthews"])
    np.testing.assert_array_equal(add_paper_scores(measured, paper).paper, [0.4, np.nan, 0.9])


def test_distorted_cells_are_joined_at_the_papers_noise_probability_only(path):
    paper = read_paper(path, "scenes", SEMANTICS)
    measured = cells(noise_probability=[1.0, 0.9]).assign(
        setting="perturb {x_pos, hue}", study="perturbation", perturbable="x_pos hue",
        probe="linear", target="shape", metric="matthews",
    )  # fmt: skip
    np.testing.assert_array_equal(add_paper_scores(measured, paper).paper, [0.8, np.nan])


def test_a_figure_has_a_panel_of_the_papers_cells(path, tmp_path, monkeypatch):
    titles = []
    drawn = lambda rows, *_, **__: titles.extend(panel.title for panel in rows[0])
    monkeypatch.setattr("experiments.report.figures.save_heat_maps", drawn)
    both = pd.concat([cells(target=["hue"]), cells(target=["hue"], modality="t")])
    both = both.reset_index(drop=True).assign(seeds=1)
    save_scores(add_paper_scores(both, read_paper(path, "scenes", SEMANTICS)), tmp_path, "", "mlp")
    assert titles[-1].endswith("image, in the paper")
    assert len(titles) == 4


@pytest.mark.parametrize(
    ("domain", "message"),
    [("latents", "has no column 'subset': it needs bias, subset"), ("mpi3d", "no row of mpi3d")],
)
def test_a_file_of_another_study_is_refused(domain, message, path):
    table = pd.read_csv(path)
    table[table.dataset == "causal3dident"].to_csv(path, index=False)
    with pytest.raises(ValueError, match=message):
        read_paper(path, domain, SEMANTICS)


def test_distorted_values_from_texts_are_not_compared(path):
    table = pd.read_csv(path)
    rows = [
        ("causal3dident", "perturbation", 1, modality, "mlp", target, "r2", 0.6)
        for modality in "xt"
        for target in ("hue", "shape")
    ]
    pd.concat([table, pd.DataFrame(rows, columns=IMAGE_COLUMNS)]).to_csv(path, index=False)
    measured = cells(modality=list("xxtt"), target=["hue", "shape"] * 2)
    measured = measured.assign(
        noise_probability=1.0,
        setting="perturb {x_pos, hue}",
        study="perturbation",
        perturbable="x_pos hue",
    )
    paper = read_paper(path, "scenes", SEMANTICS)
    np.testing.assert_array_equal(add_paper_scores(measured, paper).paper, [0.6, 0.6, np.nan, 0.6])
