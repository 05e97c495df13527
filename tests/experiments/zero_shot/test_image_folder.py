"""Folders of images: every layout, and every folder that is refused."""

import pytest

from experiments.zero_shot.image_folder import list_images

PAIRS = ["animal/dog/1.png", "animal/dog/2.JPG", "animal/cat/a.jpeg", "animal/cat/b.png"]


def make(folder, *names):
    for name in names:
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return folder


def names(listed):
    return [(image.group, image.concept, image.path.name) for image in listed.images]


def test_the_folder_of_an_image_is_its_concept_and_the_one_above_its_group(tmp_path):
    listed = list_images(make(tmp_path, *PAIRS, "colour/sea green/1.png", "colour/sea green/2.png"))
    assert names(listed) == [
        ("animal", "cat", "a.jpeg"),
        ("animal", "cat", "b.png"),
        ("animal", "dog", "1.png"),
        ("animal", "dog", "2.JPG"),
        ("colour", "sea green", "1.png"),
        ("colour", "sea green", "2.png"),
    ]
    assert listed.others == ()


def test_one_group_has_the_name_of_the_folder(tmp_path):
    folder = make(tmp_path / "animals", *(name.removeprefix("animal/") for name in PAIRS))
    assert {group for group, *_ in names(list_images(folder))} == {"animals"}


def test_folders_above_the_groups_have_no_meaning(tmp_path):
    folder = make(tmp_path, *(f"common/{name}" for name in PAIRS))
    assert {group for group, *_ in names(list_images(folder))} == {"animal"}


def test_hidden_files_are_ignored_and_other_files_are_listed(tmp_path):
    hidden = [".DS_Store", "animal/.x/1.png", "animal/dog/.2.png"]
    listed = list_images(make(tmp_path, *PAIRS, *hidden, "README", "animal/dog/3.webp"))
    assert len(listed.images) == 4
    assert [path.name for path in listed.others] == ["README", "3.webp"]


def test_linked_folders_are_followed(tmp_path):
    make(tmp_path / "elsewhere", "1.png", "2.png")
    (make(tmp_path / "images", *PAIRS) / "animal" / "cow").symlink_to(tmp_path / "elsewhere")
    assert ("animal", "cow", "2.png") in names(list_images(tmp_path / "images"))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["stray.png"], "/stray.png has no concept folder: allowed is GROUP/CONCEPT/IMAGE"),
        (["animal/stray.png"], "/animal/stray.png has no concept folder"),
        (["red/1.png", "red/2.png"], "/red/.* and .* are at different depths"),
        (["animal/cow/"], "/animal/cow holds no image .*: allowed is 2 or more of each concept"),
        (["animal/cow/notes.txt"], "/animal/cow holds no image"),
        (["colour/"], "/colour holds no image"),
        (["animal/cow/1.png"], "concept 'cow' of group 'animal' has 1 image: allowed is 2"),
    ],
)
def test_folders_that_do_not_follow_the_layout_are_refused(tmp_path, more, message):
    with pytest.raises(ValueError, match=message):
        list_images(make(tmp_path, *PAIRS, *more))


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nowhere is no folder: allowed is GROUP/CONCEPT/IMAGE"):
        list_images(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no image .*: allowed is GROUP/CONCEPT/IMAGE"):
        list_images(make(tmp_path, "animal/dog/"))


def test_two_folders_of_one_group_are_refused(tmp_path):
    again = [f"other/{name}" for name in PAIRS]
    with pytest.raises(ValueError, match="group 'animal' is .*common/animal and .*other/animal"):
        list_images(make(tmp_path, *(f"common/{name}" for name in PAIRS), *again))
