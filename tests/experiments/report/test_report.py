"""Report: pages, figures and the paper's scores, from made-up results."""

import io
import json
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from experiments.configs import default
from experiments.domains.latent_rows import score_rows
from experiments.report import __main__ as report_command
from experiments.report import write_report as report_module
from experiments.report.figure_files import COLUMN_WIDTH, read_caption
from experiments.report.page import save_page
from experiments.report.published import KEY, add_paper_scores, agreement, read_paper
from experiments.report.tables import aggregate_seeds
from experiments.rundir.claim import claim
from experiments.rundir.results import add_results, results_table
from experiments.sweep.plan import make_plan
from tests.experiments.rundir.test_results import fake_scores
from tests.figures import SUFFIXES, assert_for_print, size_in_inches
from tests.small import small_config

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A run directory with two seeds of two settings, one of which has a spare dimension."""
    directory = tmp_path_factory.mktemp("run")
    config = small_config(seeds=2, **{"world.semantics": 9, "evaluation.downstream": True})
    config.evaluation.update(probes=("linear", "mlp"), shifted="s9")
    config.settings = (*config.settings, default.setting("s1", encoding_size=2))
    plan = make_plan(config)
    claim(directory, config, plan.lanes)
    scores = [fake_scores(0.1 * index, semantics=9) for index in range(6)]
    rows = results_table(dict(enumerate(plan.lanes)), scores, ["ok"] * 6, score_rows)
    add_results(directory / "results.csv", rows[~rows.probe.isin(("kernel", "strong"))])
    history = pd.DataFrame(
        {"step": step, "lane": number, **vars(lane), "loss": 1.0, "x_s1": 0.9, "x_s2": step / 10}
        for step in (2, 4)
        for number, lane in enumerate(plan.lanes)
    )
    history.to_csv(directory / "history.csv", index=False)
    return directory


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    path = tmp_path_factory.mktemp("paper") / "paper.csv"
    rows = [
        ("selection", "[1]", "independent", "x", "s1", 1.0, "mlp"),
        ("selection", "[1]", "independent", "x", "mx", 0.0, "mlp"),
        ("perturbation", "[0]", "independent", "x", "mx", 0.0, "mlp"),
    ]
    columns = ["bias", "subset", "dependence", "modality", "target", "r2", "probe"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def reported(directory, paper):
    console = Console(record=True, width=120, file=io.StringIO())
    report_module.write_report(directory, console, paper)
    return directory, console.export_text()


def data_of(page):
    begin = page.index('id="data">') + len('id="data">')
    return json.loads(page[begin : page.index("</script>", begin)])


def test_all_figures_are_drawn_for_print(reported):
    directory, text = reported
    names = {path.name for path in (directory / "figures").iterdir()}
    assert {"r2.png", "scatter.png", "sizes.png", "learning.png"} <= names
    studies = ("selection", "joint", "encoding_size")
    assert {f"{study}_{kind}.png" for study in studies for kind in ("r2_linear", "error")} <= names
    assert "joint_downstream.png" in names
    for name in ("scatter.png", "learning.png", "r2.png", "sizes.png"):
        assert_for_print(directory / "figures" / name)
    stems = {name.removesuffix(".png") for name in names if name.endswith(".png")}
    assert names == {f"{stem}{suffix}" for stem in stems for suffix in SUFFIXES}
    assert "page: " in text


def test_the_page_contains_every_cell_and_needs_no_network(reported):
    directory, _ = reported
    page = (directory / "report.html").read_text()
    data = data_of(page)
    cells = pd.read_csv(directory / "summary.csv")
    assert len(data["rows"]) == len(cells) > 100
    means = [row[data["columns"].index("mean")] for row in data["rows"]]
    np.testing.assert_allclose(means, cells["mean"], atol=1e-5)
    assert all(figure["image"].startswith("data:image/png;base64,") for figure in data["figures"])
    assert all(figure["caption"].endswith(".") for figure in data["figures"])
    assert not re.search(r"https?:|src=|href=|url\(", re.sub(r'"data:image[^"]*"', "", page))


def test_text_in_the_page_is_escaped(directory, tmp_path):
    cells = aggregate_seeds(
        pd.read_csv(
            directory / "results.csv", keep_default_na=False, na_values={"attainable": [""]}
        )
    )
    save_page(
        tmp_path / "p.html",
        cells.assign(paper=np.nan),
        about="</script><b>",
        notes=[],
        distance="",
        figures={},
    )
    assert "</script><b>" not in (tmp_path / "p.html").read_text()


def test_the_page_opens_in_a_browser_without_an_error(reported, tmp_path):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no browser is installed")
    directory, _ = reported
    page = (directory / "report.html").resolve().as_uri()
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    shown = subprocess.run(
        [browser, *flags, f"--user-data-dir={tmp_path}", "--dump-dom", page],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in shown.stderr
    assert 'scope="row">' in shown.stdout  # the table was drawn
    assert shown.stdout.count("<figure>") >= 5


def test_cells_of_the_paper_are_joined_to_those_of_the_run(reported):
    cells = pd.read_csv(reported[0] / "summary.csv")
    matched = cells[cells.paper.notna()]
    assert list(matched.target) == ["s1", "m_x"]
    assert set(matched.setting) == {"select [1]"}
    assert set(matched.study) == {"selection"}
    assert set(matched.metric) == {"r2"}


def test_the_paper_has_no_cell_for_another_noise_probability(paper):
    row = dict(setting="perturb [1]", dependence="independent", modality="x", probe="mlp")
    row |= dict(target="s1", metric="r2", study="perturbation", perturbable="s1")
    table = pd.DataFrame([{**row, "noise_probability": noise} for noise in (0.75, 0.25)])
    paper_cells = pd.DataFrame([{**row, "noise_probability": 0.75, "paper": 0.0}])
    paper_cells = paper_cells[[*KEY, "noise_probability", "paper"]]
    np.testing.assert_array_equal(add_paper_scores(table, paper_cells).paper, [0.0, np.nan])


def test_agreement_counts_the_cells_that_round_to_the_same_value(paper):
    cells = pd.DataFrame(
        {
            "setting": "select [1]", "dependence": "independent", "modality": "x", "probe": "mlp",
            "target": ["s1", "m_x"], "metric": "r2", "study": "selection", "mean": [0.97, 0.2],
            "perturbable": "", "noise_probability": 0.75,
        }
    )  # fmt: skip
    lines = agreement(add_paper_scores(cells, read_paper(paper, "latents", ())))
    assert lines[0].startswith("1 of 2 independent cells")
    assert lines[1] == "select [1], x, m_x by mlp: 0.20 here, 0.0 in the paper."


def test_a_paper_file_without_a_column_is_refused(tmp_path):
    path = tmp_path / "paper.csv"
    path.write_text("bias,subset\nselection,[1]\n")
    with pytest.raises(ValueError, match="has no column 'dependence'"):
        read_paper(path, "latents", ())


@pytest.mark.slow
def test_a_run_with_missing_lanes_is_reported_and_drawn(directory, tmp_path):
    partial = tmp_path / "run"
    shutil.copytree(directory, partial)
    lines = (partial / "results.csv").read_text().splitlines(keepends=True)
    (partial / "results.csv").write_text("".join(lines[:-40]))
    console = Console(record=True, width=200, file=io.StringIO())
    report_module.write_report(partial, console)
    text = console.export_text()
    assert "5 of 6 lanes scored" in text
    assert "results.csv is incomplete: lane 5 left out" in text
    assert (partial / "report.html").exists()


def test_the_curves_of_a_run_without_scores_are_drawn(directory, tmp_path):
    partial = tmp_path / "run"
    shutil.copytree(directory, partial)
    (partial / "results.csv").unlink()
    console = Console(record=True, width=200, file=io.StringIO())
    report_module.write_report(partial, console)
    curves = partial / "figures" / "learning.png"
    lines = console.export_text().splitlines()
    assert lines[0].endswith("0 of 6 lanes scored; lanes 0-5 are at step 4 of 6")
    assert lines[1:] == [f"figure: {curves}"]
    assert curves.stat().st_size > 10_000


def test_a_setting_whose_lanes_diverged_at_step_0_is_drawn(directory, tmp_path, monkeypatch):
    monkeypatch.setattr(report_module, "save_figures", lambda *args: {})  # drawn by other tests
    path = tmp_path / "run"
    shutil.copytree(directory, path)
    rows = pd.read_csv(path / "results.csv", keep_default_na=False)
    diverged = rows.setting == "select [1]"
    rows.assign(
        status=rows.status.mask(diverged, "diverged at step 0"), value=rows.value.mask(diverged, "")
    ).to_csv(path / "results.csv", index=False)
    steps = pd.read_csv(path / "history.csv", keep_default_na=False)
    steps.assign(loss=steps.loss.mask(steps.setting == "select [1]", "")).to_csv(
        path / "history.csv", index=False
    )
    console = Console(record=True, width=200, file=io.StringIO())
    report_module.write_report(path, console)
    assert "lane 0 (select [1], independent, seed 0) diverged at step 0" in console.export_text()
    assert "diverged at step 0" in (path / "report.html").read_text()


def test_a_run_of_spare_dimensions_has_no_distance_from_theory(directory, tmp_path, monkeypatch):
    monkeypatch.setattr(report_module, "save_figures", lambda *args: {})  # drawn by other tests
    spare = tmp_path / "run"
    shutil.copytree(directory, spare)
    rows = pd.read_csv(spare / "results.csv", keep_default_na=False)
    rows[rows.encoding_size == 2].to_csv(spare / "results.csv", index=False)
    console = Console(record=True, width=200, file=io.StringIO())
    report_module.write_report(spare, console)
    text = console.export_text()
    assert "select [1], independent semantics, size 2" in text
    assert "Distance" not in text


def test_chosen_curves_are_drawn_on_slides(directory, tmp_path, monkeypatch):
    monkeypatch.setattr(report_module, "save_figures", lambda *args: {})  # drawn by other tests
    path = shutil.copytree(directory, tmp_path / "run")
    arguments = ["report", str(path), "--curves=select [1]", "--slides"]
    monkeypatch.setattr("sys.argv", arguments)
    report_command.main()
    curves = path / "figures" / "learning_settings.png"
    assert size_in_inches(curves)[0] == pytest.approx(2 * COLUMN_WIDTH, abs=0.02)
    assert "one panel per setting" in read_caption(curves)


def test_curves_of_an_unknown_setting_are_refused(directory, monkeypatch):
    monkeypatch.setattr("sys.argv", ["report", str(directory), "--curves=select [9]"])
    with pytest.raises(SystemExit, match=r"curves is 'select \[9\]': allowed is select \[1\], "):
        report_command.main()
