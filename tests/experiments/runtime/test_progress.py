"""The progress bar."""

import io

from rich.console import Console

from experiments.runtime.progress import progress


def test_the_bar_shows_step_loss_and_remaining_time():
    file = io.StringIO()
    with progress(Console(file=file, force_terminal=True, width=120)) as show:
        show("training", 0.5, "step 5, loss -1.234")
    for part in ("training", "50%", "step 5, loss -1.234", "left"):
        assert part in file.getvalue()
