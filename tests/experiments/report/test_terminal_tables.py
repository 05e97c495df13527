"""Tables of commands fit 80 columns, whatever names and numbers they have."""

import io
import re
import shutil
import sys

import pandas as pd
import pytest
from rich.cells import cell_len
from rich.console import Console

from experiments import compare, inspect
from experiments.report import __main__ as report
from experiments.report import write_report
from experiments.report.tables import summary
from experiments.report.terminal_tables import (
    WIDTH,
    Column,
    frame_columns,
    print_table,
    table_text,
)

NAMES = [f"semantics_with_a_long_name_{index}" for index in range(6)]


def printed(columns, width=WIDTH):
    console = Console(file=io.StringIO(), width=width)
    print_table(console, columns)
    return console.file.getvalue()


def widest(text):
    return max(map(cell_len, text.splitlines()))


def test_a_wide_table_is_split_and_no_number_is_broken():
    table = pd.DataFrame({"label": NAMES} | {name: 123456.789 for name in NAMES})
    text = printed(frame_columns(table))
    assert widest(text) <= WIDTH
    assert re.findall(r"\d+\.\d+", text) == ["123456.789"] * 36
    assert text.count("label") > 1
    assert all(name in text for name in NAMES)


def test_a_narrow_table_is_one_table_as_it_is():
    table = pd.DataFrame({"run": ["[b]a", ":dog:"], "kept": [0.5, float("nan")], "seed": [0, 1]})
    lines = [line.split() for line in printed(frame_columns(table)).splitlines()]
    assert lines == [["run", "kept", "seed"], ["[b]a", "0.500", "0"], [":dog:", "NaN", "1"]]


def test_names_of_columns_of_numbers_are_wrapped_before_a_table_is_split():
    names = [f"least kept number {index}" for index in range(5)]
    table = pd.DataFrame([[0.5] * 5], columns=names, index=pd.Index(["mlp"], name="probe"))
    lines = table_text(frame_columns(table.reset_index())).splitlines()
    assert [line.split() for line in lines] == [
        ["least"] * 5, ["kept"] * 5, ["number"] * 5, ["probe", *"01234"], ["mlp"] + ["0.500"] * 5
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["many words " * 30, "path/" * 60, "\u5f62" * 60])
def test_long_text_is_wrapped_beside_its_numbers(text):
    shown = printed([Column("label", [text], True), Column("kept", ["0.123"], False)])
    assert widest(shown) <= WIDTH
    assert shown.count("0.123") == 1
    assert re.sub(r"\s|label|kept|0\.123", "", shown) == text.replace(" ", "")


def test_the_summary_of_long_names_fits_80_columns():
    cells = pd.DataFrame(
        {
            "setting": f"select {{{', '.join(NAMES)}}}", "selected": " ".join(NAMES),
            "perturbable": NAMES[0], "dependence": "independent", "noise_law": "gaussian",
            "law": "independent", "encoding_size": 1, "misalignment": "noise",
            "noise_probability": 0.75, "modality": modality, "probe": "mlp", "target": target,
            "metric": "r2", "environment": "same", "mean": 0.5, "attainable": 0.25,
        }
        for modality in ("x", "t") for target in [*NAMES, "\u5f62"]
    )  # fmt: skip
    text = summary(cells)
    assert widest(text) <= WIDTH
    assert len(re.findall(r" \.50\b", text)) == 2 * 7
    assert len(re.findall(r" \.25\b", text)) == 7
    assert all(name in text for name in NAMES)


@pytest.mark.parametrize(
    "arguments",
    [
        (compare, "DIRECTORY"),
        (inspect, "DIRECTORY"),
        (inspect, "DIRECTORY", "--lane=0"),
        (report, "DIRECTORY"),
    ],
)
def test_tables_of_commands_fit_a_file_of_80_columns(
    finished, tmp_path, arguments, monkeypatch, capsys
):
    directory = shutil.copytree(finished[0], tmp_path / "run")  # a report adds files
    command, *arguments = [str(directory) if part == "DIRECTORY" else part for part in arguments]
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", ["misalign", *arguments])
    monkeypatch.setattr(write_report, "_draw", lambda *args, **options: {})  # drawn by other tests
    command.main()
    text = capsys.readouterr().out
    others = ("figure: ", "cells: ", "page: ", "directory: ", "lane ")
    lines = [line for line in text.splitlines() if not line.startswith(others)]
    assert len(lines) > 3
    assert widest("\n".join(lines)) <= WIDTH
    assert "…" not in text
