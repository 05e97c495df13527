import logging
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
import probes
from experiments.configs import default
from experiments.domains.latents import Evaluation
from experiments.runtime.devices import gather, make_mesh, shard_lanes
from experiments.sweep.compiled import compile_sweep
from experiments.sweep.lane import lane_keys, train_lane
from experiments.sweep.plan import make_plan, select_lanes
from tests.small import small_config

SOAP = {"recipe.optimizer": "soap"}


def rows(tree, index):
    return jax.tree.map(lambda leaf: leaf[index], tree)


def trained(plan, steps=4):
    mesh = make_mesh(len(plan.lanes))
    sweep = compile_sweep(plan, mesh)
    data, state = shard_lanes(mesh, (plan.data, sweep.init(plan.data)))
    return gather(sweep.train(data, state, 0, steps)[0])


def trained_and_scored(plan, numbers, steps=4):
    """The states of all lanes, and the scores of some."""
    mesh = make_mesh(1)
    sweep = compile_sweep(plan, mesh)
    data, state = shard_lanes(mesh, (plan.data, sweep.init(plan.data)))
    state, _ = sweep.train(data, state, 0, steps)
    return gather((state, sweep.score(data, state, np.int32(numbers))))


@pytest.fixture(scope="module")
def plan():
    settings = tuple(
        default.setting(selected, dependence=dependence)
        for selected in ("s1", "s2 s3", "s1 s2 s3")
        for dependence in ("independent", "nonlinear_scm")
    )
    return make_plan(small_config(settings=settings, seeds=2, **SOAP))


@pytest.fixture(scope="module")
def states(plan):
    return trained(plan)


@pytest.mark.accelerator
def test_a_lane_alone_equals_the_lane_in_a_sweep(plan, states):
    for lane in (0, 7):
        alone = trained(select_lanes(plan, [lane]))
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5),
            alone,
            rows(states, slice(lane, lane + 1)),
        )


@pytest.mark.slow
def test_another_grouping_of_lanes_changes_results_by_rounding_at_most(plan, states):
    lanes = np.array([9, 2, 4])
    regrouped = trained(select_lanes(plan, lanes))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5),
        regrouped,
        rows(states, lanes),
    )


def test_settings_under_one_seed_share_the_mixing_and_seeds_do_not(plan, states):
    mixing = np.asarray(states.world.mixing_x)
    np.testing.assert_array_equal(mixing[:6], np.broadcast_to(mixing[0], mixing[:6].shape))
    assert not np.array_equal(mixing[0], mixing[6])


def test_one_compilation_serves_all_settings_seeds_and_rates(plan):
    """A program compiled for one plan trains the lanes of another plan to the same bits."""
    mesh = make_mesh(len(plan.lanes))
    other = make_plan(
        small_config(
            settings=tuple(
                default.setting(
                    "s1 s2",
                    "s1",
                    dependence=dependence,
                    encoding_size=size,
                    noise_probability=probability,
                )
                for dependence in ("dependent", "linear_scm")
                for size, probability in ((1, 0.2), (3, 0.9), (2, 1.0))
            ),
            seeds=2,
            **SOAP,
            **{"recipe.learning_rate": 0.01, "recipe.temperature": 2.0, "recipe.steps": 50},
        )
    )

    def trained(sweep):
        data, state = shard_lanes(mesh, (other.data, sweep.init(other.data)))
        return gather(sweep.train(data, state, 2, 2))

    reused, recompiled = trained(compile_sweep(plan, mesh)), trained(compile_sweep(other, mesh))
    jax.tree.map(np.testing.assert_array_equal, reused, recompiled)


