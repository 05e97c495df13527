"""Commands of the project in processes of their own, which import the libraries once for all.

Each process is a fork of a server that has imported them, and runs no handlers of `atexit` at its
end. A test of these, or of environment variables that JAX reads when it is imported, starts its
process by `subprocess`.
"""

import contextlib
import multiprocessing
import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from experiments import __main__ as program
from tests.repository import ROOT

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.preloaded"])


class Finished(NamedTuple):
    """The exit status of a command, and the text on its streams."""

    status: int
    out: str
    err: str


def misalign(*arguments, cwd=ROOT):
    """Runs `misalign` with arguments in a folder; the environment is that of this process."""
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder) / name for name in ("out", "err")]
        for stream in streams:  # they exist also if the process does not come to open them
            stream.touch()
        options = (list(map(str, arguments)), cwd, dict(os.environ), streams)
        process = SERVER.Process(target=_run, args=options)
        with contextlib.chdir(ROOT):  # where a server that starts finds the preloaded modules
            process.start()
        process.join()
        return Finished(process.exitcode, *(stream.read_text() for stream in streams))


def _run(arguments, cwd, environment, streams):
    for number, stream in enumerate(streams, start=1):
        os.dup2(os.open(stream, os.O_WRONLY), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["misalign", *arguments]
    program.main()
