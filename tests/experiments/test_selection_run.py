"""End to end: a run whose recipe selects columns, interrupted around the selection."""

import numpy as np
import pandas as pd
import pytest

import mmcl
from experiments.rundir import history
from experiments.sweep.loading import encode, load_lane
from experiments.sweep.plan import make_plan
from experiments.sweep.run_block import next_chunk
from tests.runs import assert_same_tables, run
from tests.small import small_config

CONFIG = {"recipe.steps": 8, "recipe.refine": 0.5, "recipe.select": 0.5, "save_every": 2}


@pytest.fixture(scope="module")
def selected(tmp_path_factory):
    directory = tmp_path_factory.mktemp("selected")
    run(directory, small_config(**CONFIG))
    return directory


def test_lanes_begin_with_all_columns_and_dropped_ones_are_zero(selected):
    results = pd.read_csv(selected / "results.csv")
    assert (results.encoding_size == 3).all()  # as many as semantics
    counts = results[results.metric == "count"].set_index("lane")
    assert counts.attainable.tolist() == [1, 1]
    for number in (0, 1):
        lane = load_lane(selected, number)
        kept = np.asarray(lane.stats.selection.kept)
        assert kept.sum() == counts.value[number] < 3
        z = encode(lane, mmcl.Modalities(np.ones((4, 5), np.float32), None))
        np.testing.assert_array_equal((np.asarray(z.x) != 0).any(0), kept)


@pytest.mark.parametrize("step", [4, 6])
def test_a_run_killed_around_the_selection_gives_the_same_bits(
    step, selected, tmp_path, monkeypatch
):
    """At step 4 before the selection, at step 6 after it; the checkpoint is 2 steps older."""
    append = history.append

    def append_or_interrupt(directory, lanes, done, **scores):
        append(directory, lanes, done, **scores)
        if done == step:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(history, "append", append_or_interrupt)
        run(tmp_path, small_config(**CONFIG))
    run(tmp_path, small_config(**CONFIG))
    assert_same_tables(tmp_path, selected)


def test_chunks_end_at_the_selection():
    plan = make_plan(small_config(**CONFIG | {"recipe.steps": 10, "recipe.select": 0.3}))
    assert plan.recipe.select_from == 7
    step, ends = 0, []
    while step < plan.steps:
        step += next_chunk(plan, step)
        ends.append(step)
    assert ends == [2, 4, 6, 7, 8, 10]
