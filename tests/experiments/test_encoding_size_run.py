"""End to end: a run whose recipe estimates the encoding size, interrupted around the estimate."""

from functools import partial

import jax
import numpy as np
import pandas as pd
import pytest

import mmcl
from experiments.rundir import history
from experiments.runtime.devices import make_mesh
from experiments.sweep.lane import init_lane, restart_lane, train_lane
from experiments.sweep.loading import encode, load_lane
from experiments.sweep.plan import make_plan
from experiments.sweep.run_block import next_chunk
from tests.runs import assert_same_tables, run
from tests.small import small_config

CONFIG = {"recipe.steps": 8, "recipe.refine": 0.5, "recipe.estimate_size": True, "save_every": 2}


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("estimated")
    run(directory, small_config(**CONFIG))
    return directory


def test_lanes_begin_with_all_columns_and_end_with_the_estimated_number(finished_run):
    results = pd.read_csv(finished_run / "results.csv")
    assert (results.encoding_size == 3).all()  # as many as semantics
    counts = results[results.metric == "count"].set_index("lane")
    assert counts.attainable.tolist() == [1, 1]
    for number in (0, 1):
        lane = load_lane(finished_run, number)
        assert lane.size.size == counts.value[number] < 3
        assert np.isfinite(lane.size.correlations).all()
        z = encode(lane, mmcl.Modalities(np.ones((4, 5), np.float32), None))
        np.testing.assert_array_equal(
            (np.asarray(z.x) != 0).any(0), np.arange(3) < counts.value[number]
        )


@pytest.mark.parametrize("step", [4, 6])
def test_a_run_killed_around_the_estimate_gives_the_same_bits(
    step, finished_run, tmp_path, monkeypatch
):
    """At step 4 before the estimate, at step 6 after it; the checkpoint is 2 steps older."""
    append = history.append

    def append_or_interrupt(directory, lanes, done, **scores):
        append(directory, lanes, done, **scores)
        if done == step:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(history, "append", append_or_interrupt)
        run(tmp_path, small_config(**CONFIG))
    run(tmp_path, small_config(**CONFIG))
    assert_same_tables(tmp_path, finished_run)


def test_chunks_end_with_the_cycles():
    plan = make_plan(small_config(**CONFIG | {"recipe.steps": 10}))
    assert plan.cycle_steps == 5 and plan.recipe.refine_from == 2
    step, ends = 0, []
    while step < plan.steps:
        step += next_chunk(plan, step)
        ends.append(step)
    assert ends == [2, 4, 5, 6, 8, 10]


def test_the_second_cycle_begins_as_new_training_on_other_data():
    plan = make_plan(small_config(**CONFIG))
    lane = jax.tree.map(lambda leaf: jax.numpy.asarray(leaf[0]), plan.data)
    train = jax.jit(partial(train_lane, plan, mesh=make_mesh(1), steps=1))
    begun = init_lane(plan, (), lane)
    trained, _ = train((), lane, begun, done=0)
    restarted = jax.jit(partial(restart_lane, plan))((), lane, trained)
    equal = lambda one, other: jax.tree.map(lambda a, b: bool((a == b).all()), one, other)
    assert all(jax.tree.leaves(equal(restarted.train.opt_state, begun.train.opt_state)))
    assert all(jax.tree.leaves(equal(restarted.world, begun.world)))
    kernels = jax.tree.leaves(restarted.train.params), jax.tree.leaves(trained.train.params)
    assert any((new != old).any() for new, old in zip(*kernels, strict=True))
    first, second = (train((), lane, begun, done=done)[1].loss for done in (0, plan.cycle_steps))
    assert first != second  # from one state, so the pairs differ


def test_a_lane_that_diverged_in_the_first_cycle_stays_diverged(tmp_path):
    run(tmp_path, small_config(**CONFIG | {"recipe.learning_rate": 1e30}))
    status = pd.read_csv(tmp_path / "results.csv").status.unique()
    assert [text.split(" at ")[0] for text in status] == ["diverged"]
    assert all(int(text.split("step ")[1]) < 4 for text in status)
