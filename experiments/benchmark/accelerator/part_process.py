"""Part process: a part in its own process, which is stopped at its time limit."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

STOPPING = 5.0  # seconds that a part has to stop after its time limit
LEAST = 10.0  # seconds that a part needs to begin
LINES = 15  # of the output of a part that failed


class PartOutcome(NamedTuple):
    """How a part ended.

    status: "done", "failed", "time limit" or "no time left".
    output: last lines of the output of a part that failed.
    """

    name: str
    status: str
    seconds: float
    limit: float
    output: str = ""


def run_parts(
    names: Iterable[str], limits: Mapping[str, float], seconds: float, command: Sequence[str]
) -> Iterator[PartOutcome]:
    """Runs parts one after another, each in its own process, and yields how they ended.

    A part that fails, or that reaches its time limit, does not affect the next one.

    limits:  seconds of a part by name; without one it may take all that is left.
    seconds: of all parts together.
    command: to which --part and --until are added.
    """
    end = time.time() + seconds
    for name in names:
        limit = min(limits.get(name, seconds), end - time.time() - STOPPING)
        if limit < LEAST:
            yield PartOutcome(name, "no time left", 0.0, max(0.0, limit))
        else:
            until = f"--until={time.time() + limit:.1f}"
            yield run_part(name, limit, [*command, f"--part={name}", until])


def run_part(name: str, limit: float, command: Sequence[str]) -> PartOutcome:
    """Runs a command in a process group, which is stopped after `limit` seconds."""
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    status, output = "", ""
    try:
        output, _ = process.communicate(timeout=limit)
        status = "failed" if process.returncode else "done"
    except subprocess.TimeoutExpired:
        status = "time limit"
    finally:
        output = _stop_group(process) or output
    shown = "\n".join(output.strip().splitlines()[-LINES:]) if status != "done" else ""
    return PartOutcome(name, status, time.monotonic() - start, limit, shown)


def _stop_group(process: subprocess.Popen) -> str:
    """Stops a process and those that it has started; returns what it has printed, if it ran."""
    if process.poll() is not None:
        return ""
    os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOPPING)
    with suppress(ProcessLookupError):  # also those that outlive the process
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[0]


def part_command(out: Path, *, smoke: bool) -> list[str]:
    """Returns the command of one part, without its name and its time limit."""
    command = [sys.executable, "-m", "experiments.benchmark.accelerator", f"--out={out}"]
    return [*command, "--smoke"] if smoke else command
