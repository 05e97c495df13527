"""User errors: one line, not a traceback, for what a user can cause."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130  # exit status after Ctrl-C, as of a shell
MESSAGE = "stopped by Ctrl-C"
SHOW_CURSOR = b"\x1b[?25h"  # which a progress bar hides
RETRY_SECONDS = 0.05


@contextmanager
def user_errors() -> Iterator[None]:
    """Exits with one line for an OSError, a ValueError or Ctrl-C; other errors are bugs.

    Characters that standard output or error cannot encode are replaced. Ctrl-C is handled as by
    `exit_on_interrupt`.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    with exit_on_interrupt():
        try:
            yield
        except (OSError, ValueError) as error:
            sys.exit(f"error: {error}")


@contextmanager
def exit_on_interrupt() -> Iterator[None]:
    """Exits with one line and status 130 on Ctrl-C; a second Ctrl-C ends the process at once.

    The first one raises KeyboardInterrupt, so that files and locks are closed. The second one waits
    for nothing, not even while Python shuts down, so the handler stays after an error.
    """
    if threading.current_thread() is not threading.main_thread():  # only that one has signals
        yield
        return
    handler, hook = _InterruptHandler(), sys.unraisablehook
    before = signal.signal(signal.SIGINT, handler)
    sys.unraisablehook = handler.repeat_if_lost
    try:
        yield
        signal.signal(signal.SIGINT, before)
    except KeyboardInterrupt:
        handler.reported = True
        print(MESSAGE, file=sys.stderr)
        sys.exit(INTERRUPTED)
    finally:
        sys.unraisablehook = hook


class _InterruptHandler:
    """Handler of SIGINT that raises KeyboardInterrupt once, and then ends the process."""

    def __init__(self):
        self.raised = self.reported = False

    def __call__(self, number, frame):
        del number, frame
        if not self.raised:
            self.raised = True
            raise KeyboardInterrupt
        if not self.reported:
            os.write(2, f"{MESSAGE}\n".encode())
        if os.isatty(1):
            os.write(1, SHOW_CURSOR)
        os._exit(INTERRUPTED)

    def repeat_if_lost(self, unraisable):
        """Interrupts again if Python has dropped KeyboardInterrupt, as it does in destructors."""
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            self.raised = False
            main = threading.main_thread().ident
            threading.Timer(RETRY_SECONDS, signal.pthread_kill, (main, signal.SIGINT)).start()
        else:
            sys.__unraisablehook__(unraisable)
