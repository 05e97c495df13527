"""The command line: tables, figures and notes of each source; bad input writes nothing."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import image

from experiments.zero_shot.__main__ import main
from tests.disk import all_names
from tests.experiments.zero_shot.stand_in import MODEL
from tests.figures import SUFFIXES
from tests.repository import ROOT

FILES = ["--image-embeddings=x.npz", "--text-embeddings=t.npz"]
CLIP = ["--images=images", f"--model={MODEL}", "--weights=weights.pt"]
COLUMNS = ["group", "concept", "metric", "value", "low", "high", "images"]


def read(name):
    return pd.read_csv(Path("zero_shot") / name, keep_default_na=False)


def test_embeddings_are_scored(folder, capsys):
    main(FILES)
    printed = capsys.readouterr().out
    table = read("zero_shot.csv")
    assert list(table) == COLUMNS
    assert not table.duplicated(["group", "concept", "metric"]).any()
    value = table.set_index(["group", "concept", "metric"]).value
    assert value["colour", "red", "accuracy"] == pytest.approx(2 / 3)
    assert value["colour", "red", "f1"] == pytest.approx(0.8)
    assert value["colour", "blue", "accuracy"] == 1
    assert value["colour", "", "accuracy"] == pytest.approx(0.8)
    assert value["colour", "", "macro_f1"] == pytest.approx(0.8)
    assert value["nature", "", "macro_f1"] == 1
    assert ((table.low <= table.value) & (table.value <= table.high)).all()
    images = table.set_index(["group", "concept"]).images
    assert set(images["colour", "red"]) == {3}
    assert set(images["colour", ""]) == {5}
    confusion = read("confusion.csv").pivot(index="concept", columns="assigned", values="images")
    assert confusion.loc["red", ["red", "blue"]].tolist() == [2, 1]
    assert confusion.loc["blue", ["red", "blue"]].tolist() == [0, 2]
    assert "Groups of one concept, whose scores are always 1: nature." in printed
    assert max(map(len, printed.split("\n\n")[0].splitlines())) <= 80
    groups = ("colour", "nature")
    figures = [f"confusion_{group}{suffix}" for group in groups for suffix in sorted(SUFFIXES)]
    assert all_names(folder / "zero_shot") == ["confusion.csv", *figures, "zero_shot.csv"]
    assert image.imread("zero_shot/confusion_colour.png").min() < 0.2  # a dark cell


def test_a_model_and_its_embeddings_give_the_same_scores(folder, open_clip):
    main(FILES)
    expected = Path("zero_shot/zero_shot.csv").read_bytes()
    main([*CLIP, "--out=again"])
    by_name = lambda path: pd.read_csv(path).sort_values(COLUMNS[:3]).reset_index(drop=True)
    pd.testing.assert_frame_equal(
        by_name("again/zero_shot.csv").drop(columns=["low", "high"]),
        by_name("zero_shot/zero_shot.csv").drop(columns=["low", "high"]),
    )
    main(FILES)
    assert Path("zero_shot/zero_shot.csv").read_bytes() == expected


def test_unreadable_images_and_other_files_are_counted_and_named(folder, open_clip, capsys):
    broken = folder / "images/colour/red/1.png"
    broken.write_bytes(broken.read_bytes()[:-30])
    (folder / "images/notes.txt").touch()
    main([*CLIP, "--prompts", "a {} thing", "{}"])
    printed = capsys.readouterr().out
    assert "left out, cannot be read: images/colour/red/1.png" in printed
    assert "files left out, cannot be read: 1\n" in printed
    assert "left out, not .jpg, .jpeg or .png: images/notes.txt" in printed
    table = read("zero_shot.csv").set_index(["group", "concept", "metric"])
    assert table.images["colour", "", "accuracy"] == 4
    assert table.value["colour", "", "accuracy"] == 1


def test_a_concept_whose_images_are_unreadable_is_refused(folder, open_clip, capsys):
    (folder / "images/colour/blue/1.png").write_bytes(b"")
    with pytest.raises(SystemExit, match="concept 'blue' of group 'colour' has 1 image: allowed"):
        main(CLIP)
    assert "left out, cannot be read: images/colour/blue/1.png" in capsys.readouterr().out
    assert not Path("zero_shot").exists()


def test_ties_are_printed(folder, capsys):
    with np.load("t.npz") as texts:
        arrays = dict(texts)
    np.savez("t.npz", **arrays | {"embeddings": np.ones((3, 3))})
    main(FILES)
    assert "equally near to several concepts, of which one was drawn: colour 5." in (
        capsys.readouterr().out
    )


SOURCES = "allowed is one of --image-embeddings, --text-embeddings; --images, --model, --weights"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], f"source is missing: {SOURCES}; --run, --lane"),
        ([*FILES, *CLIP], "source is --image-embeddings, --text-embeddings, --images, --model"),
        ([*FILES, "--prompts={}"], "source is --image-embeddings, --text-embeddings, --prompts"),
        (FILES[:1], "--text-embeddings is missing: allowed is --image-embeddings, --text-emb"),
        (CLIP[:2], "--weights is missing: allowed is --images, --model, --weights together"),
        (["--run=runs/none"], "--lane is missing: allowed is --run, --lane together"),
        ([*CLIP, "--prompts", "a photo"], "prompts hold 'a photo': allowed are texts with {}"),
        ([*FILES, "--seed=-1"], "--seed is -1: allowed is 0 or more"),
        ([*FILES, "--out=x.npz"], "--out is x.npz, a file: allowed is a folder"),
        ([*CLIP, "--out=images/out"], "--out is images/out, in the folder of images"),
        ([FILES[0], "--text-embeddings=no.npz"], "no.npz does not exist: allowed is an npz file"),
        (["--run=images", "--lane=0"], "images is not a run directory"),
    ],
)
def test_bad_flags_end_in_a_line_and_write_nothing(folder, flags, message):
    before = all_names(folder)
    with pytest.raises(SystemExit) as exit_info:
        main(flags)
    assert str(exit_info.value).startswith(f"error: {message}")
    assert "\n" not in str(exit_info.value)
    assert all_names(folder) == before


def test_groups_of_any_name_have_a_figure(folder):
    with np.load("x.npz") as images, np.load("t.npz") as texts:
        arrays = {"x.npz": dict(images), "t.npz": dict(texts)}
    for name, rows in arrays.items():
        groups = np.where(rows["groups"] == "colour", "a/b $形", "../é.")
        np.savez(name, **rows | {"groups": groups})
    main(FILES)
    figures = {name for name in all_names(folder / "zero_shot") if name.endswith(".png")}
    assert figures == {"confusion_a%2Fb %24形.png", "confusion_..%2Fé..png"}
    assert "a/b $" in (folder / "zero_shot" / "confusion_a%2Fb %24形.caption.txt").read_text()


def test_embeddings_are_scored_without_jax_and_torch(folder):
    program = (
        "import runpy, sys; sys.argv[1:] = ['--image-embeddings=x.npz', '--text-embeddings=t.npz'];"
        "runpy.run_module('experiments.zero_shot', run_name='__main__');"
        "assert not {'jax', 'torch', 'open_clip'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
