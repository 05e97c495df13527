import io

import numpy as np
import pytest
from PIL import Image

from lvm.datasets import read_stamps
from lvm.files.decoding import decode_with_alpha

RED, BLUE = (255, 0, 0, 255), (0, 0, 255, 255)


def write_stamp(folder, name, captions=("A hen.",), colour=RED):
    """Writes a picture of one colour and the lines of its captions."""
    path = folder / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGBA", (6, 4), colour).save(path)
    path.with_suffix(".txt").write_text("\n".join(captions) + "\n", encoding="utf-8")
    return path


def test_stamps_are_read_by_name_with_captions_by_language(tmp_path):
    write_stamp(tmp_path, "plants/tree", ["A tree.", "pt_BR.utf8=Uma árvore."], BLUE)
    write_stamp(tmp_path, "animals/birds/cartoon/hen", ["A hen.", "de.utf8=Eine Henne. ", ""])
    write_stamp(tmp_path, "moon", ["A moon.", "de.utf8=", "ca@valencia.utf8=Lluna = una."])
    (tmp_path / "plants" / "tree.svg").write_text("<svg/>")
    stamps = read_stamps(tmp_path, side=2)
    assert stamps.names == ("animals/birds/cartoon/hen", "moon", "plants/tree")
    assert stamps.categories == ("animals", "moon", "plants")
    assert stamps.subcategories == ("animals/birds", "", "plants")
    assert stamps.captions == {
        "en": ("A hen.", "A moon.", "A tree."),
        "ca@valencia": ("", "Lluna = una.", ""),
        "de": ("Eine Henne.", "", ""),
        "pt_BR": ("", "", "Uma árvore."),
    }
    np.testing.assert_array_equal(stamps.pictures[2], np.broadcast_to(BLUE, (2, 2, 4)))
    assert stamps.skipped == ()


def test_bad_files_and_lines_are_skipped_and_named(tmp_path):
    write_stamp(tmp_path, "hen", ["A hen.", "de=Henne", "fr.utf8=Une poule.", "fr.utf8=Poule."])
    damaged = write_stamp(tmp_path, "damaged")
    damaged.write_bytes(damaged.read_bytes()[:-30])
    write_stamp(tmp_path, "empty", ["", "de.utf8=Henne"])
    write_stamp(tmp_path, "latin").with_suffix(".txt").write_bytes(b"Un caf\xe9.\n")
    write_stamp(tmp_path, "silent").with_suffix(".txt").unlink()
    stamps = read_stamps(tmp_path, side=2)
    assert stamps.names == ("hen",)
    assert stamps.captions == {"en": ("A hen.",), "fr": ("Une poule.",)}
    parts = (
        "damaged.png does not decode",
        "empty.txt has no English caption",
        "hen.txt, line 2 is 'de=Henne': allowed is",
        "hen.txt, line 4 is a second caption in fr",
        "latin.txt cannot be read: line 1 is not UTF-8",
        "silent.png has no file of captions",
    )
    assert len(stamps.skipped) == len(parts)
    for sentence, part in zip(stamps.skipped, parts, strict=True):
        assert part in sentence


def test_transparent_pixels_do_not_mix_into_others():
    picture = np.zeros((2, 2, 4), np.uint8)
    picture[:, 0], picture[:, 1] = RED, (0, 255, 0, 0)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG")
    np.testing.assert_allclose(decode_with_alpha(file.getvalue(), 1, 1)[0, 0], [255, 0, 0, 128])
    assert decode_with_alpha(b"no picture", 1, 1) is None


def test_a_picture_without_alpha_is_opaque(tmp_path):
    write_stamp(tmp_path, "hen")
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(tmp_path / "hen.png")
    assert read_stamps(tmp_path, side=1).pictures.ravel().tolist() == [*[40_000 >> 8] * 3, 255]


def test_a_folder_without_stamps_is_refused(tmp_path):
    with pytest.raises(ValueError, match="missing is no folder: allowed is a folder of stamps"):
        read_stamps(tmp_path / "missing", side=2)
    with pytest.raises(ValueError, match=r"has no stamp: allowed is .* it has no \.png file"):
        read_stamps(tmp_path, side=2)
    write_stamp(tmp_path, "hen").with_suffix(".txt").unlink()
    with pytest.raises(ValueError, match=r"has no stamp: .*hen\.png has no file of captions"):
        read_stamps(tmp_path, side=2)
