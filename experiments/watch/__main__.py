"""Watch: shows the progress, curves and scores of a run live, in the terminal or a browser.

misalign watch runs/selection [--serve [--port=8765]]
"""

import argparse
import time
from pathlib import Path

from rich.console import Console
from rich.live import Live

from experiments.runtime.user_errors import user_errors
from experiments.watch.server import ADDRESS, make_server
from experiments.watch.snapshot import take_snapshot
from experiments.watch.terminal_page import render_page

PORT = 8765
SECONDS = 2.0  # between two looks at the files
EVERY_LINE = 1_000_000  # height of a page that is printed to a file


def watch(directory: Path, console: Console) -> None:
    """Shows a page in the terminal until the run ends; without a terminal, prints it once.

    Raises ValueError if `directory` is not a run directory.
    """
    take = lambda: take_snapshot(directory)
    draw = lambda snapshot: render_page(snapshot, console.width, console.height)
    snapshot = take()
    if not console.is_terminal:
        console.print(render_page(snapshot, console.width, EVERY_LINE))
        return
    with Live(draw(snapshot), console=console, auto_refresh=False) as live:
        while snapshot["state"] in ("running", "quiet"):
            time.sleep(SECONDS)
            snapshot = take()
            live.update(draw(snapshot), refresh=True)


def serve(directory: Path, port: int) -> None:
    """Serves a page on 127.0.0.1 until Ctrl-C; raises ValueError as `watch` and `make_server`."""
    take_snapshot(directory)
    with make_server(directory, port) as server:
        print(f"http://{ADDRESS}:{server.server_port}/ shows {directory}; Ctrl-C ends", flush=True)
        server.serve_forever()


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="misalign watch", description=__doc__)
    parser.add_argument("directory", type=Path, help="a run directory")
    parser.add_argument("--serve", action="store_true", help="serve a page for a browser")
    parser.add_argument("--port", type=int, default=PORT, help=f"of that page; default {PORT}")
    options = parser.parse_args()
    with user_errors():
        try:
            if options.serve:
                serve(options.directory, options.port)
            else:
                watch(options.directory, Console())
        except KeyboardInterrupt:
            print(f"stopped watching; the run in {options.directory} is not affected")


if __name__ == "__main__":
    main()
