import io
import itertools
import zipfile

import numpy as np
import pytest
from PIL import Image

import lvm
from lvm import datasets
from lvm.datasets.cards import FACTORS, FOLDER_WORDS, PHRASINGS
from tests.repository import SHARED

ARCHIVE = SHARED / "set-cards/set_cards_labelled.zip"
NAME = "1-red-solid-oval/20170311_132957_1_14.jpg"


def encoded(color=(200, 30, 20), file_format="JPEG"):
    written = io.BytesIO()
    Image.new("RGB", (171, 267), color).save(written, file_format)
    return written.getvalue()


def deck(sessions=2):
    """Returns files as in the real archive: a session is all 27 cards of one number."""
    files = {}
    for session, card in itertools.product(range(3 * sessions), range(27)):
        number, others = session % 3, np.unravel_index(card, (3, 3, 3))
        indices = (number, *others)
        values = [words[index] for words, index in zip(FOLDER_WORDS, indices, strict=True)]
        folder = "-".join(values) + ("s" if number else "")
        name = f"labelled/{folder}/DSC_{4871 + session}_{(number + 1) % 3}_{card}.jpg"
        files[name] = encoded(color=(session, card, 0))
    return files


def write_zip(path, files, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_folder(path, files):
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def some_cards(sessions=20):
    """Returns the cards of a deck as black photographs."""
    rows = [
        (s, s % 3, *np.unravel_index(card, (3, 3, 3)))
        for s in range(sessions)
        for card in range(27)
    ]
    rows = np.array(rows, np.int32)
    images = np.zeros((len(rows), 2, 1, 3), np.uint8)
    return datasets.Photographs(images, rows[:, 1:], np.array([f"DSC_{row[0]}" for row in rows]))


def test_a_folder_and_an_archive_are_read_alike_and_sorted_by_name(tmp_path):
    files = deck(1)
    ignored = {
        "__MACOSX/labelled/1-red-solid-oval/._20170311_132957_1_14.jpg": b"no image",
        "labelled/.DS_Store": b"",
        "labelled/1-red-solid-oval/.hidden_1_2.jpg": b"no image",
        "LICENSE.txt": b"to be read by people",
    }
    backwards = dict(reversed(files.items()))
    archive = write_zip(
        tmp_path / "cards.zip", ignored | backwards | {"labelled/empty-folder/": b""}
    )
    folder = write_folder(tmp_path / "cards", files | ignored)
    photographs, from_folder = datasets.read_cards(archive), datasets.read_cards(str(folder))
    for a, b in zip(photographs, from_folder, strict=True):
        np.testing.assert_array_equal(a, b)
    assert photographs.images.shape == (81, 48, 32, 3)
    names = sorted(files)
    assert photographs.sessions.tolist() == [name.split("/")[-1][:8] for name in names]
    for name, values in zip(names, photographs.factors, strict=True):
        card = "-".join(words[value] for words, value in zip(FOLDER_WORDS, values, strict=True))
        assert name.split("/")[1].removesuffix("s") == card


def test_images_are_resized_and_keep_their_colors(tmp_path):
    path = write_zip(
        tmp_path / "cards.zip",
        {NAME: encoded(), NAME.replace("14.jpg", "15.PNG"): encoded(file_format="PNG")},
    )
    photographs = datasets.read_cards(path, height=9, width=5)
    assert photographs.images.shape == (2, 9, 5, 3)
    np.testing.assert_array_equal(photographs.factors, [[0, 0, 0, 1]] * 2)
    np.testing.assert_allclose(photographs.images, np.full((2, 9, 5, 3), [200, 30, 20]), atol=3)


@pytest.mark.parametrize(
    ("name", "session"),
    [("20170311_132957_2_14.jpg", "20170311_132957"), ("DSC_4871_0_3.jpeg", "DSC_4871")],
)
def test_a_session_is_the_name_without_number_and_position(tmp_path, name, session):
    path = write_zip(tmp_path / "cards.zip", {f"3-purple-empty-squiggles/{name}": encoded()})
    assert datasets.read_cards(path).sessions.tolist() == [session]


def test_progress_is_shown_up_to_the_end(tmp_path):
    fractions = []
    datasets.read_cards(write_zip(tmp_path / "cards.zip", deck(4)), show=fractions.append)
    np.testing.assert_allclose(fractions, [0, 256 / 324, 1])


def test_an_image_that_does_not_decode_is_refused_or_skipped(tmp_path):
    broken = NAME.replace("14", "15")
    files = {NAME: encoded(), broken: encoded()[:400], NAME.replace("14", "16"): b"no image"}
    path = write_zip(tmp_path / "cards.zip", files)
    with pytest.raises(ValueError, match=rf"cards.zip: {broken} does not decode"):
        datasets.read_cards(path)
    messages = []
    photographs = datasets.read_cards(path, skip=messages.append)
    assert len(photographs.images) == len(photographs.factors) == len(photographs.sessions) == 1
    assert [message.split("/")[-1] for message in messages] == [
        "20170311_132957_1_15.jpg does not decode",
        "20170311_132957_1_16.jpg does not decode",
    ]
    del files[NAME]
    with pytest.raises(ValueError, match="holds no photograph: allowed are .jpg, .jpeg, .png"):
        datasets.read_cards(write_zip(path, files), skip=messages.append)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "cards/x_1_2.jpg",
            "cards.zip: cards/x_1_2.jpg is in folder 'cards': allowed is a card, as",
        ),
        ("x_1_2.jpg", "x_1_2.jpg is in folder '': allowed"),
        ("4-red-solid-ovals/x_1_2.jpg", "x_1_2.jpg: number is '4': allowed is one of 1, 2, 3"),
        ("2-blue-solid-ovals/x_1_2.jpg", "color is 'blue': allowed is one of red, green, purple"),
        (
            "2-red-full-ovals/x_1_2.jpg",
            "shading is 'full': allowed is one of solid, striped, empty",
        ),
        ("2-red-solid-stars/x_1_2.jpg", "shape is 'star': allowed is one of diamond, oval, squig"),
        ("2-red-solid-ovals/x.jpg", "file name is 'x.jpg': allowed is session_number_position"),
        ("2-red-solid-ovals/DSC_4871.jpg", "file name is 'DSC_4871.jpg': allowed"),
        ("2-red-solid-ovals/x_1_b.jpg", "file name is 'x_1_b.jpg': .* 20170311_132957_2_14.jpg"),
    ],
)
def test_names_without_a_card_or_a_session_are_refused(tmp_path, name, message):
    with pytest.raises(ValueError, match=message):
        datasets.read_cards(write_zip(tmp_path / "cards.zip", {NAME: encoded(), name: encoded()}))


