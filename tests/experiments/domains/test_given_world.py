"""Runs whose config gives a covariance of the semantics, or a whole world."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
from experiments.configs import default
from experiments.domains.given_world import with_hash
from experiments.rundir.claim import check_claim
from experiments.rundir.results import read_results
from experiments.sweep.loading import load_lane
from experiments.sweep.plan import lanes_of, make_plan
from lvm.latents.world_files import save_world
from tests.runs import run
from tests.small import small_config

COVARIANCE = np.array([[1.0, 0.8, 0.0], [0.8, 2.0, 0.5], [0.0, 0.5, 1.0]])
SPEC = lvm.WorldSpec(semantics=3, image_only=2, text_only=2, mixing_layers=2)


def write_covariance(directory, covariance=COVARIANCE, name="cov.npy"):
    np.save(directory / name, covariance)
    return {"world.covariance": str(directory / name)}


def write_world(directory, dependence="dependent", spec=SPEC):
    save_world(directory / "world.npz", lvm.init_world(jax.random.key(3), spec, dependence))
    return {"world.file": str(directory / "world.npz")}


@pytest.fixture(scope="module")
def finished_with_covariance(tmp_path_factory):
    directory = tmp_path_factory.mktemp("covariance")
    config = with_hash(small_config(seeds=2, **write_covariance(directory)))
    run(directory / "run", config)
    return directory / "run", config


def test_all_lanes_have_the_covariance_and_its_attainable_scores(finished_with_covariance):
    directory, _ = finished_with_covariance
    results = read_results(directory / "results.csv")
    assert set(results.dependence) == {"given"}
    worlds = [load_lane(directory, number).world for number in (0, 2)]
    for world in worlds:
        np.testing.assert_allclose(lvm.covariance(world.semantics), COVARIANCE, atol=1e-5)
    assert not np.array_equal(worlds[0].mixing_x, worlds[1].mixing_x)  # another seed
    rows = results[(results.setting == "select [1]") & (results.metric == "r2")]
    best = rows[rows.target == "s2"]
    assert set(best.attainable_by) == {"closed form"}
    expected = lvm.attainable_r2(jnp.asarray(COVARIANCE), np.arange(3) < 1)[1]
    np.testing.assert_allclose(best.attainable, expected, atol=0.2)  # of 64 pairs


def test_a_run_is_resumed_from_another_path_and_refused_with_another_content(
    finished_with_covariance, tmp_path
):
    directory, _ = finished_with_covariance
    moved = with_hash(small_config(seeds=2, **write_covariance(tmp_path, name="moved.npy")))
    check_claim(directory, moved, lanes_of(moved), lanes_of)
    changed = with_hash(small_config(seeds=2, **write_covariance(tmp_path, np.eye(3))))
    with pytest.raises(ValueError, match="undo the difference world.sha256: '.*' in the") as error:
        check_claim(directory, changed, lanes_of(changed), lanes_of)
    assert "\n" not in str(error.value)
    drawn = small_config(seeds=2)
    with pytest.raises(ValueError, match="world.sha256: '.*' in the run, None here"):
        check_claim(directory, drawn, lanes_of(drawn), lanes_of)


def test_a_content_that_changed_since_the_hash_is_refused(tmp_path):
    plan = make_plan(with_hash(small_config(**write_covariance(tmp_path))))
    write_covariance(tmp_path, np.eye(3))
    with pytest.raises(ValueError, match="cov.npy', whose content has changed since the run began"):
        plan.domain.load(lambda fraction: None)


def test_a_plan_uses_no_device(tmp_path, monkeypatch):
    """Commands choose the devices after they have checked the config."""
    given = write_covariance(tmp_path), write_world(tmp_path)
    monkeypatch.setattr("jax._src.xla_bridge.backends", None)
    monkeypatch.setattr("jax.numpy.asarray", None)
    for changes in given:
        make_plan(with_hash(small_config(**changes)))


def test_settings_that_differ_in_dependence_alone_are_one_lane(tmp_path):
    settings = (default.setting("s1"), default.setting("s1", dependence="dependent"))
    lanes = lanes_of(small_config(settings=settings, **write_covariance(tmp_path)))
    assert [(lane.setting, lane.dependence) for lane in lanes] == [("select [1]", "given")]


@pytest.mark.parametrize(
    ("covariance", "message"),
    [
        (np.eye(3)[:2], r"cov_s has shape \(2, 3\): allowed is a square matrix"),
        (np.array([[1.0, 0.5], [0.2, 1.0]]), "cov_s is not symmetric"),
        (np.ones((3, 3)), "cov_s is not positive definite"),
        (np.full((3, 3), np.nan), "cov_s holds a value that is not finite"),
        (np.array(["a"]), "it does not hold numbers"),
        (np.array([None]), "not a readable npy file"),
    ],
)
def test_what_is_no_covariance_is_refused(tmp_path, covariance, message):
    changes = write_covariance(tmp_path, covariance)
    with pytest.raises(ValueError, match=f"world.covariance is '.*cov.npy': {message}"):
        make_plan(small_config(**changes))


def test_other_sizes_missing_files_and_both_fields_are_refused(tmp_path):
    plan = make_plan(small_config(**write_covariance(tmp_path, np.eye(4))))
    with pytest.raises(
        ValueError, match="with semantics 4: allowed is that of the config, world.s"
    ):
        plan.domain.load(lambda fraction: None)
    with pytest.raises(ValueError, match="world.covariance is '.*none.npy': not a readable npy"):
        make_plan(small_config(**{"world.covariance": str(tmp_path / "none.npy")}))
    both = write_covariance(tmp_path) | write_world(tmp_path)
    with pytest.raises(ValueError, match="world.file is '.*': allowed is None with world.covari"):
        make_plan(small_config(**both))
    spec = lvm.WorldSpec(semantics=3, image_only=1, text_only=2, mixing_layers=2)
    plan = make_plan(small_config(**write_world(tmp_path, spec=spec)))
    with pytest.raises(ValueError, match="with image_only 1: allowed is that of the config, world"):
        plan.domain.load(lambda fraction: None)


@pytest.mark.parametrize("dependence", ["linear_scm", "nonlinear_scm"])
def test_a_whole_world_is_that_of_all_lanes(tmp_path, dependence):
    config = with_hash(small_config(seeds=2, **write_world(tmp_path, dependence)))
    plan = make_plan(config)
    world = plan.domain.load(lambda fraction: None)
    lane = jax.tree.map(lambda leaf: leaf[1], plan.data)
    assert plan.domain.init_world(None, lane, world) is world
    drawn = lvm.init_world(jax.random.key(3), SPEC, dependence)
    jax.tree.map(np.testing.assert_array_equal, world, drawn)
    shapes = jax.tree.map(lambda leaf: leaf.shape, plan.domain.empty_shared())
    assert shapes == jax.tree.map(lambda leaf: leaf.shape, world)
    nonlinear = dependence == "nonlinear_scm"
    assert {lane.dependence for lane in plan.lanes} == {"given_nonlinear" if nonlinear else "given"}
    method = "Monte Carlo" if nonlinear else "closed form"
    assert plan.domain.compiled_methods == (method,)


def test_a_world_seed_is_refused_with_a_whole_world(tmp_path):
    with pytest.raises(ValueError, match="world_seed is 3: allowed is None with world.file"):
        make_plan(small_config(world_seed=3, **write_world(tmp_path)))


def test_a_run_is_planned_without_its_file(tmp_path):
    """Reports, `load_lane` and comparisons need the hash alone, not the file."""
    config = with_hash(small_config(**write_covariance(tmp_path)))
    (tmp_path / "cov.npy").unlink()
    assert lanes_of(config)[0].dependence == "given"


def test_the_hash_is_in_the_config(finished_with_covariance):
    directory, config = finished_with_covariance
    world = json.loads((directory / "config.json").read_text())["config"]["world"]
    assert (len(world["sha256"]), world["law"]) == (64, "given")
    assert with_hash(config).world.sha256 == world["sha256"]
