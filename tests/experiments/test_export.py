"""Exported scenes are read back as they were, by the reader of the layout."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

import lvm
from experiments.domains.color_tables import COLOR_TABLES
from experiments.export import SETTINGS, main, setting_bias
from lvm import datasets
from lvm.captions.scene_words import COMPASS, PLACES, make_scene_words, word_values
from lvm.scenes.rendering.batches import render_batches
from lvm.scenes.sampler import SHAPES
from tests.disk import all_names, files_of_at_most

COUNT, SIDE = 12, 8
FLAGS = [f"--images={COUNT}", f"--resolution={SIDE}", "--seed=3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "scenes3d"
    main([f"--out={folder}", *FLAGS])
    return folder


@pytest.fixture(scope="module")
def scenes():
    import jax  # noqa: PLC0415

    return jax.device_get(lvm.sample_scenes(jax.random.key(3), COUNT))


def test_images_and_latents_come_back(folder, scenes):
    images, latents = datasets.read_causal3dident(folder)
    expected = np.concatenate(list(render_batches(scenes, SIDE)))
    np.testing.assert_array_equal(images, expected)
    for name, leaf in datasets.scenes_from_columns(latents)._asdict().items():
        np.testing.assert_array_equal(leaf, getattr(scenes, name))


def told_word(told, place, row):
    """The word for what the columns of a row say of a factor, by its place in the order."""
    if place >= 4:
        kind, table = ("object", "splotlight", "background")[place - 4], COLOR_TABLES[place - 4]
        name = told[f"{kind}_color_name"][row]
        assert list(table)[told[f"{kind}_color_index"][row]] == name
        return name.rpartition(":")[2].replace(" ", "-")
    if place == 3:
        return COMPASS[int(told["spotlight_pos"][row] * 5)]
    name = ("object_shape", "object_xpos", "object_ypos")[place]
    return (SHAPES, PLACES["x_pos"], PLACES["y_pos"])[place][told[name][row]]


@pytest.mark.parametrize(("kind", "number"), SETTINGS)
def test_captions_tell_what_their_columns_say(kind, number, folder, scenes):
    captions = datasets.read_causal3dident_captions(folder, kind, number)
    bias, told = setting_bias(kind, number), captions.values
    words = make_scene_words(COLOR_TABLES)
    values = [factor.values for factor in words.language.factors]
    tellers = Counter(word for of_factor in values for word in of_factor)
    for row, text in enumerate(captions.texts):
        spoken = set(text.split())
        for place, selected in enumerate(bias.selected):
            own = {word for word in values[place] if tellers[word] == 1}
            if selected:
                word = told_word(told, place, row)
                assert word in spoken
                assert spoken & own <= {word}
            else:
                assert not spoken & own
    truly = np.asarray(word_values(words, scenes))
    if lvm.unbiased(bias)[2]:
        np.testing.assert_array_equal(told["object_xpos"], scenes.x_pos)
        np.testing.assert_array_equal(told["object_ypos"], scenes.y_pos)
    if lvm.unbiased(bias)[3]:
        np.testing.assert_array_equal(told["spotlight_pos"], scenes.s_pos)
    if lvm.unbiased(bias)[6]:
        places = np.array(words.hues[2].positions)[truly[:, 6]]
        np.testing.assert_array_equal(told["background_color_index"], places)


def test_distorted_semantics_are_the_last_ones():
    assert setting_bias("perturbations", 0).perturbable.tolist() == [False] + [True] * 6
    assert not setting_bias("perturbations", 6).perturbable.any()
    assert setting_bias("selections", 2).selected.tolist() == [True] * 3 + [False] * 4


def test_a_wrong_spotlight_is_told_in_the_table_too(folder, scenes):
    told = pd.read_csv(folder / "latents_text_perturbations_0.csv")
    wrong = told.spotlight_pos.to_numpy(np.float32) != scenes.s_pos
    assert wrong.any()
    np.testing.assert_allclose(told.spotlight_pos[wrong] * 5 % 1, 0.5, atol=1e-5)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--images=0"], "images is 0: allowed is 1 or more"),
        (["--resolution=0"], "resolution is 0: allowed is 1 or more"),
        (["--samples=0"], "quality.samples is 0: allowed is 1 or more"),
    ],
)
def test_bad_numbers_are_refused_before_anything_is_written(flags, message, tmp_path):
    with pytest.raises(SystemExit, match=message):
        main([f"--out={tmp_path / 'new'}", *FLAGS, *flags])
    assert all_names(tmp_path) == []


def test_a_folder_that_is_there_is_left_as_it_is(folder):
    before = all_names(folder)
    with pytest.raises(SystemExit, match="already exists: allowed is a new folder"):
        main([f"--out={folder}", *FLAGS])
    assert all_names(folder) == before


def test_a_disk_that_fills_leaves_nothing_that_looks_whole(tmp_path):
    with files_of_at_most(40), pytest.raises(SystemExit, match="cannot be written, nothing of it"):
        main([f"--out={tmp_path / 'new'}", *FLAGS])
    assert all_names(tmp_path) == []
