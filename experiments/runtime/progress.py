"""Progress: a bar with step, loss and time left; plain lines where no terminal is."""

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

LINES = 10  # about so many are printed over a run where no terminal shows a bar

Show = Callable[[str, float, str], None]  # (what is done, share of it that is, note)


@contextmanager
def progress(console: Console) -> Iterator[Show]:
    """Yields show(what, share, note), to be called as work goes on."""
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

        def show(what, share, note):
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=1, completed=share, note=note)
            bars.update(tasks[what], completed=share, note=note)

        yield show


def _line_printer(console: Console) -> Show:
    last: dict[str, float] = {}

    def show(what, share, note):
        if int(share * LINES) > int(last.get(what, share) * LINES):
            console.print(f"{what} {share:.0%} {note}".rstrip())
        last[what] = share

    return show
