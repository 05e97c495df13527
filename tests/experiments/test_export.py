"""Exported scenes are read back unchanged by the reader of the layout."""

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


def test_images_and_latents_are_read_back_unchanged(folder, scenes):
    images, latents = datasets.read_causal3dident(folder)
    expected = np.concatenate(list(render_batches(scenes, SIDE)))
    np.testing.assert_array_equal(images, expected)
    for name, leaf in datasets.scenes_from_columns(latents)._asdict().items():
        np.testing.assert_array_equal(leaf, getattr(scenes, name))


def expected_word(columns, index, row):
    """Returns the word that the caption of a row contains for a factor, given its columns."""
    if index >= 4:
        kind, table = ("object", "splotlight", "background")[index - 4], COLOR_TABLES[index - 4]
        name = columns[f"{kind}_color_name"][row]
        assert list(table)[columns[f"{kind}_color_index"][row]] == name
        return name.rpartition(":")[2].replace(" ", "-")
    if index == 3:
        return COMPASS[int(columns["spotlight_pos"][row] * 5)]
    name = ("object_shape", "object_xpos", "object_ypos")[index]
    return (SHAPES, PLACES["x_pos"], PLACES["y_pos"])[index][columns[name][row]]


@pytest.mark.parametrize(("kind", "number"), SETTINGS)
def test_captions_contain_the_words_of_their_columns(kind, number, folder, scenes):
    captions = datasets.read_causal3dident_captions(folder, kind, number)
    bias, columns = setting_bias(kind, number), captions.values
    words = make_scene_words(COLOR_TABLES)
    values = [factor.values for factor in words.language.factors]
    factors_per_word = Counter(word for factor_values in values for word in factor_values)
    for row, text in enumerate(captions.texts):
        caption_words = set(text.split())
        for index, selected in enumerate(bias.selected):
            unique_words = {word for word in values[index] if factors_per_word[word] == 1}
            if selected:
                word = expected_word(columns, index, row)
                assert word in caption_words
                assert caption_words & unique_words <= {word}
            else:
                assert not caption_words & unique_words
    true_values = np.asarray(word_values(words, scenes))
    if lvm.unbiased(bias)[2]:
        np.testing.assert_array_equal(columns["object_xpos"], scenes.x_pos)
        np.testing.assert_array_equal(columns["object_ypos"], scenes.y_pos)
    if lvm.unbiased(bias)[3]:
        np.testing.assert_array_equal(columns["spotlight_pos"], scenes.s_pos)
    if lvm.unbiased(bias)[6]:
        color_indices = np.array(words.hues[2].positions)[true_values[:, 6]]
        np.testing.assert_array_equal(columns["background_color_index"], color_indices)


def test_distorted_semantics_are_the_last_ones():
    assert setting_bias("perturbations", 0).perturbable.tolist() == [False] + [True] * 6
    assert not setting_bias("perturbations", 6).perturbable.any()
    assert setting_bias("selections", 2).selected.tolist() == [True] * 3 + [False] * 4


def test_a_distorted_spotlight_is_in_the_table_too(folder, scenes):
    table = pd.read_csv(folder / "latents_text_perturbations_0.csv")
    distorted = table.spotlight_pos.to_numpy(np.float32) != scenes.s_pos
    assert distorted.any()
    np.testing.assert_allclose(table.spotlight_pos[distorted] * 5 % 1, 0.5, atol=1e-5)


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


def test_an_existing_folder_is_refused_and_left_unchanged(folder):
    before = all_names(folder)
    with pytest.raises(SystemExit, match="already exists: allowed is a new folder"):
        main([f"--out={folder}", *FLAGS])
    assert all_names(folder) == before


def test_a_full_disk_leaves_no_partial_output(tmp_path):
    with files_of_at_most(40), pytest.raises(SystemExit, match="cannot be written, nothing of it"):
        main([f"--out={tmp_path / 'new'}", *FLAGS])
    assert all_names(tmp_path) == []
