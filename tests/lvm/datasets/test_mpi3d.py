import itertools

import jax
import numpy as np
import pytest

import lvm
from lvm import datasets
from lvm.datasets import mpi3d
from lvm.datasets.mpi3d import COLUMNS, FACTORS, FILE, PHRASINGS, POSITIONS, mpi3d_sizes
from tests.disk import all_names
from tests.repository import SHARED

PANELS = SHARED / "mpi3d-panels/panels.npz"
POSITIONS_MADE = (2, 3)


def made_images(positions=POSITIONS_MADE, height=16, width=16):
    """Returns images of seven columns; the brightness of each encodes one factor."""
    factors = datasets.mpi3d_factors(np.arange(288 * np.prod(positions)), positions)
    levels = 250 // (np.array(mpi3d_sizes(positions)) - 1).clip(1)
    images = np.zeros((len(factors), height, width, 3), np.uint8)
    images[:, :, 1:15] = np.repeat(factors * levels, 2, axis=1)[:, None, :, None]
    return images


def write_mpi3d(folder, positions=POSITIONS_MADE, **size):
    """Writes a file of the true layout, with fewer positions, and returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / FILE, images=made_images(positions, **size))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_mpi3d(tmp_path_factory.mktemp("mpi3d"))


def test_the_sizes_are_those_of_the_paper():
    assert mpi3d_sizes() == (4, 4, 2, 3, 3, 40, 40)
    assert np.prod(mpi3d_sizes()) == 460_800


@pytest.mark.parametrize(
    ("row", "factors"),
    [
        (0, [0, 0, 0, 0, 0, 0, 0]),
        (41, [0, 0, 0, 0, 0, 1, 1]),
        (1600, [0, 0, 0, 0, 1, 0, 0]),
        (115_200, [1, 0, 0, 0, 0, 0, 0]),
        (460_799, [3, 3, 1, 2, 2, 39, 39]),
    ],
)
def test_the_last_factor_is_the_fastest(row, factors):
    found = datasets.mpi3d_factors(np.array([row]))
    assert found.dtype == np.int32
    assert found.tolist() == [factors]


def test_splits_of_all_images_have_the_sizes_of_the_paper():
    splits = datasets.draw_mpi3d_splits(POSITIONS, None, seed=0)
    assert tuple(map(len, splits)) == (414_720, 23_040, 23_040)
    np.testing.assert_array_equal(np.sort(np.concatenate(splits)), np.arange(460_800))


def test_fewer_images_are_split_in_the_same_ratio():
    splits = datasets.draw_mpi3d_splits(POSITIONS, 4000, seed=0)
    assert tuple(map(len, splits)) == (3600, 200, 200)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (19, "images is 19: allowed is 20..1728"),
        (1729, "images is 1729: allowed is 20..1728"),
        (
            40,
            "the val split has no image with color '.*': allowed is every value in all; take more",
        ),
    ],
)
def test_invalid_splits_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        datasets.draw_mpi3d_splits(POSITIONS_MADE, images, seed=0)


def test_selected_images_of_a_file_are_read(folder, monkeypatch):
    monkeypatch.setattr(mpi3d, "IMAGES_PER_READ", 100)
    fractions = []
    images = datasets.open_mpi3d(
        folder, positions=POSITIONS_MADE, height=16, width=16, show=fractions.append
    )
    assert fractions[-1] == 1
    assert images.shape == (1728, 16, 16, 3)
    rows = datasets.draw_mpi3d_splits(POSITIONS_MADE, 400, seed=0).train
    fractions.clear()
    taken = datasets.take_images(images, rows, fractions.append)
    np.testing.assert_array_equal(taken, made_images()[rows])
    np.testing.assert_allclose(fractions, [100 / 360, 200 / 360, 300 / 360, 1])
    color, background = datasets.mpi3d_factors(rows, POSITIONS_MADE)[:, [0, 4]].T
    np.testing.assert_array_equal(taken[:, 5, 1, 0], 83 * color)
    np.testing.assert_array_equal(taken[:, 9, 9, 2], 125 * background)


def test_a_file_is_converted_into_the_cache(folder, tmp_path):
    images = datasets.open_mpi3d(
        folder / FILE, positions=POSITIONS_MADE, height=16, width=16, cache=tmp_path / "cache"
    )
    np.testing.assert_array_equal(images, made_images())
    (name,) = all_names(tmp_path / "cache")
    assert name.startswith(FILE.removesuffix(".npz") + "_")
    assert all_names(tmp_path) == ["cache", f"cache/{name}"]  # and nothing beside the file


@pytest.mark.parametrize(
    ("positions", "side", "message"),
    [
        ((2, 2), 16, rf"{FILE}: images has shape .*: allowed is \(1152, 16, 16, 3\)"),
        (POSITIONS_MADE, 64, r"images has shape \(1728, 16, 16, 3\): allowed is \(1728, 64, 64, 3"),
    ],
)
def test_another_number_or_size_of_images_is_refused(folder, tmp_path, positions, side, message):
    with pytest.raises(ValueError, match=message):
        datasets.open_mpi3d(folder, positions=positions, height=side, width=side, cache=tmp_path)


def test_a_folder_without_the_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=f"{FILE} does not exist"):
        datasets.open_mpi3d(tmp_path)


def test_every_phrasing_distinguishes_all_combinations():
    language = lvm.make_language(FACTORS, PHRASINGS)
    combinations = np.array(list(itertools.product(*map(range, language.sizes))), np.int32)
    phrasing = np.repeat(np.arange(3, dtype=np.int32), 288)
    generate = jax.jit(lvm.generate_captions, static_argnums=0)
    ids = generate(language, np.tile(combinations, (3, 1)), phrasing, np.ones(5, bool))
    texts = lvm.sentences(language, np.asarray(ids))
    assert [len(set(texts[start : start + 288])) for start in (0, 288, 576)] == [288] * 3
    assert texts[-1] == (
        "here somebody sees an object whose backdrop is salmon whose size is large whose color is "
        "red whose shape is beer-cup whose view is bottom"
    )


# The words of consecutive runs of equal values in a panel of 20 frames, by factor.
RUNS = (
    {
        0: ("red", "olive", "green", "yellow", "green", "olive", "red"),
        2: ("large", "small", "large"),
        4: ("salmon", "sea-green", "purple", "sea-green", "salmon"),
    },
    {
        0: ("olive", "red", "olive", "green", "yellow", "green", "olive"),
        2: ("large", "small", "large"),
        4: ("purple", "sea-green", "salmon", "sea-green", "purple"),
    },
)
# The first frame of each run.
STARTS = (
    {0: (0, 3, 6, 8, 13, 16, 18), 2: (0, 6, 16), 4: (0, 4, 7, 14, 17)},
    {0: (0, 1, 6, 8, 11, 16, 18), 2: (0, 6, 16), 4: (0, 1, 4, 11, 14)},
)


def panel_values(number, factor):
    """Returns the values of the factor that a panel cycles, in each of its 20 frames."""
    values = [FACTORS[factor].values.index(word) for word in RUNS[number][factor]]
    return np.repeat(values, np.diff((*STARTS[number][factor], 20)))


@pytest.mark.skipif(not PANELS.exists(), reason="the frames of MPI3D are missing")
@pytest.mark.parametrize("number", [0, 1])
def test_real_frames_match_the_words_of_their_factors(number, tmp_path):
    """Panels cycle a factor up and down by one step, in the order of the words."""
    frames = np.load(PANELS, allow_pickle=False)["images"][number, :, :, ::2, ::2]
    positions = len(RUNS[number]), 20  # panels, frames
    images = np.zeros((*mpi3d_sizes(positions), 32, 32, 3), np.uint8)
    for panel, cycled in enumerate(RUNS[number]):
        values = panel_values(number, cycled)
        assert set(np.abs(np.diff(values))) == {0, 1}
        for frame, value in enumerate(values):
            factors = [
                panel_values(number, other)[0] if other in STARTS[0] else 0 for other in range(5)
            ]
            factors[cycled] = value
            images[(*factors, panel, frame)] = frames[cycled, frame]
    np.savez(tmp_path / FILE, images=images.reshape(-1, 32, 32, 3))
    opened = datasets.open_mpi3d(tmp_path, positions=positions, height=32, width=32)

    def frames_by_word(panel, cycled):
        """Returns the frames of a panel, selected by their factors, by word."""
        factors = datasets.mpi3d_factors(np.arange(len(opened)), positions)
        return {
            word: datasets.take_images(opened, np.flatnonzero(chosen)).astype(float)
            for value, word in enumerate(FACTORS[cycled].values)
            if (
                chosen := (factors[:, [cycled, 5]] == [value, panel]).all(1) & opened.any((1, 2, 3))
            ).any()
        }

    def pixels(images_by_word):
        """Returns the mean colour, by word, of the pixels that differ most between words."""
        means = {word: images.mean(0) for word, images in images_by_word.items()}
        spread = np.std(list(means.values()), axis=0).max(-1)
        return {word: mean[spread > spread.max() / 3].mean(0) for word, mean in means.items()}

    colors = {word: red / green for word, (red, green, _) in pixels(frames_by_word(0, 0)).items()}
    assert sorted(colors, key=colors.get) == ["green", "olive", "yellow", "red"]
    sizes = {
        word: (images.max(-1) > 100).sum() / len(images)
        for word, images in frames_by_word(1, 2).items()
    }
    assert sizes["small"] < 0.9 * sizes["large"]
    walls = pixels(frames_by_word(2, 4))
    assert max(walls, key=lambda word: walls[word][1] - walls[word][0]) == "sea-green"
    assert max(walls, key=lambda word: walls[word][2] - walls[word][1]) == "purple"


ROWS = {"train": [5, 1727, 900, 5], "test": [7, 44]}


def write_captions(folder):
    """Writes the caption files of "selection" 0 and "perturbation" 4."""
    for split, rows in ROWS.items():
        split_folder = folder / split
        split_folder.mkdir(parents=True)
        factors = datasets.mpi3d_factors(np.array(rows), POSITIONS_MADE)
        write_table(split_folder / "image_semantics.csv", COLUMNS, factors)
        write_table(split_folder / "text_semantics_selection_0.csv", COLUMNS[:1], factors[:, :1])
        write_table(split_folder / "text_semantics_perturbation_4.csv", COLUMNS[:5], factors[:, :5])
        colors = [FACTORS[0].values[value] for value in factors[:, 0]]
        shapes = [FACTORS[1].values[value] for value in factors[:, 1]]
        selected = "".join(f"Something {color}.\n" for color in colors)
        (split_folder / "text_selection_0.txt").write_text(selected)
        perturbed = [f"a {c}, {s}." for c, s in zip(colors, shapes, strict=True)]
        (split_folder / "text_perturbation_4.txt").write_text("\n".join(perturbed))
    return folder


def write_table(path, names, rows):
    lines = [names, *rows]
    path.write_text("".join(",".join(map(str, line)) + "\n" for line in lines))


def read(folder, split="train", bias="selection", number=0, **options):
    return datasets.read_mpi3d_captions(
        folder, split, bias, number, positions=POSITIONS_MADE, **options
    )


def test_captions_are_read_with_the_rows_of_their_images(tmp_path):
    write_captions(tmp_path)
    rows, captions = read(tmp_path)
    assert rows.tolist() == ROWS["train"]
    assert captions.texts[:2] == ("Something yellow.", "Something red.")
    assert captions.vocabulary == ("", "Something", "yellow", "red", "olive")
    assert captions.ids.tolist() == [[1, 2], [1, 3], [1, 4], [1, 2]]
    assert {name: values.tolist() for name, values in captions.values.items()} == {
        "OBJ_COLOR": [0, 3, 2, 0]
    }
    _, perturbed = read(tmp_path, bias="perturbation", number=4)
    assert tuple(perturbed.values) == COLUMNS[:5]
    assert perturbed.texts[1] == "a red, beer-cup."


def test_the_test_split_uses_the_vocabulary_of_the_train_split(tmp_path):
    write_captions(tmp_path)
    vocabulary = read(tmp_path)[1].vocabulary
    rows, captions = read(tmp_path, "test", vocabulary=vocabulary)
    assert rows.tolist() == ROWS["test"]
    assert captions.ids.tolist() == [[1, 2], [1, 2]]
    (tmp_path / "test" / "text_selection_0.txt").write_text("Something yellow.\nSomething blue.")
    message = "test/text_selection_0.txt: caption 1 contains 'blue': allowed is one of the 4 words"
    with pytest.raises(ValueError, match=message):
        read(tmp_path, "test", vocabulary=vocabulary)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "text_selection_0.txt",
            "Something red.\n" * 3,
            "has 3 captions: allowed is 4, as in imag",
        ),
        (
            "text_selection_0.txt",
            "red\n\nred\nred\n",
            "caption 1 is '': allowed is a line of words",
        ),
        ("text_selection_0.txt", None, "cannot be read: .*No such file"),
        (
            "image_semantics.csv",
            "OBJ_COLOR\n0\n",
            "has no column OBJ_SHAPE: its columns are OBJ_CO",
        ),
        (
            "image_semantics.csv",
            ",".join(COLUMNS) + "\n0,0,0,0,0,0,0\n0,0,2,0,0,0,0\n",
            "image_semantics.csv: OBJ_SIZE is 2 in row 1: allowed is an integer, 0..1",
        ),
        (
            "image_semantics.csv",
            ",".join(COLUMNS) + "\n0,0,0,0,0,0,3\n",
            "image_semantics.csv: V_AXIS is 3 in row 0: allowed is an integer, 0..2",
        ),
        ("text_semantics_selection_0.csv", "OBJ_COLOR\n0\n0\n", "has 2 rows: allowed is 4, as in"),
        (
            "text_semantics_selection_0.csv",
            "OBJ_COLOR\n0\n0\nred\n0\n",
            "selection_0.csv: OBJ_COLOR is red in row 2: allowed is an integer, 0..3",
        ),
        ("text_semantics_selection_0.csv", "CAMERA\n0\n", "has no column OBJ_COLOR"),
    ],
)
def test_invalid_captions_are_refused_with_file_and_column(tmp_path, name, content, message):
    path = write_captions(tmp_path) / "train" / name
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(
        ValueError, match=f"train/{name}.*{message}" if content is None else message
    ):
        read(tmp_path)


@pytest.mark.parametrize(
    ("bias", "number"), [("selections", 0), ("selection", 5), ("selection", -1)]
)
def test_unknown_settings_are_refused(tmp_path, bias, number):
    message = f"bias and number are {bias} and {number}: allowed are selection or perturbation"
    with pytest.raises(ValueError, match=message):
        read(tmp_path, bias=bias, number=number)
