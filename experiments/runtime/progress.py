"""Progress: a bar with step, loss and time left; plain lines without a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LINES = 10  # printed over a run without a terminal, about

Show = Callable[[str, float, str], None]  # (activity, fraction that is done, note)


@contextmanager
def progress(console: Console) -> Iterator[Show]:
    """Yields show(activity, fraction, note), to be called during the work."""
    if not console.is_terminal:
        yield _line_printer(console)
        return
    with Progress(
        TextColumn("{task.description}"),
        TaskProgressColumn(),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    ) as bars:
        tasks = {}

        def show(activity, fraction, note):
            if activity not in tasks:
                tasks[activity] = bars.add_task(activity, total=1, completed=fraction, note=note)
            bars.update(tasks[activity], completed=fraction, note=note)

        yield show


def _line_printer(console: Console) -> Show:
    last: dict[str, float] = {}

    def show(activity, fraction, note):
        if int(fraction * LINES) > int(last.get(activity, fraction) * LINES):
            console.print(f"{activity} {fraction:.0%} {note}".rstrip())
        last[activity] = fraction

    return show