def test_paths_without_photographs_are_refused(tmp_path):
    with pytest.raises(ValueError, match="missing.zip does not exist: allowed is a folder or"):
        datasets.read_cards(tmp_path / "missing.zip")
    with pytest.raises(ValueError, match="holds no photograph"):
        datasets.read_cards(tmp_path)
    with pytest.raises(ValueError, match=r"cards.zip holds no photograph"):
        datasets.read_cards(write_zip(tmp_path / "cards.zip", {}))
    (tmp_path / "cards.zip").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"cards.zip is not a zip archive or is damaged: File is"):
        datasets.read_cards(tmp_path / "cards.zip")


@pytest.mark.parametrize(("height", "width"), [(0, 32), (48, -1)])
def test_invalid_sizes_are_refused(tmp_path, height, width):
    with pytest.raises(
        ValueError, match=f"height and width are {height} and {width}: allowed is 1"
    ):
        datasets.read_cards(tmp_path, height=height, width=width)


def test_a_truncated_archive_is_refused(tmp_path):
    path = write_zip(tmp_path / "cards.zip", {NAME: encoded()}, zipfile.ZIP_DEFLATED)
    content = path.read_bytes()
    for cut in np.linspace(1, len(content) - 1, 60, dtype=int):
        for part in (content[:cut], content[cut:]):
            path.write_bytes(part)
            with pytest.raises(ValueError, match="cards.zip"):
                datasets.read_cards(path)


