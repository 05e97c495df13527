"""Terminal page: a snapshot of a run as text that fits the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from experiments.runtime.progress import duration
from experiments.watch.snapshot import Snapshot

BLOCKS = "▁▂▃▄▅▆▇█"  # of curves from 0 to 1
CURVE_WIDTH = 16
NARROW = 90  # columns of a terminal below which the table has no curves
COLORS = {"running": "green", "quiet": "yellow", "stopped": "red", "finished": "blue"}
OTHER_LINES = 12  # of the page beside the rows of settings and flagged lanes


def render_page(snapshot: Snapshot, width: int, height: int) -> Group:
    """Returns a page of a snapshot for a terminal of this size.

    The settings of the block that trains come first; those that do not fit are counted.
    """
    flagged = [lane for lane in snapshot["lanes"] if lane["reason"]]
    most_flags = max(3, height // 4)
    rows = max(3, height - OTHER_LINES - min(len(flagged), most_flags))
    lines = [
        Text(snapshot["name"], style="bold"),
        Text(snapshot["sentence"], style=COLORS[snapshot["state"]]),
        *_progress_lines(snapshot, width),
        *map(_flag_line, flagged[:most_flags]),
        *_rest(len(flagged) - most_flags, "flagged lanes"),
        Text(),
        _settings_table(_in_order(snapshot)[:rows], snapshot["lanes"], width >= NARROW),
        *_rest(len(snapshot["settings"]) - rows, "settings"),
    ]
    return Group(*lines)


def sparkline(curve: Sequence[float | None]) -> str:
    """Returns values from 0 to 1 as CURVE_WIDTH blocks at most; values outside are clipped."""
    values = [value for value in curve if value is not None]
    count = min(len(values), CURVE_WIDTH)
    chosen = [values[(index + 1) * len(values) // count - 1] for index in range(count)]
    return "".join(BLOCKS[round(7 * min(max(value, 0.0), 1.0))] for value in chosen)


def lowest_kept(setting: Snapshot) -> list[float]:
    """Returns the lowest monitor score of an unbiased semantic at each step."""
    return _extreme(setting["kept"], min)


def highest_other(setting: Snapshot) -> list[float]:
    """Returns the highest monitor score of a biased semantic at each step."""
    return _extreme(setting["other"], max)


def progress_words(snapshot: Snapshot) -> str:
    """Returns activity, block, step, loss, pace and time left in words, "" if none is known."""
    progress = snapshot["progress"]
    if "activity" not in progress:
        return ""
    words = [progress["activity"]]
    if "lanes" in progress:
        first, last = progress["lanes"]
        words[0] += f" lanes {first}-{last} of {len(snapshot['lanes'])}"
        words.append(f"step {progress['step']:,} of {progress['steps']:,}")
    if "scored" in progress:
        words.append(f"{progress['scored']} scored")
    if progress.get("loss") is not None:
        words.append(f"loss {progress['loss']:.4g}")
    if progress.get("lane_steps_per_second") is not None:
        words.append(f"{progress['lane_steps_per_second']:,.0f} lane-steps/s")
    if progress.get("seconds_left") is not None:
        words.append(f"{duration(progress['seconds_left'])} left")
    return ", ".join(words)


def _progress_lines(snapshot: Snapshot, width: int) -> list[Any]:
    fraction = snapshot["fraction"]
    bar = ProgressBar(total=1, completed=fraction, width=max(4, min(width - 6, 60)))
    line = Table.grid(padding=(0, 1))
    line.add_row(bar, f"{fraction:.0%}")
    words = progress_words(snapshot)
    return [line, *([Text(words)] if words else [])]


def _in_order(snapshot: Snapshot) -> list[Snapshot]:
    first, last = snapshot["progress"].get("lanes", (0, -1))
    is_now = lambda setting: any(first <= lane <= last for lane in setting["lanes"])
    return sorted(snapshot["settings"], key=lambda setting: not is_now(setting))


def _settings_table(
    settings: Sequence[Snapshot], lanes: Sequence[Snapshot], with_curves: bool
) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("setting", overflow="fold", max_width=60)
    table.add_column("scored", justify="right", no_wrap=True)
    table.add_column("step", justify="right", no_wrap=True)
    table.add_column("loss", justify="right", no_wrap=True)
    table.add_column("lowest kept", justify="right", no_wrap=True)
    table.add_column("highest biased", justify="right", no_wrap=True)
    for setting in settings:
        scored = sum(lanes[number]["is_scored"] for number in setting["lanes"])
        curves = [lowest_kept(setting), highest_other(setting)]
        table.add_row(
            Text(setting["label"]),
            f"{scored}/{len(setting['lanes'])}",
            f"{setting['steps'][-1]:,}" if setting["steps"] else "-",
            f"{setting['loss'][-1]:.4g}" if setting["loss"] else "-",
            *(_curve_cell(curve, with_curves) for curve in curves),
        )
    return table


def _curve_cell(curve: Sequence[float], with_curve: bool) -> str:
    if not curve:
        return "-"
    return f"{sparkline(curve)} {curve[-1]:5.2f}" if with_curve else f"{curve[-1]:.2f}"


def _extreme(curves: dict[str, list[float | None]], choose) -> list[float]:
    columns = zip(*curves.values(), strict=True)
    present = [[value for value in column if value is not None] for column in columns]
    return [choose(values) for values in present if values]


def _flag_line(lane: Snapshot) -> Text:
    words = f"lane {lane['lane']} ({lane['label']}, seed {lane['seed']}) {lane['status']}"
    return Text(f"{words}; {lane['reason']}", style="yellow")


def _rest(count: int, name: str) -> list[Text]:
    return [Text(f"... {count} more {name}", style="dim")] * (count > 0)
