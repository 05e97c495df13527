"""Marked tests: runs the tests that are marked `accelerator`, each recorded when it ends."""

import os
import re
import subprocess
import sys
from pathlib import Path

from experiments.benchmark.accelerator.part_task import PartTask

ROOT = Path(__file__).parents[3]
MARK = "mark.accelerator"
# all optimisations, and no plugins that only this machine has
ENVIRONMENT = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "0", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
OUTCOME = re.compile(r"^(\S*::.+?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b")
REASON = re.compile(r"^(?:FAILED|ERROR) (\S*::.+?) - (.*)$")


def run_marked_tests(task: PartTask) -> None:
    """Records the outcome of every test that is marked `accelerator`.

    They are compiled with all optimisations, other than in the default run of the tests. Raises
    RuntimeError if a test fails or none is found.
    """
    files = marked_files(ROOT / "tests")
    command = [sys.executable, "-m", "pytest", "-c", "setup.cfg", "-o", "addopts=", "-v"]
    command += ["-p", "no:cacheprovider", "--strict-markers", "-m", "accelerator"]
    command += ["-o", "filterwarnings=default"]  # of JAX on a device; numbers are tested here
    last = ""
    with subprocess.Popen(
        [*command, *map(str, files)],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout:
            last = line.strip() or last
            if found := OUTCOME.match(line):
                task.record(found[1], note=found[2].lower())
            elif found := REASON.match(line):
                task.record(found[1], note=f"failed: {found[2]}")
    if process.returncode:
        raise RuntimeError(f"tests: {last}")


def marked_files(tests: Path) -> list[Path]:
    """Returns the test files that contain the marker, so that no other file is imported."""
    return sorted(path for path in tests.rglob("test_*.py") if MARK in path.read_text())
