import pandas as pd
import pytest
from PIL import Image

from experiments.studies.stamps.__main__ import main
from tests.lvm.datasets.test_stamps import BLUE, RED, write_stamp

CAPTIONS = {
    RED: ["A red hen.", "de.utf8=Eine rote Henne.", "xx.utf8=Hen."],
    BLUE: ["A red whale.", "de.utf8=Ein Wal."],
}
TABLES = ("audit", "audit_concepts", "languages", "mentions", "neighbours")


def write_folder(folder, count=8):
    for number in range(count):
        colour, category = ((RED, "birds"), (BLUE, "fish"))[number % 2]
        write_stamp(folder, f"{category}/{number}", CAPTIONS[colour], colour)


def test_the_study_writes_its_tables_and_figure_without_pictures(tmp_path, capsys):
    write_folder(tmp_path / "stamps")
    write_stamp(tmp_path / "stamps", "silent").with_suffix(".txt").unlink()
    out = tmp_path / "new" / "out"
    main([str(tmp_path / "stamps"), f"--out={out}"])
    assert {path.name for path in out.iterdir()} == {
        *(f"{name}.csv" for name in TABLES),
        *(f"stamps{suffix}" for suffix in (".png", ".pdf", ".svg", ".caption.txt")),
    }  # fmt: skip
    tables = {name: pd.read_csv(out / f"{name}.csv") for name in TABLES}
    colour = tables["audit"].set_index("group").loc["colour"]
    assert (colour.captions, colour.compared, colour.wrong) == (8, 8, 4)
    assert (colour.selection_rate, colour.perturbation_rate) == (1, 0.5)
    assert tables["languages"].language.tolist() == ["en", "de", "xx"]
    all_colours = tables["mentions"].query("group == 'colour' and concept == 'all'")
    assert all_colours[["english", "kept", "omitted"]].values.tolist() == [[8, 4, 4]]
    by_category = tables["neighbours"].query("relation == 'category'").set_index(["distance", "k"])
    assert by_category.recall["pixels", 1] == by_category.recall["colours", 1] == 1
    with Image.open(out / "stamps.png") as figure:
        assert figure.width == 5.5 * 300
    printed = capsys.readouterr().out
    assert "8 pictures, captions in 3 languages." in printed
    assert "1 not read:" in printed and "silent.png has no file of captions" in printed


def refusal(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    assert "\n" not in str(stopped.value.code)
    return str(stopped.value.code)


def test_bad_input_is_one_line_and_nothing_is_written(tmp_path, capsys):
    out = tmp_path / "out"
    missing = refusal(capsys, tmp_path / "missing", f"--out={out}")
    assert missing.endswith("missing is no folder: allowed is a folder of stamps")
    write_folder(tmp_path / "few", count=4)
    assert "4 stamps: allowed is 6 or more" in refusal(capsys, tmp_path / "few", f"--out={out}")
    (tmp_path / "empty").mkdir()
    assert "has no stamp: allowed is" in refusal(capsys, tmp_path / "empty", f"--out={out}")
    assert not out.exists()
    out.write_text("a file")
    assert f"--out is {out}: allowed is a folder" in refusal(
        capsys, tmp_path / "few", f"--out={out}"
    )
    assert out.read_text() == "a file"
