import numpy as np
import pytest

from experiments.audit.concepts import make_concepts
from experiments.audit.scores.score_table import COLUMNS, read_scores

CONCEPTS = make_concepts(
    [
        ("POV", "close-up", ["close up", "macro"]),
        ("POV", "aerial", ["aerial"]),
        ("Emot.", "shy", ["shy"]),
    ]
)
HEADER = "group,concept,metric,value,low,high,images\n"


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        path = tmp_path / "s.csv"
        path.write_text(text)
        return read_scores(path, CONCEPTS)

    return read_text


def test_scores_have_the_names_of_the_concepts(read):
    scores = read(
        HEADER
        + "pov,Close_Up,f1,0.5,0.4,0.6,20\n\nPOV,aerial,accuracy,1,,,\nemot,,macro_f1,0.25,0,1,3\n"
    )
    assert tuple(scores.columns) == COLUMNS
    assert scores.group.tolist() == ["POV", "POV", "Emot."]
    assert scores.concept.tolist() == ["close-up", "aerial", ""]
    assert scores.value.tolist() == [0.5, 1, 0.25]
    assert scores.images.tolist() == pytest.approx([20, np.nan, 3], nan_ok=True)
    assert scores.low.tolist() == pytest.approx([0.4, np.nan, 0], nan_ok=True)


def test_intervals_and_other_columns_are_optional_and_other_metrics_are_left_out(read):
    scores = read(
        "metric,model,value,concept,group\nf1,B,0.5,macro,POV\nrecall,B,7,macro,POV\n"
        "f1,B,0.5,,POV\n"
    )
    assert scores[["concept", "metric"]].to_numpy().tolist() == [["close-up", "f1"]]
    assert scores[["low", "high", "images"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "s.csv has no columns: its first line is empty"),
        (HEADER, "s.csv has no scores: allowed is one row or more below its first row"),
        (
            "group,concept,value\n",
            "s.csv has no column 'metric': it has 'group', 'concept', 'value'",
        ),
        (
            HEADER + "POV,,macro_f1,0.5,,,\n",
            "s.csv has no score of a concept: allowed is a row with a concept and one of the metr",
        ),
        (
            HEADER + "POV,wide,f1,0.5,,,\nAge,,accuracy,1,,,\nEmot.,aerial,f1,1,,,\n",
            r"s.csv has scores of POV \(wide\), Age, Emot. \(aerial\): allowed is a group and",
        ),
        (
            HEADER + "".join(f"POV,no {number},f1,0.5,,,\n" * 2 for number in range(8)),
            r"s.csv has scores of POV \(no 0\), .*POV \(no 4\) and 3 more: allowed",
        ),
        (
            HEADER + "POV,aerial,f1,NaN,,,\n",
            "s.csv, line 2: value is 'NaN': allowed is a number fr",
        ),
        (HEADER + "POV,aerial,f1,,,,\n", "s.csv, line 2: value is '': allowed is a number from 0"),
        (
            HEADER + "POV,aerial,f1,55,,,\n",
            "line 2: value is '55': allowed is a number from 0 to 1",
        ),
        (HEADER + "POV,aerial,f1,1,x,,\n", "line 2: low is 'x': allowed is a number from 0 to 1"),
        (HEADER + "POV,aerial,f1,1,,,-1\n", "line 2: images is '-1': allowed is a number"),
        (HEADER + "POV,aerial,f1\n", "s.csv, line 2 has 3 columns: allowed is 4 or more"),
        (
            HEADER + "POV,macro,f1,1,,,\nPOV,aerial,f1,1,,,\nPOV,close-up,f1,0.5,,,\n",
            r"s.csv, lines 2 and 4 are both f1 of POV \(close-up\): allowed is one row",
        ),
    ],
)
def test_bad_scores_are_refused(read, text, message):
    with pytest.raises(ValueError, match=message):
        read(text)
