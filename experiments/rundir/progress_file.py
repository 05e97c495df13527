"""Progress file: `progress.json`, the activity of the process that runs a sweep.

It is for `misalign watch`, from any process or machine, and exists while the process runs.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from experiments.rundir.checkpoint_files import check_inside
from lvm.files.atomic import write_atomically

NAME = "progress.json"


def write_progress(directory: Path, progress: dict[str, Any]) -> None:
    """Writes the progress of a run; a full disk costs the file, not the run.

    progress: JSON values: `activity`, "compiling", "training" or "scoring"; and, if known, `lanes`
              (the first and the last of the block), `step` and `steps` of the block, mean
              `loss`, `lane_steps_per_second`, `seconds_left` and the number of lanes `scored`.
    """
    with contextlib.suppress(OSError):
        write_atomically(directory / NAME, json.dumps(progress) + "\n")


@contextlib.contextmanager
def temporary_progress(directory: Path) -> Iterator[None]:
    """Removes the progress of a run at the end, unless the process is killed."""
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (directory / NAME).unlink(missing_ok=True)


def read_progress(directory: Path) -> dict[str, Any]:
    """Returns the last progress of a run; {} if there is none, as in runs of older versions."""
    path = directory / NAME
    try:
        check_inside(directory, path)
        progress = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return progress if isinstance(progress, dict) else {}
