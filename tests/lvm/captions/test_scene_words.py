import colorsys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
from experiments.domains.color_tables import COLOR_TABLES
from lvm.captions.generation import replace_values
from lvm.captions.scene_words import make_scene_words, name_hues, word_values
from lvm.scenes.sampler import SHAPES

TABLE = {"kind:deep red": "#ee0000", "green": "#00ff00", "aqua": "#00ffff", "cyan": "#00FFFF"}
TABLE |= {"blue": "#0000ff", "black": "#000000", "gray": "#808080"}
SHORT = {"red": "#ff0000", "green": "#00ff00", "cyan": "#00ffff"}
WORDS = make_scene_words((SHORT, TABLE, SHORT))
PAPER = make_scene_words(COLOR_TABLES)
DISJOINT = make_scene_words(COLOR_TABLES, disjoint=True)
FACTORS = ("shape", "x_pos", "y_pos", "s_pos", "color", "s_color", "b_color")


@pytest.fixture(scope="module")
def scenes():
    return lvm.sample_scenes(jax.random.key(3), 3000)


def scenes_with(**latents):
    """Returns scenes with some latents given, and 0 for the others."""
    size = len(next(iter(latents.values())))
    drawn = lvm.sample_scenes(jax.random.key(0), size)
    given = {
        name: jnp.array(values, getattr(drawn, name).dtype) for name, values in latents.items()
    }
    return jax.tree.map(jnp.zeros_like, drawn)._replace(**given)


def words_of(words, factor, **latents):
    """Returns the words for a factor of some scenes."""
    index = FACTORS.index(factor)
    values = np.asarray(word_values(words, scenes_with(**latents)))[:, index]
    return [words.language.factors[index].values[value] for value in values]


def test_names_that_are_nearest_to_some_hue_are_kept_in_the_order_of_the_table():
    names, positions, nearest = name_hues(TABLE)
    assert names == ("deep-red", "green", "cyan", "blue", "gray")
    assert positions == (0, 1, 3, 4, 6)
    assert nearest.dtype == np.int32
    assert set(nearest.tolist()) == set(range(len(names)))


