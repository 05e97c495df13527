import json
from pathlib import Path

import pytest

from experiments.rundir import claim, read_config
from tests.small import small_config


def test_a_new_directory_gets_the_config_and_versions(tmp_path):
    claim(tmp_path / "new" / "run", small_config())
    content = json.loads((tmp_path / "new" / "run" / "config.json").read_text())
    assert content["config"]["recipe"]["steps"] == 6
    assert {"jax", "flax", "optax"} <= content["versions"].keys()


def test_the_same_config_may_come_back_and_so_may_a_harmless_change(tmp_path):
    claim(tmp_path, small_config())
    before = (tmp_path / "config.json").read_bytes()
    claim(tmp_path, small_config())
    claim(tmp_path, small_config(save_every=3))
    assert (tmp_path / "config.json").read_bytes() == before


def test_another_config_is_refused_with_what_differs(tmp_path):
    claim(tmp_path, small_config())
    before = (tmp_path / "config.json").read_bytes()
    other = small_config(seeds=2, **{"recipe.learning_rate": 0.1})
    other.settings[0].selected = "s3"
    with pytest.raises(ValueError, match="another config") as error:
        claim(tmp_path, other)
    message = str(error.value)
    assert "recipe.learning_rate: 0.03 there, 0.1 here" in message
    assert "seeds: 1 there, 2 here" in message
    assert "settings[0].selected: 's1' there, 's3' here" in message
    assert (tmp_path / "config.json").read_bytes() == before


def test_a_directory_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ValueError, match="not a run directory: it holds no config.json"):
        claim(tmp_path, small_config())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("below", ["", "run"])
def test_a_file_where_a_directory_should_be(tmp_path, below):
    path = tmp_path / "file"
    path.write_text("precious")
    with pytest.raises(ValueError, match="a file is where a directory should be"):
        claim(path / below, small_config())
    assert path.read_text() == "precious"


def test_a_directory_that_cannot_be_made():
    with pytest.raises(ValueError, match="workdir /proc/misalign cannot be made"):
        claim(Path("/proc/misalign"), small_config())


def test_a_directory_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.rundir.os.access", lambda *args: False)
    with pytest.raises(ValueError, match="cannot be written: choose another"):
        claim(tmp_path, small_config())
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_a_broken_config_file_is_named(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ValueError, match="config.json cannot be read"):
        read_config(tmp_path)
