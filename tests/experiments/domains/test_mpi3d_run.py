"""MPI3D end to end: a synthetic file of the true layout, from npz to heat map, a few steps long."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import lvm
import mmcl
from experiments.configs import mpi3d, mpi3d_small
from experiments.sweep.lane import init_lane
from experiments.sweep.plan import make_plan
from lvm.datasets.mpi3d import FACTORS, PHRASINGS
from tests.lvm.datasets.test_mpi3d import POSITIONS_MADE, made_images, write_mpi3d
from tests.runs import run


def mpi3d_config(folder, **changes):
    """Returns two settings of the images in a folder; changes are like {"recipe.steps": 4}."""
    config = mpi3d_small.get_config()
    config.world.update(
        data=str(folder), height=16, width=16, positions=POSITIONS_MADE, images=1600, seed=1
    )
    config.recipe.update(widths=(8, 8), text_widths=(8,), batch=16, group=16, steps=4, warmup=2)
    config.log_every, config.save_every = 2, 4
    config.evaluation.probes = ("logistic",)
    config.only = ("select {color}", "perturb {background}")
    config.update_from_flattened_dict(changes)
    return config


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_mpi3d(tmp_path_factory.mktemp("mpi3d"))


@pytest.fixture(scope="module")
def finished_mpi3d(folder, tmp_path_factory):
    directory = tmp_path_factory.mktemp("finished_mpi3d")
    return directory, run(directory, mpi3d_config(folder), report=True)


def test_loading_splits_the_images_and_shows_its_progress(folder, tmp_path):
    plan = make_plan(mpi3d_config(folder, **{"world.cache": str(tmp_path)}))
    fractions = []
    shared = plan.domain.load(fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert (len(shared.train.images), len(shared.test.images)) == (1440, 80)
    assert shared.train.factors.shape == (1440, 5)
    levels = np.array([83, 83, 250, 125, 125])
    for split in shared:
        np.testing.assert_array_equal(split.images[:, 0, 1:11:2, 0], split.factors * levels)
    file_images = {image.tobytes() for image in made_images()}
    assert {image.tobytes() for image in shared.test.images} <= file_images
    assert not {i.tobytes() for i in shared.test.images} & {
        i.tobytes() for i in shared.train.images
    }


def test_captions_contain_the_factors_of_their_images(folder, key):
    plan = make_plan(mpi3d_config(folder))
    language = lvm.make_language(FACTORS, PHRASINGS)
    data = jax.tree.map(lambda leaf: jnp.asarray(leaf[1]), plan.data)
    sample = jax.jit(plan.domain.sample, static_argnums=1)
    shared = plan.domain.load(lambda fraction: None)
    pairs = jax.device_get(sample(key, 64, shared=shared, world=(), lane=data))
    for values, text in zip(pairs.factors, lvm.sentences(language, pairs.t), strict=True):
        for factor, value in zip(language.factors[:4], values, strict=False):
            assert factor.values[value] in text.split()


def test_from_npz_to_heat_map(finished_mpi3d):
    directory, text = finished_mpi3d
    results = pd.read_csv(directory / "results.csv", keep_default_na=False)
    assert dict(results.groupby("probe").size()) == {
        "logistic": 24,
        "zero_shot": 10,
        "none": 24,
    }  # 2 lanes
    targets = {*(factor.name for factor in FACTORS), "phrasing", "columns", "pair", "rep"}
    assert set(results.target) == targets
    sizes = results.groupby("setting").encoding_size.first()
    assert dict(sizes) == {"select {color}": 3, "perturb {background}": 4}
    assert "Matthews correlation by logistic" in text
    assert (directory / "figures" / "matthews.png").exists()


def test_the_settings_are_those_of_the_paper(folder):
    config = mpi3d.get_config()
    config.world.data = str(folder)
    assert config.recipe.image_encoder == "resnet18"
    lanes = make_plan(config).lanes
    assert [len(lane.selected.split()) for lane in lanes] == [1, 2, 3, 4, 5, 5, 5, 5, 5]
    assert [lane.perturbable for lane in lanes[4:]] == [
        "",
        "background",
        "camera background",
        "size camera background",
        "shape size camera background",
    ]
    assert [lane.encoding_size for lane in lanes] == [3, 3, 3, 4, 5, 4, 3, 3, 3]
    assert {lane.noise_probability for lane in lanes[5:]} == {0.9}
    assert config.world.may_equal_truth


@pytest.mark.parametrize("module", [mpi3d, mpi3d_small])
def test_the_encoders_of_both_configs_take_images_of_64_pixels(module):
    config = module.get_config()
    config.world.data = "anywhere"
    plan = make_plan(config)
    empty = plan.domain.empty_shared()
    assert empty.train.images.shape == (1, 64, 64, 3)
    lane = jax.tree.map(lambda leaf: leaf[0], plan.data)

    def encode(lane, shared):
        train = init_lane(plan, shared, lane).train
        pairs = plan.domain.sample(jax.random.key(0), 3, shared=shared, world=(), lane=lane)
        observations = mmcl.Modalities(pairs.x, pairs.t)
        return mmcl.encode(
            train.params, train.stats, observations, recipe=plan.recipe, hyper=lane.hyper
        )

    assert {z.shape for z in jax.eval_shape(encode, lane, empty)} == {(3, 9)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"world.height": 0}, "world.height is 0: allowed is 4 or more"),
        ({"world.positions": (40,)}, r"world.positions is \(40,\): allowed are two numbers"),
        ({"world.positions": (40, 0)}, r"world.positions is \(40, 0\): allowed are two numbers"),
        ({"evaluation.probes": ("linear",)}, "probes holds 'linear': allowed is logistic, mlp"),
        ({"recipe.image_encoder": "mlp"}, "recipe.image_encoder is 'mlp': allowed .* patches"),
    ],
)
def test_errors_of_bad_configs_name_field_value_and_allowed_values(folder, changes, message):
    with pytest.raises(ValueError, match=message):
        make_plan(mpi3d_config(folder, **changes))


def test_the_error_of_a_missing_path_has_the_next_step():
    with pytest.raises(ValueError, match="world.data is missing: give the folder of real3d"):
        make_plan(mpi3d_small.get_config())


def test_too_many_images_are_refused_before_the_file_is_read(folder):
    plan = make_plan(mpi3d_config(folder / "missing", **{"world.images": 5000}))
    with pytest.raises(ValueError, match="images is 5000: allowed is 20..1728"):
        plan.domain.load(lambda fraction: None)