def test_a_grid_of_hyperparameters_and_seeds_is_one_program(caplog):
    """Its 8 lanes have the scores of runs of their own configs, bit for bit, on one device."""
    rates = {"learning_rate": (1e-3, 1e-1), "temperature": (0.3, 3.0)}
    grid = default.grid(small_config().settings[:1], **rates)
    plan = make_plan(small_config(settings=grid, seeds=2))
    assert len(plan.lanes) == 8
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        states, scores = trained_and_scored(plan, range(8))
    for name in ("train_all", "score"):
        programs = [text for text in caplog.messages if text.startswith(f"Compiling jit({name})")]
        assert len(programs) == 1, name
    sweep, mesh = None, make_mesh(1)
    for number, lane in enumerate(plan.lanes):
        changes = {f"recipe.{name}": getattr(lane, name) for name in rates}
        setting = default.setting("s1", seed=lane.seed)
        alone = make_plan(small_config(settings=(setting,), **changes))
        assert alone.lanes == (lane,)
        sweep = sweep or compile_sweep(alone, mesh)  # of the first one; others are its data
        data, state = shard_lanes(mesh, (alone.data, sweep.init(alone.data)))
        state, _ = sweep.train(data, state, 0, 4)
        single = gather((state, sweep.score(data, state, np.int32([0]))))
        together = rows((states, scores), slice(number, number + 1))
        jax.tree.map(np.testing.assert_array_equal, single, together)


def test_scores_that_are_compiled_beside_training_are_not_compiled_again(plan, states, caplog):
    mesh = make_mesh(len(plan.lanes))
    sweep = compile_sweep(plan, mesh)
    sweep.compile_scores()
    data, state = shard_lanes(mesh, (plan.data, states))
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        sweep.score(data, state, np.int32([1]))
    programs = [text for text in caplog.messages if text.startswith("Compiling jit(")]
    assert len(programs) == 1 and "jit(select)" in programs[0]


def test_lanes_of_a_fixed_world_differ_in_initialisation_and_data():
    grid = default.grid(small_config().settings[:1], world_seed=(None, 5), seed=(0, 1))
    plan = make_plan(small_config(settings=grid))
    assert [(lane.seed, lane.world_seed) for lane in plan.lanes] == [(0, 0), (1, 1), (0, 5), (1, 5)]
    states = compile_sweep(plan, make_mesh(4)).init(plan.data)
    mixing = np.asarray(states.world.mixing_x)
    np.testing.assert_array_equal(mixing[2], mixing[3])
    drawn = lvm.init_world(lane_keys(np.uint32(5)).world, plan.domain.spec)
    np.testing.assert_allclose(mixing[2], drawn.mixing_x, rtol=1e-5)
    assert len(np.unique(mixing[:3], axis=0)) == 3
    kernel = np.asarray(states.train.params.x["Dense_0"]["kernel"])
    assert not np.array_equal(kernel[2], kernel[3])


def test_a_chunk_donates_its_state_and_has_no_host_callback(plan):
    mesh = make_mesh(len(plan.lanes))
    sweep = compile_sweep(plan, mesh)
    data, state = shard_lanes(mesh, (plan.data, sweep.init(plan.data)))
    sweep.train(data, state, 0, 4)
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state))
    assert not any(leaf.is_deleted() for leaf in jax.tree.leaves(data))
    lane = rows((plan.data, sweep.init(plan.data)), 0)
    chunk = lambda done, *lane: train_lane(plan, (), *lane, mesh=mesh, done=done, steps=4)
    assert "callback" not in str(jax.make_jaxpr(chunk)(jnp.int32(0), *lane))


@pytest.mark.slow
def test_every_score_has_its_shape_and_is_finite(plan, states):
    evaluation = Evaluation(64, 64, tuple(probes.PROBES), np.arange(3) == 2)
    plan = plan._replace(domain=replace(plan.domain, evaluation=evaluation))
    mesh = make_mesh(len(plan.lanes))
    data, state = shard_lanes(mesh, (plan.data, states))
    scores = compile_sweep(plan, mesh).score(data, state, np.array([2, 3], np.int32))
    assert set(scores.probes) == set(probes.PROBES)
    for score in scores.probes.values():
        assert score.forward.s.shape == score.partial.s.shape == (2, 2, 3)  # lanes, modalities
        assert score.attainable.s.shape == (2, 3)
        np.testing.assert_allclose(score.attainable.s[:, 1:], 1, atol=0.05)  # both select s2 s3
        np.testing.assert_array_equal(score.partial.s[..., 1:], 0)
    for heads in scores.downstream:
        assert heads.r2.shape == (2, 2, 4)
        assert (abs(heads.matthews) <= 1).all()
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(scores))
