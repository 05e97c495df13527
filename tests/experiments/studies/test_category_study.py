"""Captions of another scene of the same category: both ends of the range, by trained lanes."""

import numpy as np
import pandas as pd
import pytest

from experiments.configs import category, labelled
from experiments.domains.conditional_means import category_r2
from experiments.sweep.plan import make_plan
from lvm import bias_from_indices
from probes import Split
from tests.experiments.domains.test_labelled_run import own_config
from tests.runs import run

PROBES = ("mlp", "linear")  # of latents, and of images


def short_config():
    """The study with an easier world, fewer steps and both ends of the range alone."""
    config = category.get_config()
    config.world.update(image_only=1, text_only=1, mixing_layers=1)
    config.recipe.update(steps=1500, batch=512)
    config.evaluation.update(fit=4096, test=4096)
    config.settings = tuple(
        setting
        for setting in config.settings
        if setting.noise_probability in (0.0, 1.0) or not setting.perturbable
    )
    return config


def scores_of(directory, metric):
    """Scores of every lane, from images and texts, by lane."""
    table = pd.read_csv(directory / "results.csv", keep_default_na=False)
    table = table[(table.metric == metric) & table.probe.isin(PROBES)]
    table = table[~table.target.isin(["m_x", "m_t", "rep", "phrasing"])]
    return table.pivot(index="lane", columns=["modality", "target"], values="value").to_numpy(float)


def assert_both_ends(scores):
    """No shuffle and rate 0, rate 1 and the category alone, are lanes in this order."""
    no_shuffle, rate_0, rate_1, alone = scores
    np.testing.assert_allclose(rate_0, no_shuffle, atol=0.03)
    np.testing.assert_allclose(rate_1, alone, atol=0.03)
    assert abs(rate_0 - rate_1).max() > 0.3


@pytest.mark.slow
def test_latents_of_both_ends_equal_no_shuffle_and_the_category_alone(tmp_path):
    run(tmp_path, config := short_config())
    kinds = [(lane.noise_probability, lane.encoding_size) for lane in make_plan(config).lanes]
    assert kinds[1:] == [(1.0, 2), (0.0, 4), (1.0, 2)]
    scores = scores_of(tmp_path, "r2")
    assert_both_ends(scores[[0, 2, 1, 3]])
    table = pd.read_csv(tmp_path / "results.csv", keep_default_na=False)
    attainable = table[(table.metric == "r2") & (table.lane == 1) & (table.modality == "t")]
    attainable = attainable.set_index("target")
    np.testing.assert_allclose(
        attainable.attainable[["s1", "s2", "s3", "s4"]].astype(float),
        [0, 0, 2 / np.pi, 2 / np.pi],
        atol=0.02,
    )
    assert set(attainable.attainable_by[["s1", "s2", "s3", "s4"]]) == {"Monte Carlo"}


def write_plain_images(path):
    """Images whose halves are as bright as their labels, with noise."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, [3, 2], (1200, 2))
    images = generator.integers(0, 30, (1200, 16, 16))
    images[:, :8] += 80 * labels[:, :1, None]
    images[:, 8:] += 120 * labels[:, 1:, None]
    np.savez(path, images=images.astype(np.uint8), latents_classes=labels)
    return path


@pytest.mark.slow
def test_images_of_both_ends_equal_no_shuffle_and_the_category_alone(tmp_path):
    config = own_config(write_plain_images(tmp_path / "plain.npz"))
    config.recipe.update(steps=300, batch=128, group=128, warmup=20)
    config.log_every, config.save_every = 100, 300
    shuffled = [
        labelled.setting(
            "shape size",
            "size",
            encoding_size=2,
            noise_probability=rate,
            misalignment="shuffled_in_category",
        )
        for rate in (0.0, 1.0)
    ]
    selected = [labelled.setting(names, encoding_size=2) for names in ("shape size", "shape")]
    config.settings = (selected[0], *shuffled, selected[1])
    run(tmp_path / "run", config)
    assert_both_ends(scores_of(tmp_path / "run", "matthews"))


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_the_r2_of_a_category_is_that_of_its_means(correlation):
    """E[s2 | sign s1] = correlation · sign √(2/π) for standard Gaussian semantics."""
    covariance = [[1, correlation], [correlation, 1]]
    s = np.random.default_rng(0).multivariate_normal([0, 0], covariance, 20_000)
    found = category_r2(bias_from_indices(2, [1, 2], [2]), Split(*np.split(s.astype("f4"), 2)))
    np.testing.assert_allclose(found, np.array([1, correlation**2]) * 2 / np.pi, atol=0.02)
