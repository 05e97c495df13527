"""Run state: whether the process of a run directory is running, by its lock and its last news."""

import os
import re
import socket
import time
from pathlib import Path
from typing import NamedTuple

from experiments.rundir.lock import HOLDER
from experiments.rundir.progress_file import NAME as PROGRESS
from experiments.runtime.progress import counted, duration

CALM_SECONDS = 60  # of which a page does not speak
QUIET_SECONDS = 600  # without news of a process on another machine


class RunState(NamedTuple):
    """A state, "running", "quiet", "stopped" or "finished", and a sentence on it."""

    name: str
    sentence: str


def run_state(directory: Path, *, scored: int, lanes: int) -> RunState:
    """Returns the state of a run with these numbers of scored lanes and of all lanes.

    A process on this machine is looked up by its number. One on another machine is "quiet" if it
    has written nothing for QUIET_SECONDS. No lock is taken.
    """
    lanes_scored = f"{scored} of {counted(lanes, 'lane')} scored"
    if scored == lanes:
        return RunState("finished", f"finished: {lanes_scored}")
    holder = _holder(directory)
    if holder is None:
        return RunState("stopped", f"stopped: {lanes_scored}; the same command resumes the run")
    process, host = holder
    seconds = news_age(directory)
    where, news = f"process {process} on {host}", duration(seconds)
    is_here = host == socket.gethostname()
    if is_here and not is_alive(process):
        sentence = f"stopped: {where} has ended, last news {news} ago; {lanes_scored}"
        return RunState("stopped", f"{sentence}; the same command resumes the run")
    if not is_here and seconds > QUIET_SECONDS:
        sentence = f"no news for {news} from {where}, which may have stopped: {lanes_scored}"
        return RunState("quiet", sentence)
    news = f", last news {news} ago" if seconds > CALM_SECONDS else ""
    return RunState("running", f"running as {where}: {lanes_scored}{news}")


def news_age(directory: Path) -> float:
    """Returns the seconds since the process of a run last wrote a file, by the file's time."""
    paths = [directory / name for name in (PROGRESS, "history.csv", "config.json")]
    newest = max((path.stat().st_mtime for path in paths if path.exists()), default=0.0)
    return max(0.0, time.time() - newest)


def is_alive(process: int) -> bool:
    """Returns whether a process of this machine exists."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        return True
    return True


def _holder(directory: Path) -> tuple[int, str] | None:
    """Process and machine in the lock of a run directory; None if no process wrote it last."""
    path = directory / "lock"
    found = re.match(HOLDER, path.read_text(errors="replace")) if path.exists() else None
    return (int(found[1]), found[2]) if found else None
