"""Photographs and captions end to end: a synthetic deck of cards, a few steps long."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import lvm
from experiments.configs import (
    cards,
    cards_category,
    cards_leaks,
    cards_small,
    default,
    selection,
)
from experiments.domains.captioned_scores import evenly_spaced
from experiments.domains.domain import scored_lane
from experiments.gallery import draw_gallery
from experiments.report.write_report import write_report
from experiments.rundir.claim import claim
from experiments.rundir.lane_identity import unbiased_names
from experiments.rundir.older_versions import PAIR_METRICS
from experiments.rundir.results import read_results
from experiments.sweep.plan import make_plan
from lvm.datasets import cards as card_photographs
from tests.lvm.datasets.test_cards import deck, write_zip
from tests.runs import run
from tests.small import small_config

FACTORS = ["number", "color", "shading", "shape"]


def card_config(path, **changes):
    """Returns two settings of the cards in an archive; changes are like {"recipe.steps": 4}."""
    config = cards_small.get_config()
    config.world.update(data=str(path), height=16, width=16, test_share=0.34)
    config.recipe.update(widths=(8, 8), text_widths=(8,), batch=16, group=16, steps=4, warmup=2)
    config.log_every, config.save_every = 2, 4
    config.evaluation.probes = ("logistic",)
    config.settings = (config.settings[0], config.settings[4])  # select {number}, perturb {shape}
    config.update_from_flattened_dict(changes)
    return config


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return write_zip(tmp_path_factory.mktemp("cards") / "cards.zip", deck(sessions=6))


@pytest.fixture(scope="module")
def plan(archive):
    return make_plan(card_config(archive))


@pytest.fixture(scope="module")
def shared(plan):
    return plan.domain.load(lambda fraction: None)


@pytest.fixture(scope="module")
def finished_cards(archive, tmp_path_factory):
    directory = tmp_path_factory.mktemp("finished_cards")
    return directory, run(directory, card_config(archive), report=True)


def test_pairs_are_photographs_with_captions_of_the_bias(plan, shared, key):
    language = lvm.make_language(card_photographs.FACTORS, card_photographs.PHRASINGS)
    sample = jax.jit(plan.domain.sample, static_argnums=1)
    for number, lane in enumerate(plan.lanes):
        data = jax.tree.map(lambda leaf, number=number: jnp.asarray(leaf[number]), plan.data)
        pairs = jax.device_get(sample(key, 200, shared=shared, world=(), lane=data))
        assert pairs.x.shape == (200, 16, 16, 3)
        for row, text in enumerate(lvm.sentences(language, np.asarray(pairs.t))):
            for index, factor in enumerate(language.factors):
                mentioned = [value for value in factor.values if value in text.split()]
                assert len(mentioned) == (factor.name in lane.selected.split())
                if mentioned and factor.name not in lane.perturbable.split():
                    assert mentioned == [factor.values[pairs.factors[row, index]]]
    matching = (shared.train.images[None] == np.asarray(pairs.x)[:5, None]).all((2, 3, 4))
    for row, equal in enumerate(matching):
        assert np.asarray(pairs.factors)[row].tolist() in shared.train.factors[equal].tolist()


def shuffled_plan(archive, rates=(0.0, 1.0)):
    """A plan of cards of all factors: without shuffle, then shuffled by number and color."""
    every, others = " ".join(FACTORS), "shading shape"
    make = partial(default.setting, every, **cards.LAWS)
    shuffled = (
        make(others, noise_probability=rate, misalignment="shuffled_in_category") for rate in rates
    )
    return make_plan(card_config(archive, settings=(make(), *shuffled)))


def test_shuffled_captions_are_those_of_other_cards_of_the_same_category(archive, shared, key):
    plan = shuffled_plan(archive)
    language = plan.domain.language
    texts = []
    sample = jax.jit(plan.domain.sample, static_argnums=1)
    for number in range(3):
        data = jax.tree.map(lambda leaf, number=number: jnp.asarray(leaf[number]), plan.data)
        pairs = jax.device_get(sample(key, 400, shared=shared, world=(), lane=data))
        texts.append(lvm.sentences(language, np.asarray(pairs.t)))
    assert texts[0] == texts[1]  # rate 0
    mentioned = np.array(
        [
            [[value in text.split() for value in factor.values].index(True) for text in texts[2]]
            for factor in language.factors
        ]
    ).T
    factors = np.asarray(pairs.factors)
    np.testing.assert_array_equal(mentioned[:, :2], factors[:, :2])
    np.testing.assert_allclose((mentioned == factors).mean(0)[2:], 1 / 3, atol=0.09)
    existing = {tuple(row) for row in np.asarray(shared.train.factors)}
    assert np.mean([tuple(row) in existing for row in mentioned]) > 0.98


def test_attainable_scores_of_shuffled_captions_are_those_of_the_category(archive, shared, key):
    plan = shuffled_plan(archive, rates=(0.0, 0.25, 1.0))
    domain, test = plan.domain, jax.tree.map(jnp.asarray, shared.test)
    for number, masked in ((1, [1, 1, 1, 1]), (2, [1, 1, 0, 0]), (3, [1, 1, 0, 0])):
        data = jax.tree.map(lambda leaf, number=number: jnp.asarray(leaf[number]), plan.data)
        lane = scored_lane(data, domain.misalignments)
        features = domain.unbiased_features(lane, domain.caption(key, lane, test))
        blocks = np.split(np.asarray(features), np.cumsum(domain.language.sizes)[:-1], axis=1)
        np.testing.assert_array_equal([block.any() for block in blocks], masked)


def test_results_have_every_factor_with_its_attainable_score(finished_cards):
    directory, text = finished_cards
    results = pd.read_csv(directory / "results.csv", keep_default_na=False)
    rows = results.groupby("probe").size()
    assert dict(rows) == {"logistic": 20, "zero_shot": 8, "none": 24}  # 2 lanes
    assert set(results.target) == {*FACTORS, "phrasing", "columns", "pair", "rep"}
    assert set(results.metric) == {"matthews", "count", *PAIR_METRICS}
    attainable = results[(results.probe == "logistic") & (results.modality == "x")]
    attainable = attainable.set_index(["setting", "target"]).attainable.astype(float)
    kept = {("select {number}", "number")} | {("perturb {shape}", name) for name in FACTORS[:3]}
    for cell, value in attainable.items():
        assert (value > 0.95) == (cell in kept), cell
    assert "Matthews correlation by logistic" in text
    assert (directory / "figures" / "matthews.png").exists()


def test_attainable_recall_is_that_of_test_images_with_equal_unbiased_factors(
    finished_cards, plan, shared
):
    results = read_results(finished_cards[0] / "results.csv")
    factors = np.asarray(shared.test.factors)
    for number, lane in enumerate(plan.lanes):
        names = unbiased_names(lane.selected, lane.perturbable)
        unbiased = factors[:, [name in names for name in FACTORS]]
        _, sizes = np.unique(unbiased, axis=0, return_counts=True)
        rows = results[(results.lane == number) & (results.target == "pair")]
        assert rows[rows.metric == "gallery_size"].value.tolist() == [len(factors)]
        for count in (1, 5, 10):
            recall = np.minimum(sizes, count).sum() / len(factors)  # min(1, k / m) of m images each
            of_count = rows[rows.metric == f"recall_at_{count}"]
            np.testing.assert_allclose(of_count.attainable, [recall] * 2, rtol=1e-5)
            assert set(of_count.attainable_by) == {"closed form"}
        assert (rows[rows.metric == "modality_gap"].attainable == 0).all()


def test_the_history_has_every_factor(finished_cards):
    history = pd.read_csv(finished_cards[0] / "history.csv")
    assert {f"{modality}_{name}" for modality in "xt" for name in FACTORS} <= set(history)
    assert history.step.tolist() == [2, 2, 4, 4]


def test_evenly_spaced_rows_of_sorted_images_have_every_value():
    factors = np.repeat(np.arange(3, dtype=np.int32), 1000)
    rows = evenly_spaced(3000, 1024)
    assert len(rows) == len(set(rows)) == 1024
    assert np.bincount(factors[rows]).min() > 1024 / 4


def test_a_finished_run_is_not_repeated(archive, finished_cards, tmp_path):
    before = (finished_cards[0] / "results.csv").read_bytes()
    run(finished_cards[0], card_config(archive))
    assert (finished_cards[0] / "results.csv").read_bytes() == before


@pytest.mark.slow
def test_the_report_and_the_gallery_are_drawn(finished_cards):
    directory, _ = finished_cards
    write_report(directory, Console(quiet=True))
    paths = draw_gallery(directory, Console(quiet=True))
    names = {path.name for path in (directory / "figures").glob("*.png")}
    assert {path.name for path in paths} == {"captions.png", "neighbours.png"}
    assert {"learning.png", "selection_matthews_logistic.png", "captions.png"} <= names


def test_the_gallery_of_a_run_without_images_is_refused(tmp_path):
    claim(tmp_path, small_config(), make_plan(small_config()).lanes)
    with pytest.raises(ValueError, match="is a run without images"):
        draw_gallery(tmp_path, Console(quiet=True))


@pytest.mark.parametrize("module", [cards, cards_small, cards_leaks, cards_category])
def test_every_config_of_cards_makes_a_plan(module, archive):
    config = module.get_config()
    config.world.data = str(archive)
    plan = make_plan(config)
    assert plan.domain.semantics == tuple(FACTORS)
    assert plan.recipe.vocabulary == plan.domain.vocabulary > 12


def test_the_settings_are_those_of_the_study(archive):
    config = cards_small.get_config()
    config.world.data = str(archive)
    lanes = make_plan(config).lanes
    assert [lane.encoding_size for lane in lanes] == [1, 2, 3, 4, 3, 2, 1, 3, 2, 1]
    assert [lane.noise_probability for lane in lanes[4:]] == [0.9] * 3 + [1.0] * 3
    assert lanes[0].setting == "select {number}"
    assert lanes[-1].setting == "perturb {color, shading, shape}"
    config.min_encoding_size = 3
    assert [lane.encoding_size for lane in make_plan(config).lanes[:4]] == [3, 3, 3, 4]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"world.test_share": 1.5}, "world.test_share is 1.5: allowed is 0 to 1"),
        ({"world.height": 0}, "world.height is 0: allowed is 4 or more"),
        ({"evaluation.probes": ("linear",)}, "probes holds 'linear': allowed is logistic, mlp"),
        ({"evaluation.probes": ()}, "evaluation.probes is empty"),
        ({"recipe.text_encoder": "mlp"}, "recipe.text_encoder is 'mlp': allowed .* tokens"),
        ({"recipe.image_encoder": "mlp"}, "recipe.image_encoder is 'mlp': allowed .* patches"),
    ],
)
def test_errors_of_bad_configs_name_field_value_and_allowed_values(archive, changes, message):
    with pytest.raises(ValueError, match=message):
        make_plan(card_config(archive, **changes))


def test_the_error_of_a_missing_path_has_the_next_step():
    with pytest.raises(ValueError, match="world.data is missing: give the folder or the zip"):
        make_plan(cards_small.get_config())


def test_the_error_of_an_unknown_factor_names_all_factors(archive):
    config = card_config(archive)
    config.settings[0].selected = "number size"
    with pytest.raises(ValueError, match="holds 'size': allowed is number, color, shading, shape"):
        make_plan(config)


def test_encoders_of_photographs_are_refused_for_vectors():
    with pytest.raises(ValueError, match="recipe.image_encoder is 'patches': allowed .* mlp"):
        make_plan(selection.get_config("patches"))
