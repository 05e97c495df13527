"""The comparison with the reference code, with a stand-in for its folder."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from absl.testing import flagsaver

import lvm
from experiments.benchmark import __main__ as program
from experiments.benchmark.output_figure import _panels, save_benchmark_figure
from experiments.benchmark.output_table import make_table
from experiments.benchmark.reference import reference_comparison
from experiments.benchmark.reference.reference_comparison import (
    Trained,
    _trained_rows,
    compare_with_reference,
    train_reference,
)
from experiments.benchmark.reference.reference_folder import check_reference
from experiments.benchmark.reference.reference_training import reference_training
from experiments.benchmark.reference.reference_worker import Finished, answer_from, waiting
from tests.experiments.benchmark.stand_in_reference import FILES, write_reference
from tests.experiments.benchmark.test_benchmark import TINY, small_numeric_config

MAIN = FILES["main_numeric.py"]
BIAS = lvm.bias_from_indices(10, [1, 2, 3])
training = partial(reference_training, bias=BIAS, batch=4096, device="cpu")


def test_a_folder_of_the_reference_code_is_accepted(tmp_path):
    check_reference(write_reference(tmp_path))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"main_numeric.py": None}, "allowed is a folder of the authors' code, with main_numeric"),
        ({"main_numeric.py": "def main(): pass"}, "without the function 'train_step'"),
        ({"main_numeric.py": "def main(:"}, "which is no Python"),
        ({"utils/losses.py": None, "utils/other.py": ""}, "has no module 'utils.losses'"),
        ({"encoders.py": None}, "needs the package 'encoders'"),
    ],
)
def test_another_folder_is_refused_in_one_line(changed, message, tmp_path):
    folder = write_reference(tmp_path, changed)
    with flagsaver.flagsaver(), pytest.raises(SystemExit, match=message) as error:
        program.main(program.parse_flags(["benchmark", f"--reference={folder}"]))
    assert "\n" not in str(error.value)


def test_the_part_needs_a_folder():
    with flagsaver.flagsaver(), pytest.raises(SystemExit, match="reference is missing: give"):
        program.main(program.parse_flags(["benchmark", "--parts=reference"]))


def test_evaluation_is_no_step():
    """The wrapped function asks for more after two steps, and then after three."""
    asked = []

    def answer(arguments):
        asked.append(arguments["data"])
        return 3

    step = waiting(lambda data, optimizer: data, answer)
    for number in range(6):
        assert step(number, optimizer="adam") == number
        step(number, optimizer=None)
    assert asked == [1, 4]


def test_the_worker_ends_with_its_requests():
    replies = []
    answer = answer_from(iter(["steps 7\n"]), lambda: replies.append("done"))
    assert answer({}) == 7
    with pytest.raises(Finished):
        answer({})
    assert replies == ["done"] * 2


def test_training_reaches_the_score_after_a_known_number_of_steps(tmp_path):
    """R² is 1 / (1 + 100 / steps²), 0.95 after 44 steps; two of them warm up."""
    check = "    assert (args.theta_value, args.beta_value, args.batch_size) == (55, -1, 4096)\n"
    text = MAIN.replace("    rng, optimizer", f"{check}    rng, optimizer")
    assert text != MAIN
    folder = write_reference(tmp_path, {"main_numeric.py": text})
    with training(folder) as theirs:
        stopped = train_reference(theirs, 0.0)
        trained = train_reference(theirs, 60.0)
    assert stopped == Trained(0.0, 0, False, -np.inf)
    assert trained.reached and 0.95 <= trained.score < 0.97
    assert 38 <= trained.steps <= 48
    assert trained.seconds > 0
    assert {path.name for path in tmp_path.rglob("*.*")} == {
        name.split("/")[-1] for name in FILES
    }  # nothing is written to the folder


def test_an_error_of_the_reference_code_is_one_line(tmp_path):
    text = MAIN.replace("    while True:", "    raise ArithmeticError('no world')\n    while True:")
    folder = write_reference(tmp_path, {"main_numeric.py": text})
    message = "main_numeric.py has ended: ArithmeticError: no world"
    with pytest.raises(ValueError, match=message), training(folder):
        pass


@pytest.mark.parametrize(
    ("reached", "note"), [(True, ""), (False, "at least: the reference code has not reached")]
)
def test_the_ratio_is_per_model_of_the_same_score(reached, note):
    theirs = Trained(seconds=600.0, steps=30, reached=reached, score=0.4)
    rows = make_table(_trained_rows(theirs, Trained(2.0, 1200, True, np.nan), TINY))
    assert list(rows.value) == [600.0, 2.0, 300.0]
    assert rows.note.iloc[2].startswith(note)
    assert ("not reached, R² 0.4" in rows.note.iloc[0]) != reached


def test_steps_of_both_are_bars_of_the_figure(tmp_path):
    times = {"time_ms": 2.0, "low": 1.0, "high": 3.0}
    rows = [
        {"part": "reference", "variant": "ours", "share": 0.3, **times},
        {"part": "reference", "variant": "reference code, step", **times},
        {"part": "reference", "variant": "times as fast, per step", "value": 1.0},
    ]
    save_benchmark_figure(make_table(rows), tmp_path / "benchmark.png")
    (panel,) = [panel for panel in _panels(make_table(rows)) if not panel.rows.empty]
    assert list(panel.rows.variant) == ["ours", "reference code, step"]


def test_there_is_no_ratio_if_our_models_do_not_reach_the_score():
    theirs = Trained(seconds=600.0, steps=30, reached=True, score=0.96)
    rows = _trained_rows(theirs, Trained(0.0, 0, False, np.nan), TINY)
    assert [row["variant"] for row in rows if "ratio" in row or "times" in row["variant"]] == []


@pytest.mark.slow
def test_both_are_timed_in_turns_and_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(reference_comparison, "numeric_config", small_numeric_config)
    monkeypatch.setattr(reference_comparison, "torch_device", lambda: ("cpu", ""))
    sizes, logged = replace(TINY, max_seconds=1e-9), []
    folder = write_reference(tmp_path)
    step_rows, trained_rows = compare_with_reference(folder, sizes, {}, logged.append)
    ours, theirs, ratio = step_rows
    assert ratio["value"] == pytest.approx(theirs["time_ms"] / ours["time_ms"])
    assert len(logged) == 2
    assert trained_rows[0]["note"].startswith("1 steps: not reached")
