"""TensorBoard files: one folder of event files per lane, through tensorboardX."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from experiments.loggers.metric_names import identity, metrics

FOLDER = "tensorboard"  # in the run directory


@contextmanager
def tensorboard(directory: Path) -> Iterator[Any]:
    """Yields log(rows), which writes scalars to `tensorboard/lane_N` of the run directory.

    Steps that a resumed run repeats replace those of before.
    """
    # tensorboardX is optional
    from tensorboardX import SummaryWriter  # noqa: PLC0415

    with ExitStack() as stack:
        writers: dict[int, Any] = {}

        def writer_of(row):
            if row["lane"] not in writers:
                folder = directory / FOLDER / f"lane_{row['lane']}"
                writer = SummaryWriter(str(folder), purge_step=row["step"])
                stack.callback(writer.close)
                lines = [f"- {name}: {value}" for name, value in identity(row).items()]
                writer.add_text("lane", "\n".join(lines), row["step"])
                writers[row["lane"]] = writer
            return writers[row["lane"]]

        def log(rows):
            for row in rows:
                writer = writer_of(row)
                for name, value in metrics(row).items():
                    writer.add_scalar(name, value, row["step"])
                writer.flush()

        yield log
