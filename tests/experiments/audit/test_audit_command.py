"""The audit from its command line: tables, sentences, figure; bad input leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from matplotlib import image

from experiments.audit.__main__ import main
from tests.repository import ROOT

CONCEPTS = """group,value,words
colour,red,red | crimson
colour,blue,blue
size,big,big
shape,round,round
mood,[glad],glad
"""
CAPTIONS = "a red car\na blue car\n\na big crimson ball\nblue, round\nred\nred\n"
LABELS = "colour,size\nred,\nred,big\n,\nred,big\nblue,\nblue,\nred,\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("k.csv", CONCEPTS), ("c.txt", CAPTIONS), ("l.csv", LABELS)):
        (tmp_path / name).write_text(text)
    return tmp_path


GIVEN = ["--captions", "c.txt", "--concepts", "k.csv"]
ASKED = ["--out", "a.csv", "--figure", "a.png"]


def test_selection_without_labels(folder, capsys):
    main([*GIVEN, *ASKED])
    said = capsys.readouterr().out
    table = pd.read_csv("a.csv").set_index("group")
    assert list(table.index) == ["colour", "size", "shape", "mood"]
    assert table.selection_rate.tolist() == pytest.approx([1, 1 / 6, 1 / 6, 0])
    assert table.expected.tolist() == ["kept", "in between", "in between", "lost"]
    assert table.perturbation_rate.isna().all()
    assert (table.captions == 6).all()
    assert "6 captions. Empty ones, left out: 1." in said
    assert "No label says whether what captions tell is true" in said
    assert "wrong" not in said.split("\n\n")[0]
    assert "colour: every caption tells it, so it is expected to be kept." in said
    assert "size: 16.7 % of captions tell it. To keep it, tell it in all captions (5 more)." in said
    assert "leave it out of all captions (6 tell it, most often red, blue)." in said
    assert "mood: no caption tells it, so it is expected to be lost." in said
    assert {path.name for path in folder.iterdir()} == {
        "k.csv", "c.txt", "l.csv", "a.csv", "a.png", "a.pdf"
    }  # fmt: skip


def test_perturbation_with_labels(folder, capsys):
    main([*GIVEN, *ASKED, "--labels", "l.csv"])
    said = capsys.readouterr().out
    table = pd.read_csv("a.csv").set_index("group")
    colour = table.loc["colour"]
    assert (colour.labelled, colour.compared, colour.wrong, colour.mixed) == (6, 6, 2, 0)
    assert colour.perturbation_rate == pytest.approx(1 / 3)
    assert colour.perturbation_low < 1 / 3 < colour.perturbation_high
    assert colour.chance_rate == pytest.approx(1 - (4 * 4 + 2 * 2) / 36)
    assert table.loc["size"].perturbation_rate == 0
    assert table.perturbation_rate.isna().tolist() == [False, False, True, True]
    assert "told wrong" in said
    assert "33.3 % of those compared tell it wrong. To keep it, correct what is told wrong" in said
    assert "No label says" not in said


def test_the_figure_grows_a_panel_with_labels(folder):
    main([*GIVEN, "--figure", "alone.png"])
    main([*GIVEN, "--figure", "both.png", "--labels", "l.csv"])
    alone, both = (image.imread(name) for name in ("alone.png", "both.png"))
    assert both.shape[1] > alone.shape[1]
    assert alone.shape[0] == both.shape[0]
    assert Path("both.pdf").read_bytes().startswith(b"%PDF")


def test_columns_of_labels_that_are_no_group_are_told(folder, capsys):
    (folder / "l.csv").write_text(LABELS.replace("size", "id"))
    main([*GIVEN, "--labels", "l.csv"])
    assert "Columns of labels that are no concept group, left out: 'id'." in capsys.readouterr().out


BAD = "group,value,words\ncolour,orange,orange\nfruit,orange,orange\n"


@pytest.mark.parametrize(
    ("file", "content", "options", "message"),
    [
        ("k.csv", BAD, [], "'orange' is a word of colour (orange) and of fruit (orange)"),
        ("k.csv", "group,value,words\n", [], "k.csv: no concepts"),
        ("c.txt", "\n \n", [], "there is no caption to audit"),
        ("c.txt", "caf\udce9", [], "c.txt, line 1 is not UTF-8: byte 0xe9 at place 4"),
        ("c.txt", "a\0b", [], "c.txt, line 1 holds a zero byte"),
        (
            "c.csv",
            "text\na dog\n",
            ["--captions", "c.csv"],
            "c.csv has no column 'caption': its fi",
        ),
        (
            "l.csv",
            "colour\nred\n",
            ["--labels", "l.csv"],
            "there are 7 rows of captions and 1 of lab",
        ),
        ("l.csv", LABELS + "red,\n", ["--labels", "l.csv"], "7 rows of captions and 8 of labels"),
        ("l.csv", "colour\npurpel\n", ["--labels", "l.csv"], "l.csv, line 2: colour is 'purpel'"),
        ("x", "", ["--captions", "nope.txt"], "No such file or directory: 'nope.txt'"),
        ("x", "", ["--out", "a.txt"], "a.txt does not end in .csv: choose another name"),
        ("x", "", ["--out", "there/a.csv"], "there/a.csv: there is no folder there"),
        ("x", "", ["--out", "./k.csv"], "k.csv would overwrite what is read: choose another name"),
    ],
)
def test_bad_input_ends_in_a_message_and_nothing_is_written(
    folder, capsys, file, content, options, message
):
    (folder / file).write_bytes(content.encode(errors="surrogateescape"))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SystemExit) as ended:
        main([*GIVEN, *ASKED, *options])
    assert str(ended.value).startswith("error: ")
    assert message in str(ended.value)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert "group" not in capsys.readouterr().out


def test_stopping_writes_nothing(folder, monkeypatch):
    def stop(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr("experiments.audit.__main__.count_all", stop)
    with pytest.raises(SystemExit, match="stopped: nothing was written"):
        main([*GIVEN, *ASKED])
    assert not (folder / "a.csv").exists()


def test_the_command_needs_no_jax_and_brings_its_own_concepts(folder):
    (folder / "captions.txt").write_text("two wooden chairs by night\n")
    program = (
        "import runpy, sys; sys.argv[1:] = ['--captions', 'captions.txt'];"
        "runpy.run_module('experiments.audit', run_name='__main__');"
        "assert 'jax' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    for group in ("number", "material", "time"):
        assert f"{group}: every caption tells it" in done.stdout
