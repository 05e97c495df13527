"""Block progress: step, loss, pace and diverged lanes of a block, shown and written to a file."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.rundir.progress_file import write_progress
from experiments.runtime.progress import Show

RECENT = 5  # points of the history over which the pace is a mean


class BlockProgress(NamedTuple):
    """Functions to call while a block trains, and while it is scored.

    training: (step, losses float [lanes] of the last steps, or [0] before any).
    scoring:  (number of lanes that are scored).
    """

    training: Callable[[int, np.ndarray], None]
    scoring: Callable[[int], None]


def block_progress(
    lanes: range, lane_steps: Sequence[int], directory: Path | None, show: Show
) -> BlockProgress:
    """Returns functions that show the fraction of a run that is done, and write `progress.json`.

    lanes:      of the block, by number.
    lane_steps: steps of all lanes of the run.
    directory:  of the run; None for a process that does not write.
    """
    steps, total, before = lane_steps[lanes[0]], sum(lane_steps), sum(lane_steps[: lanes[0]])
    part = f"lanes {lanes[0]}-{lanes[-1]} of {len(lane_steps)}" * (len(lanes) < len(lane_steps))
    pace = make_pace()

    def training(step, losses):
        done = before + step * len(lanes)
        rate, loss = pace(done), mean_loss(losses)
        diverged = int((~np.isfinite(losses)).sum())
        notes = [
            f"step {step:,}, loss {loss:.4g}" if len(losses) else "",
            f"{rate:,.0f} lane-steps/s" if rate else "",
            f"{diverged} diverged" if diverged else "",
        ]
        show("training", done / total, ", ".join(filter(None, [*notes, part])))
        write(
            "training",
            step,
            loss=loss if np.isfinite(loss) else None,
            lane_steps_per_second=rate,
            seconds_left=(total - done) / rate if rate else None,
        )

    def scoring(scored):
        fraction = (before + steps * scored) / total
        show("scoring", fraction, part)
        write("scoring", steps, scored=scored)

    def write(activity, step, **values):
        if directory is None:
            return
        block = {"lanes": [lanes[0], lanes[-1]], "step": step, "steps": steps}
        write_progress(directory, {"activity": activity} | block | values)

    return BlockProgress(training, scoring)


def make_pace() -> Callable[[float], float | None]:
    """Returns pace(done): units per second over the last RECENT calls, None at the first one."""
    calls: deque[tuple[float, float]] = deque(maxlen=RECENT + 1)

    def pace(done):
        calls.append((time.monotonic(), done))
        (begin, first), (end, last) = calls[0], calls[-1]
        return (last - first) / (end - begin) if last > first and end > begin else None

    return pace


def mean_loss(losses: np.ndarray) -> float:
    """Returns the mean loss of the lanes that did not diverge; NaN if there is none."""
    return float(np.nanmean(losses)) if np.isfinite(losses).any() else float("nan")
