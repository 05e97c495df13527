"""Progress: a bar with step, loss and time left; plain lines where no terminal is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LINES = 10  # about so many are printed over a run where no terminal shows a bar

Show = Callable[[int, str], None]  # (how much is done, note)


@contextmanager
def progress(console: Console, what: str, done: int, total: int) -> Iterator[Show]:
    """Yields show(done, note), to be called as work goes on."""
    if console.is_terminal:
        with Progress(
            TextColumn("{task.description} {task.completed:g}/{task.total:g}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        ) as bar:
            task = bar.add_task(what, total=total, completed=done, note="compiling")
            yield lambda done, note: bar.update(task, completed=done, note=note)
    else:
        yield _line_printer(console, what, done, total)


def _line_printer(console: Console, what: str, begin: int, total: int) -> Show:
    last = begin

    def show(done, note):
        nonlocal last
        if done * LINES // total > last * LINES // total:
            console.print(f"{what} {done}/{total} {note}".rstrip())
        last = done

    return show
