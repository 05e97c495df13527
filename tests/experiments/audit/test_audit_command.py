"""The audit from its command line: tables, sentences and figure; bad input writes nothing."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from matplotlib import image

from experiments.audit.__main__ import main
from tests.figures import SUFFIXES, assert_for_print
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


INPUTS = ["--captions", "c.txt", "--concepts", "k.csv"]
OUTPUTS = ["--out", "a.csv", "--figure", "a.png"]


def test_selection_without_labels(folder, capsys):
    main([*INPUTS, *OUTPUTS])
    printed = capsys.readouterr().out
    table = pd.read_csv("a.csv").set_index("group")
    assert list(table.index) == ["colour", "size", "shape", "mood"]
    assert table.selection_rate.tolist() == pytest.approx([1, 1 / 6, 1 / 6, 0])
    assert table.expected.tolist() == ["kept", "in between", "in between", "lost"]
    assert table.perturbation_rate.isna().all()
    assert (table.captions == 6).all()
    assert "6 captions. Empty captions, left out: 1." in printed
    assert "There are no labels to compare with" in printed
    assert "wrong" not in printed.split("\n\n")[0]
    assert "colour: every caption mentions it, so it is expected to be kept." in printed
    to_keep = "To keep it, mention it in all captions (5 more)."
    assert f"size: 16.7 % of captions mention it. {to_keep}" in printed
    assert "omit it from all captions (6 mention it, most often red, blue)." in printed
    assert "mood: no caption mentions it, so it is expected to be lost." in printed
    assert {path.name for path in folder.iterdir()} == {
        "k.csv", "c.txt", "l.csv", "a.csv", "a_concepts.csv", *(f"a{suffix}" for suffix in SUFFIXES)
    }  # fmt: skip
    assert_for_print(folder / "a.png")


def test_perturbation_with_labels(folder, capsys):
    main([*INPUTS, *OUTPUTS, "--labels", "l.csv"])
    printed = capsys.readouterr().out
    table = pd.read_csv("a.csv").set_index("group")
    colour = table.loc["colour"]
    assert (colour.labelled, colour.compared, colour.wrong, colour.mixed) == (6, 6, 2, 0)
    assert colour.perturbation_rate == pytest.approx(1 / 3)
    assert colour.perturbation_low < 1 / 3 < colour.perturbation_high
    assert colour.chance_rate == pytest.approx(1 - (4 * 4 + 2 * 2) / 36)
    assert table.loc["size"].perturbation_rate == 0
    assert table.perturbation_rate.isna().tolist() == [False, False, True, True]
    assert "chance" in printed.split("\ncolour")[0]
    assert max(map(len, printed.split("\n\n")[0].splitlines())) <= 80
    assert (
        "33.3 % of those compared are wrong. To keep it, correct the wrong mentions (2 of 6"
        in printed
    )
    assert "There are no labels" not in printed


def test_the_figure_has_a_second_panel_with_labels(folder):
    main([*INPUTS, "--figure", "alone.png"])
    main([*INPUTS, "--figure", "both.png", "--labels", "l.csv"])
    alone, both = (image.imread(name) for name in ("alone.png", "both.png"))
    assert both.shape[1] > alone.shape[1]
    assert alone.shape[0] == both.shape[0]
    assert Path("both.pdf").read_bytes().startswith(b"%PDF")


def test_label_columns_that_match_no_group_are_printed(folder, capsys):
    (folder / "l.csv").write_text(LABELS.replace("size", "id"))
    main([*INPUTS, "--labels", "l.csv"])
    assert "Label columns that match no concept group, left out: 'id'." in capsys.readouterr().out


def test_mention_rates_of_concepts_and_their_statistics(folder, capsys):
    main([*INPUTS, *OUTPUTS])
    printed = capsys.readouterr().out
    concepts = pd.read_csv("a_concepts.csv")
    assert list(concepts.columns) == [
        "group", "concept", "captions", "mentioned",
        "selection_rate", "selection_low", "selection_high",
    ]  # fmt: skip
    assert list(concepts.concept) == ["red", "blue", "big", "round", "[glad]"]
    assert concepts.mentioned.tolist() == [4, 2, 1, 1, 0]
    assert concepts.selection_rate.tolist() == pytest.approx([4 / 6, 2 / 6, 1 / 6, 1 / 6, 0])
    assert (concepts.selection_low <= concepts.selection_rate).all()
    colour = pd.read_csv("a.csv").set_index("group").loc["colour"]
    assert (colour.concepts, colour.concepts_mentioned) == (2, 2)
    assert (colour.mean_rate, colour.median_rate) == pytest.approx((0.5, 0.5))
    assert (colour.lowest_concept, colour.highest_concept) == ("blue", "red")
    assert (colour.lowest_rate, colour.highest_rate) == pytest.approx((2 / 6, 4 / 6))
    assert "colour      2/2  50.0 %  50.0 %  blue 33.3 %   red 66.7 %" in printed
    assert "Concepts that no caption mentions: mood ([glad])." in printed
    assert "table of concepts: a_concepts.csv" in printed


def test_words_of_several_concepts_are_printed_and_count_for_each(folder, capsys):
    (folder / "k.csv").write_text(CONCEPTS + "mood,blue,blue\n")
    main([*INPUTS, *OUTPUTS])
    assert (
        "Words that count for several concepts: colour (blue) and mood (blue): blue."
        in capsys.readouterr().out
    )
    table = pd.read_csv("a.csv").set_index("group")
    assert table.mentioned.tolist() == [6, 1, 1, 2]


def test_plurals_are_matched_by_option(folder):
    (folder / "c.txt").write_text("two crimsons\nreds\n")
    main([*INPUTS, *OUTPUTS])
    assert pd.read_csv("a.csv").mentioned.tolist() == [0, 0, 0, 0]
    main([*INPUTS, *OUTPUTS, "--plurals"])
    assert pd.read_csv("a.csv").mentioned.tolist() == [2, 0, 0, 0]


def test_a_folder_of_captions_is_one_set_of_captions(folder, capsys):
    (folder / "captions").mkdir()
    for part, text in enumerate(CAPTIONS.splitlines()):
        (folder / "captions" / f"{part}.txt").write_text(text)
    main([*INPUTS, "--out", "a.csv"])
    main(["--captions", "captions", "--concepts", "k.csv", "--out", "b.csv"])
    assert "6 captions in 7 files." in capsys.readouterr().out  # an empty file has no caption
    assert (folder / "a.csv").read_bytes() == (folder / "b.csv").read_bytes()


def test_the_concepts_of_the_paper_have_a_name(folder):
    (folder / "c.txt").write_text("two kittens in a blizzard\n")
    main(["--captions", "c.txt", "--concepts", "paper", "--plurals", "--out", "a.csv"])
    concepts = pd.read_csv("a_concepts.csv")
    assert len(concepts) == 146
    assert list(concepts.concept[concepts.mentioned == 1]) == ["cat", "snow", "storm"]


SCORES = """group,concept,metric,value,low,high,images
colour,red,accuracy,0.9,0.8,1.0,10
colour,red,f1,0.8,0.7,0.9,10
colour,blue,f1,0.6,0.5,0.7,10
size,big,f1,0.5,,,1
Shape,Round,f1,0.4,0.3,0.5,10
mood,glad,f1,0.1,0.0,0.2,10
colour,,macro_f1,0.7,0.6,0.8,20
mood,,macro_f1,0.1,0.0,0.2,10
"""


def test_mention_rates_beside_scores(folder, capsys):
    (folder / "s.csv").write_text(SCORES)
    main([*INPUTS, *OUTPUTS, "--scores", "s.csv"])
    printed = capsys.readouterr().out
    joined = pd.read_csv("a_scores.csv")
    assert len(joined) == 8
    assert joined.selection_rate.tolist() == pytest.approx(
        [4 / 6, 4 / 6, 2 / 6, 1 / 6, 1 / 6, 0, 3 / 6, 0]
    )
    assert (
        "Over 5 concepts, mention rate and F1 have a rank correlation of 0.97 (95 % inter"
        in printed
    )
    assert "Over 2 groups, mention rate and macro-F1 have no rank correlation: there are" in printed
    assert "table of scores: a_scores.csv" in printed
    assert Path("a_scores.png").read_bytes().startswith(b"\x89PNG")
    assert Path("a_scores.pdf").read_bytes().startswith(b"%PDF")


def test_an_audit_is_repeatable(folder, capsys):
    (folder / "s.csv").write_text(SCORES)
    printed = []
    for _ in range(2):
        main([*INPUTS, *OUTPUTS, "--scores", "s.csv"])
        printed.append((capsys.readouterr().out, (folder / "a_scores.csv").read_bytes()))
    assert printed[0] == printed[1]


BAD_SCORES = SCORES.replace("size,big,f1,0.5", "size,tiny,f1,nan")


@pytest.mark.parametrize(
    ("file", "content", "options", "message"),
    [
        (
            "s.csv",
            BAD_SCORES,
            ["--scores", "s.csv"],
            "s.csv has scores of size (tiny): allowed is a group and concept of --concepts",
        ),
        ("a_scores.csv", SCORES, ["--scores", "a_scores.csv"], "a_scores.csv, which is an input"),
        ("a.parquet", "PAR1", ["--captions", "a.parquet"], "a.parquet cannot be read: "),
        ("c.txt.gz", "a dog", ["--captions", "c.txt.gz"], "c.txt.gz cannot be read: Not a gzip"),
        ("new/x.jpg", "", ["--captions", "new"], "new is a folder without files of captions"),
        ("x", "", ["--captions", "."], "the table of groups is a.csv, in the folder of captions"),
        ("k.csv", "group,value,words\n", [], "k.csv: no concepts"),
        ("c.txt", "\n \n", [], "there is no caption to audit"),
        ("c.txt", "caf\udce9", [], "c.txt cannot be read: line 1 is not UTF-8: "),
        ("c.txt", "a\0b", [], "c.txt cannot be read: line 1 contains NUL"),
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
        ("x", "", ["--out", "a.txt"], "--out is a.txt: allowed is a path that ends in .csv"),
        ("x", "", ["--out", "missing/a.csv"], "--out is missing/a.csv: there is no folder missing"),
        ("x", "", ["--out", "./k.csv"], "table of groups is k.csv, which is an input: choose"),
    ],
)
def test_bad_input_ends_in_a_message_and_writes_nothing(
    folder, capsys, file, content, options, message
):
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_bytes(content.encode(errors="surrogateescape"))
    contents = lambda: {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    before = contents()
    with pytest.raises(SystemExit) as exit_info:
        main([*INPUTS, *OUTPUTS, *options])
    assert str(exit_info.value).startswith("error: ")
    assert message in str(exit_info.value)
    assert contents() == before
    assert "group" not in capsys.readouterr().out


def test_stopping_writes_nothing(folder, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("experiments.audit.__main__.count_all", stop)
    with pytest.raises(SystemExit, match="130"):
        main([*INPUTS, *OUTPUTS])
    assert not (folder / "a.csv").exists()


def test_the_command_needs_no_jax_and_has_default_concepts(folder):
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
        assert f"{group}: every caption mentions it" in done.stdout