@pytest.mark.parametrize("table", COLOR_TABLES)
def test_every_hue_has_the_name_of_the_nearest_color(table):
    names, positions, nearest = name_hues(table)
    colors = np.array(
        [[int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for code in table.values()]
    )
    plain = [name.split(":")[-1].replace(" ", "-") for name in table]
    assert [plain[position] for position in positions] == list(names)
    hues = np.random.default_rng(1).uniform(size=300)
    for hue in hues:
        distance = ((np.array(colorsys.hsv_to_rgb(hue, 1, 1)) - colors) ** 2).sum(1)
        name = names[nearest[int(hue * len(nearest))]]
        assert distance[plain.index(name)] < distance.min() + 0.002


def test_few_names_of_the_tables_are_nearest_to_a_hue():
    sizes = PAPER.language.sizes
    assert sizes[:4] == (7, 3, 3, 5)
    assert 5 < sizes[4] <= 10  # of 10
    assert 15 < sizes[5] < 30  # of 148
    assert 50 < sizes[6] < 90  # of 949


def test_words_of_positions():
    assert words_of(WORDS, "x_pos", x_pos=[0, 1, 2]) == ["left", "center", "right"]
    assert words_of(WORDS, "y_pos", y_pos=[0, 1, 2]) == ["top", "mid", "bottom"]
    assert words_of(WORDS, "shape", shape=range(7)) == list(SHAPES)
    compass = ["northwest", "northeast", "center", "southwest", "southeast"]
    assert words_of(WORDS, "s_pos", s_pos=[0.0, 0.21, 0.41, 0.61, 0.81]) == compass
    assert words_of(WORDS, "s_pos", s_pos=[0.19, 0.39, 0.59, 0.79, 1.0]) == compass


def test_words_of_hues():
    hues = [0.0, 1 / 3, 0.5, 2 / 3, 1.0]
    names = ["deep-red", "green", "cyan", "blue", "deep-red"]
    assert words_of(WORDS, "s_color", s_color=hues) == names
    assert words_of(WORDS, "color", color=hues[:3]) == ["red", "green", "cyan"]
    assert words_of(PAPER, "color", color=[0.0, 0.5, 0.6]) == ["red", "cyan", "blue"]
    assert words_of(PAPER, "s_color", s_color=hues) == ["red", "lime", "cyan", "blue", "red"]


def test_values_of_scenes(scenes):
    values = np.asarray(word_values(PAPER, scenes))
    assert values.dtype == np.int32
    assert values.shape == (3000, 7)
    assert (values >= 0).all() and (values < PAPER.language.sizes).all()
    for index, size in enumerate(PAPER.language.sizes[:6]):
        assert len(np.unique(values[:, index])) == size
    np.testing.assert_array_equal(jax.jit(lambda s: word_values(PAPER, s))(scenes), values)
    one_by_one = jax.vmap(lambda s: word_values(PAPER, jax.tree.map(lambda a: a[None], s))[0])
    np.testing.assert_array_equal(one_by_one(scenes), values)


def test_values_follow_the_semantics_alone(scenes):
    rotated = scenes._replace(alpha=1 - scenes.alpha, beta=1 - scenes.beta, gamma=1 - scenes.gamma)
    np.testing.assert_array_equal(word_values(PAPER, rotated), word_values(PAPER, scenes))


def test_the_reference_names_the_background_by_the_hue_of_the_object(scenes):
    reference = word_values(PAPER, scenes, "reference")
    np.testing.assert_array_equal(reference[:, :6], word_values(PAPER, scenes)[:, :6])
    swapped = word_values(PAPER, scenes._replace(b_color=scenes.color))
    np.testing.assert_array_equal(reference, swapped)
    assert (np.asarray(reference) != np.asarray(word_values(PAPER, scenes)))[:, 6].any()


def factors_by_word(words):
    """Returns the names of the factors that have a word, by word."""
    names = {}
    for factor in words.language.factors:
        for word in factor.values:
            names.setdefault(word, []).append(factor.name)
    return names


def test_factors_share_words_unless_these_are_disjoint():
    shared = {word: names for word, names in factors_by_word(PAPER).items() if len(names) > 1}
    assert shared["cyan"] == ["color", "s_color", "b_color"]
    assert shared["center"] == ["x_pos", "s_pos"]
    disjoint = factors_by_word(DISJOINT)
    assert all(len(names) == 1 for names in disjoint.values())
    for word, names in shared.items():
        for name in names:
            kind = {"color": "object", "x_pos": "object", "b_color": "background"}.get(name)
            assert disjoint[f"{kind or 'spotlight'}-{word}"] == [name]
    assert {word for word in factors_by_word(PAPER) if word not in shared} < set(disjoint)


@pytest.mark.parametrize("words", [PAPER, DISJOINT])
def test_captions_mention_every_selected_factor_in_every_phrasing(words, scenes):
    values = np.asarray(word_values(words, scenes))[:50]
    assert words.language.names == FACTORS
    assert len(words.language.phrasings) == 5
    for phrasing in range(5):
        ids = lvm.generate_captions(words.language, values, np.full(50, phrasing), np.ones(7, bool))
        for row, text in zip(values, lvm.sentences(words.language, np.asarray(ids)), strict=True):
            for factor, value in zip(words.language.factors, row, strict=True):
                assert factor.values[value] in text.split()


def test_a_known_caption():
    values = np.array([[1, 0, 2, 4, 0, 3, 1]], np.int32)
    describe = lambda phrasing, count: lvm.sentences(
        WORDS.language,
        np.asarray(
            lvm.generate_captions(
                WORDS.language, values, np.array([phrasing]), np.arange(7) < count
            )
        ),
    )
    assert describe(0, 3) == ["a picture of one hare on the left of the stage in its bottom row"]
    assert describe(3, 7) == [
        "this scene has the hare at left and bottom position with red skin under blue light that "
        "falls in from southeast onto the green plane"
    ]


def test_distorted_words_are_uniform_and_independent_of_the_truth(scenes):
    values = word_values(PAPER, scenes)
    perturbable = np.array([False, False, False, True, True, True, True])
    replaced = np.asarray(
        replace_values(
            jax.random.key(1), PAPER.language, values, perturbable=perturbable, probability=1.0
        )
    )
    np.testing.assert_array_equal(replaced[:, :3], values[:, :3])
    for index in range(3, 7):
        size = PAPER.language.sizes[index]
        frequencies = np.bincount(replaced[:, index], minlength=size) / len(replaced)
        np.testing.assert_allclose(frequencies, 1 / size, atol=0.03)
        agrees = (replaced[:, index] == values[:, index]).mean()
        np.testing.assert_allclose(agrees, 1 / size, atol=0.03)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ((SHORT, SHORT), "tables has length 2: allowed is one for each of"),
        ((SHORT, {}, SHORT), "a colour table is empty: allowed are two or more"),
        ((SHORT, SHORT, {**SHORT, "odd": "red"}), "the color odd is 'red': allowed is #rrggbb"),
        ((SHORT, SHORT, {"red": "#ff0000"}), "b_color has values .'red',.: allowed are two or"),
    ],
)
def test_invalid_tables_are_refused(tables, message):
    with pytest.raises(ValueError, match=message):
        make_scene_words(tables)


def test_an_unknown_variant_is_refused(scenes):
    with pytest.raises(ValueError, match="variant is 'mine': allowed is one of paper, reference"):
        word_values(WORDS, scenes, "mine")
