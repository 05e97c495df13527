"""Factors of a run as groups: captions, test images and scores of a trained lane."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import lvm
import mmcl
from experiments.sweep.plan import make_plan
from experiments.zero_shot import lane_groups as module
from experiments.zero_shot.__main__ import main
from experiments.zero_shot.group_scores import score_group
from experiments.zero_shot.lane_groups import lane_groups, value_captions
from lvm.datasets.cards import FACTORS, PHRASINGS
from tests.experiments.domains.test_captioned import card_config
from tests.lvm.datasets.test_cards import deck, encoded, write_zip
from tests.runs import run

LANGUAGE = lvm.make_language(FACTORS, PHRASINGS)
NAMES = ["number", "color", "shading", "shape"]


@pytest.fixture(scope="module")
def cards_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zero_shot_cards")
    # every photograph has another colour, by which the planted encoder finds its factors
    colours = {name: (index % 250, index // 250, 7) for index, name in enumerate(deck(sessions=6))}
    files = {name: encoded(colour, "PNG") for name, colour in colours.items()}
    path = write_zip(folder / "cards.zip", files)
    config = card_config(path)
    run(folder / "run", config)
    test = make_plan(config).domain.load(lambda fraction: None).test
    return folder / "run", test


def test_captions_of_a_value_mention_it_and_the_other_selected_factors():
    contexts = np.array([[0, 2, 1, 0], [1, 0, 2, 0]], np.int32)
    ids = value_captions(LANGUAGE, 3, contexts, np.array([True, False, True, False]))
    assert ids.shape[:2] == (3, 2)
    texts = [lvm.sentences(LANGUAGE, rows) for rows in ids]
    for word, of_value in zip(FACTORS[3].values, texts, strict=True):
        assert [word in text.split() for text in of_value] == [True, True]
        assert "striped" in of_value[0] and "empty" in of_value[1]
        assert "one" in of_value[0] and "two" in of_value[1]
        assert not {"red", "green", "purple"} & {*of_value[0].split(), *of_value[1].split()}


def planted_encode(test):
    """Encoders that represent an image by its factors, and a caption by its words."""
    values = {image.tobytes(): row for image, row in zip(test.images, test.factors, strict=True)}
    one_hot = lambda rows: np.eye(3)[rows].reshape(len(rows), -1)
    words = [word for factor in FACTORS for word in factor.values]
    columns = np.array([[word == name for word in words] for name in LANGUAGE.vocabulary])

    def encode(lane, observations):
        images, ids = observations.x, observations.t
        if images is not None:
            look_up = lambda part: one_hot([values[image.tobytes()] for image in part])
            shape = jax.ShapeDtypeStruct((len(images), 12), jnp.float32)
            x = jax.pure_callback(lambda part: look_up(np.asarray(part)).astype("f"), shape, images)
            return mmcl.Modalities(x, None)
        return mmcl.Modalities(None, jnp.asarray(columns, jnp.float32)[ids].sum(1))

    return encode


def test_all_images_are_right_if_captions_contain_what_images_show(cards_run, monkeypatch):
    directory, test = cards_run
    monkeypatch.setattr(module, "encode", planted_encode(test))
    for number in range(2):  # lane 0 selects the number alone
        groups, left_out = lane_groups(directory, number)
        assert [group.group for group in groups] == NAMES
        assert [group.concepts for group in groups] == [factor.values for factor in FACTORS]
        assert left_out == dict.fromkeys(NAMES, 0)
        for group, labels in zip(groups, test.factors.T, strict=True):
            np.testing.assert_array_equal(group.labels, labels)
            assert score_group(group, 0).accuracy == (1, 1, 1)
        contexts = [group.texts.shape[1] for group in groups]
        assert contexts == ([1, 3, 3, 3] if number == 0 else [27] * 4)


def test_rare_values_are_left_out_with_their_images(cards_run, monkeypatch):
    directory, test = cards_run
    monkeypatch.setattr(module, "encode", planted_encode(test))
    monkeypatch.setattr(module, "MIN_IMAGES", 1 + np.bincount(test.factors[:, 0]).max())
    with pytest.raises(ValueError, match="no value of number has .* test images"):
        lane_groups(directory, 0)
    monkeypatch.undo()
    texts, images = np.zeros((3, 1, 2)), np.arange(10).reshape(5, 2)
    group = module._without_rare(FACTORS[1], texts, images, np.array([2, 0, 2, 1, 0]))
    assert group.concepts == ("red", "purple")
    assert group.labels.tolist() == [1, 0, 1, 0]
    np.testing.assert_array_equal(group.images[:, 0], [0, 2, 4, 8])


def test_the_command_scores_a_lane(cards_run, tmp_path, capsys):
    main([f"--run={cards_run[0]}", "--lane=1", f"--out={tmp_path / 'out'}"])
    table = pd.read_csv(tmp_path / "out" / "zero_shot.csv", keep_default_na=False)
    assert list(table.group.unique()) == NAMES
    whole = table[(table.concept == "") & (table.metric == "accuracy")]
    assert set(whole.images) == {len(cards_run[1].images)}
    assert table.value.between(0, 1).all()
    assert "macro-F1" in capsys.readouterr().out


def test_a_diverged_lane_an_unknown_lane_and_a_run_of_latents_are_refused(
    cards_run, finished, tmp_path, monkeypatch
):
    out = f"--out={tmp_path / 'out'}"
    with pytest.raises(SystemExit, match=r"error: lane is 2: allowed is 0\.\.1"):
        main([f"--run={cards_run[0]}", "--lane=2", out])
    with pytest.raises(SystemExit, match="is a run of latents: allowed is a run of images"):
        main([f"--run={finished[0]}", "--lane=0", out])
    nan = lambda lane, rows: mmcl.Modalities(jnp.full((len(rows.x), 2), jnp.nan), None)
    monkeypatch.setattr(module, "encode", nan)
    with pytest.raises(SystemExit, match="error: the lane has representations of NaN or infinity"):
        main([f"--run={cards_run[0]}", "--lane=1", out])
    assert not (tmp_path / "out").exists()
