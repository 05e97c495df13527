"""Signals: a request to stop is recorded, and acted on where no work is lost."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):  # noqa: N818
    """Raised to stop a run after its state is saved; the message is its progress."""


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Yields a function: whether SIGTERM or Ctrl-C arrived; a second one interrupts at once."""
    received: list[int] = []
    outside = signal.getsignal(signal.SIGINT)

    def record(number, frame):
        if not received:
            received.append(number)
        elif callable(outside):
            outside(number, frame)
        else:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, record) for number in SIGNALS}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
