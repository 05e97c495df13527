"""Progress: a bar with step, loss and time left; plain lines without a terminal."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

LINES = 10  # printed over a run without a terminal, and more
SECONDS = 60  # if this time passes between two of them
BAR_WIDTH = 12
PACE_SECONDS = 3600  # over which the time left is estimated

Show = Callable[[str, float, str], None]  # (activity, fraction that is done, note)


@contextmanager
def progress(console: Console) -> Iterator[Show]:
    """Yields show(activity, fraction, note), to be called during the work."""
    if not console.is_terminal:
        yield _line_printer(console)
        return
    with Progress(
        TextColumn("{task.description}", markup=False),
        TaskProgressColumn(),
        BarColumn(BAR_WIDTH),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
        TextColumn("left"),
        TextColumn("{task.fields[note]}", markup=False, table_column=Column(ratio=1)),
        console=console,
        speed_estimate_period=PACE_SECONDS,
    ) as bars:
        tasks = {}

        def show(activity, fraction, note):
            if activity not in tasks:
                tasks[activity] = bars.add_task(activity, total=1, completed=fraction, note=note)
            bars.update(tasks[activity], completed=fraction, note=note)

        yield show


def duration(seconds: float) -> str:
    """Returns a time in words: "45 s", "12 min", "3.4 h", "2.5 days"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def counted(count: int, name: str) -> str:
    """Returns a number of things in words: "1 lane", "42 lanes"."""
    return f"{count:,} {name}{'s' * (count != 1)}"


def _line_printer(console: Console) -> Show:
    """Returns a function that prints LINES lines over an activity, and one after SECONDS.

    The first line follows the first part of the work.
    """
    begun: dict[str, tuple[float, float]] = {}
    printed: dict[str, tuple[float, float]] = {}

    def show(activity, fraction, note):
        now = time.monotonic()
        start, first = begun.setdefault(activity, (now, fraction))
        last, before = printed.get(activity, (-math.inf, first))
        is_due = int(fraction * LINES) > int(before * LINES) or now - last > SECONDS
        if fraction == first or not is_due:
            return
        printed[activity] = now, fraction
        seconds = (now - start) * (1 - fraction) / (fraction - first)
        left = f"{duration(seconds)} left" if fraction < 1 else ""
        text = f"{activity} {fraction:.0%} {', '.join(filter(None, [note, left]))}"
        console.print(text.rstrip(), highlight=False, markup=False, soft_wrap=True)

    return show
