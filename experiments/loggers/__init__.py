"""Loggers: functions that get the rows of `history.csv` while a sweep trains, by name."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from experiments.loggers.tensorboard_files import tensorboard
from experiments.loggers.wandb_runs import wandb
from experiments.runtime.plugins import one_line
from mmcl.part_checks import check_callable, register

Rows = list[dict[str, Any]]  # one row per lane, with the columns of `history.csv`
Log = Callable[[Rows], object]
Open = Callable[[Path], AbstractContextManager[Log]]

LOGGERS: dict[str, Open] = {"tensorboard": tensorboard, "wandb": wandb}
LIBRARIES = {"tensorboard": "tensorboardX", "wandb": "wandb"}  # of shipped loggers


def no_log(rows: Rows) -> None:
    """Does nothing with rows."""
    del rows


def register_logger(name: str, open_logger: Open) -> None:
    """Adds a logger: open_logger(directory) returns a context manager of log(rows).

    `directory` is that of the run, with its `config.json`. The context is entered before the first
    step and left after the last one. Raises ValueError for a name that another logger has, and for
    a function that cannot be called.
    """
    check_callable("logger", open_logger)
    register("logger", name, open_logger, LOGGERS)


def check_loggers(names: Any) -> tuple[str, ...]:
    """Returns names of loggers, each once; raises ValueError for one that cannot be used."""
    if not isinstance(names, tuple | list):
        raise ValueError(f'loggers is {names!r}: allowed is a tuple of names, as ("tensorboard",)')
    for name in names:
        if name not in LOGGERS:
            raise ValueError(f"loggers holds {name!r}: allowed is {', '.join(LOGGERS)}")
        if name in LIBRARIES and find_spec(LIBRARIES[name]) is None:
            raise ValueError(
                f"loggers holds {name!r}, which needs {LIBRARIES[name]}: "
                f"pip install 'misalign[{name}]'"
            )
    return tuple(dict.fromkeys(names))


@contextmanager
def open_loggers(
    names: Sequence[str], directory: Path, say: Callable[[str], object]
) -> Iterator[Log]:
    """Yields log(rows), which calls all loggers of these names.

    A logger that raises an error is named by `say` and not called again; the run goes on. Raises
    ValueError for one that cannot be opened.
    """
    with ExitStack() as stack:
        logs = [stack.enter_context(_opened(name, directory, say)) for name in names]
        yield lambda rows: [log(rows) for log in logs]


@contextmanager
def _opened(name: str, directory: Path, say: Callable[[str], object]) -> Iterator[Log]:
    failures: list[str] = []

    def attempt(call, *given):
        if failures:
            return
        try:
            call(*given)
        except Exception as error:  # of any library: a metric that is lost costs no lane
            failures.append(name)
            say(f"logger {name!r} has stopped, the run goes on: {one_line(error)}")

    stack = ExitStack()
    try:
        log = stack.enter_context(LOGGERS[name](directory))
    except Exception as error:
        raise ValueError(f"logger {name!r} cannot be opened: {one_line(error)}") from None
    try:
        yield lambda rows: attempt(log, rows)
    finally:
        attempt(stack.close)