def test_a_damaged_archive_is_refused_with_the_file(tmp_path):
    path = write_zip(tmp_path / "cards.zip", {NAME: encoded()}, zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    start = 30 + len(NAME)
    for position in range(start, start + 200, 5):
        damaged = content.copy()
        damaged[position] ^= 255
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=f"cards.zip: the archive is damaged at {NAME}: "):
            datasets.read_cards(path, skip=print)


def test_a_split_is_by_session_and_does_not_depend_on_order():
    photographs = some_cards()
    train, test = datasets.split_sessions(photographs, 0.3, seed=1)
    assert len(test.images) == 6 * 27
    assert len(train.images) == 14 * 27
    assert not set(train.sessions) & set(test.sessions)
    order = np.random.default_rng(0).permutation(len(photographs.images))
    shuffled = datasets.Photographs(*(leaf[order] for leaf in photographs))
    assert set(datasets.split_sessions(shuffled, 0.3, seed=1)[1].sessions) == set(test.sessions)
    assert set(datasets.split_sessions(photographs, 0.3, seed=2)[1].sessions) != set(test.sessions)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5, float("nan")])
def test_fractions_outside_0_to_1_are_refused(fraction):
    with pytest.raises(ValueError, match=f"test_share is {fraction}: allowed is between 0 and 1"):
        datasets.split_sessions(some_cards(), fraction, 0)


@pytest.mark.parametrize(
    ("fraction", "message"),
    [
        (0.05, "the test split has no photograph with number '.*': allowed is every value in both"),
        (0.95, "the train split has no photograph with number '.*': allowed"),
        (0.01, "the test split has no photograph with number 'one': allowed"),
    ],
)
def test_a_split_that_lacks_a_value_is_refused(fraction, message):
    with pytest.raises(ValueError, match=message):
        datasets.split_sessions(some_cards(), fraction, 0)


def test_a_session_in_both_splits_is_refused():
    photographs = some_cards(6)
    odd, even = (
        datasets.Photographs(*(leaf[start::2] for leaf in photographs)) for start in (1, 0)
    )
    with pytest.raises(ValueError, match="6 sessions, of which DSC_0 is the first, are in the tr"):
        datasets.check_splits(odd, even)
    halves = (
        datasets.Photographs(*(leaf[part] for leaf in photographs))
        for part in (slice(81), slice(81, None))
    )
    datasets.check_splits(*halves)


def test_every_phrasing_distinguishes_all_cards():
    language = lvm.make_language(FACTORS, PHRASINGS)
    cards = np.stack(np.unravel_index(np.arange(81), (3, 3, 3, 3)), 1).astype(np.int32)
    for phrasing in range(len(PHRASINGS)):
        ids = lvm.generate_captions(
            language, cards, np.full(81, phrasing, np.int32), np.ones(4, bool)
        )
        assert len(set(lvm.sentences(language, np.asarray(ids)))) == 81
    assert lvm.sentences(language, np.asarray(ids))[0] == (
        "somebody dealt a card bearing the diamond form printed in red with solid filling "
        "showing one in total"
    )


@pytest.mark.slow
@pytest.mark.skipif(not ARCHIVE.exists(), reason="the photographs are missing")
def test_the_photographs_of_tomwhite():
    photographs = datasets.read_cards(ARCHIVE)
    sessions, counts = np.unique(photographs.sessions, return_counts=True)
    assert (len(photographs.images), len(sessions)) == (13149, 487)
    assert set(counts) == {27}
    for session in sessions[::50]:
        values = photographs.factors[photographs.sessions == session]
        assert len(np.unique(values, axis=0)) == 27
        assert len(set(values[:, 0])) == 1
    brightness = photographs.images.mean((1, 2, 3))
    solid, striped, empty = (
        brightness[photographs.factors[:, 2] == value].mean() for value in range(3)
    )
    assert solid < striped < empty
    train, test = datasets.split_sessions(photographs, 0.15, seed=0)
    assert len(test.images) == 73 * 27
    assert len(train.images) + len(test.images) == 13149
