"""Random names of directories and random interrupts: a run resumes bit for bit.

Examples are the same every time. `python -m pytest -m slow tests/experiments/test_fuzz.py` tries
many more.
"""

import hashlib
import shutil
import tempfile
import unicodedata
from contextlib import ExitStack, nullcontext
from functools import partial
from pathlib import Path
from unittest.mock import patch
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from experiments import run as run_module
from experiments.rundir import history
from experiments.rundir.checkpoint_files import list_checkpoints
from experiments.runtime.signals import Stopped
from experiments.sweep import run_block
from tests.runs import run
from tests.small import small_config
from tests.soak import assert_same

PROFILE = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
SPECIAL = " .-_~%[]{}()*?!'\"`$&;:#@+=,^\\éß形🐄\u0301"  # \u0301 is a combining accent
EVENTS = 7  # of an uninterrupted run: 3 rows of history, 2 checkpoints, its scores, its end


def is_name(name):
    return name not in (".", "..") and len(name.encode()) < 200


NAMES = st.text(st.sampled_from(SPECIAL + "ab1"), min_size=1, max_size=12).filter(is_name)
INTERRUPTS = st.lists(
    st.tuples(st.sampled_from(["before", "after", "stop"]), st.integers(0, EVENTS - 1)), max_size=3
)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    directory = tmp_path_factory.mktemp("fuzz") / "reference"
    run(directory, small_config())
    return directory


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A finished run of another learning rate, with other states and scores."""
    directory = tmp_path_factory.mktemp("fuzz") / "other"
    run(directory, small_config(**{"recipe.learning_rate": 0.1}))
    return directory


class Interrupts:
    """Interrupts a run at its nth event: before it, after it, or by a request to stop."""

    def __init__(self, kind, index):
        self.kind, self.index, self.count = kind, index, 0

    def event(self, function, *args, **options):
        is_now = self.count == self.index
        self.count += 1
        if is_now and self.kind == "before":
            raise KeyboardInterrupt
        result = function(*args, **options)
        if is_now and self.kind == "after":
            raise KeyboardInterrupt
        return result

    def stopping(self):
        return self.kind == "stop" and self.count > self.index

    def __enter__(self):
        stops, wrapped = ExitStack(), partial(partial, self.event)
        for module, name in ((history, "append"), (run_block, "add_results")):
            stops.enter_context(patch.object(module, name, wrapped(getattr(module, name))))
        saved = wrapped(run_block.saved_metadata)
        stops.enter_context(patch.object(run_block, "saved_metadata", saved))
        requests = lambda: nullcontext(self.stopping)
        stops.enter_context(patch.object(run_module, "stop_requests", requests))
        self.close = stops.close

    def __exit__(self, *error):
        self.close()


def neighbours(name):
    """Names that a careless reader of `name` could open instead."""
    plain = "".join(c for c in name if c not in "[]{}*?\\'\"")
    forms = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    found = {plain, name.strip(), name.lstrip("-."), unquote(name), *forms, name + "a"}
    return sorted(other for other in found - {name, ""} if is_name(other) and "/" not in other)


def digest(directory):
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def check_run(name, interrupts, reference, other):
    """Asserts that an interrupted run in a directory with this name equals the reference."""
    with tempfile.TemporaryDirectory() as folder:
        for index, neighbour in enumerate(neighbours(name)):
            if index < 2:
                shutil.copytree(other, Path(folder) / neighbour)
        before, directory = digest(Path(folder)), Path(folder) / name
        for kind, index in interrupts:
            try:
                with Interrupts(kind, index):
                    run(directory, small_config())
            except (KeyboardInterrupt, Stopped):
                pass
            list_checkpoints(directory)
        run(directory, small_config())
        assert_same(reference, directory)
        after = digest(Path(folder))
        assert {path: after[path] for path in before} == before
        assert all(path in before or directory in path.parents for path in after)


@pytest.fixture
def cache_home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


RUNS = given(name=NAMES, interrupts=INTERRUPTS)


@settings(max_examples=8, **PROFILE)
@example(name="a[ab1]*", interrupts=[("after", 1), ("before", 5)])
@example(name="--workdir=%41 {a,b}", interrupts=[("stop", 2)])
@RUNS
def test_an_interrupted_run_of_any_name_gives_the_same_bits(
    reference, other, cache_home, name, interrupts
):
    check_run(name, interrupts, reference, other)


@pytest.mark.slow
@settings(max_examples=300, **PROFILE)
@RUNS
def test_many_interrupted_runs_of_any_name_give_the_same_bits(
    reference, other, cache_home, name, interrupts
):
    check_run(name, interrupts, reference, other)
