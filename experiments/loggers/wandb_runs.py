"""W&B runs: one run of Weights & Biases per lane; the lanes of a sweep are a group."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from experiments.loggers.metric_names import identity, metrics
from experiments.rundir.checkpoint_files import read_run

PROJECT = "misalign"  # unless the environment variable WANDB_PROJECT gives another


@contextmanager
def wandb(directory: Path) -> Iterator[Any]:
    """Yields log(rows), which logs each lane to a run of W&B with its identity and recipe.

    The environment variables of W&B apply, such as WANDB_MODE=offline. A resumed sweep begins new
    runs in the same group.
    """
    # wandb is optional
    import wandb as library  # noqa: PLC0415

    recipe = read_run(directory)["config"]["recipe"]
    with ExitStack() as stack:
        runs: dict[int, Any] = {}

        def run_of(row):
            if row["lane"] not in runs:
                run = library.init(
                    project=os.environ.get("WANDB_PROJECT", PROJECT),
                    group=directory.resolve().name,
                    name=f"lane {row['lane']}",
                    config={"recipe": recipe, **identity(row)},
                    dir=str(directory),
                    reinit="create_new",
                    settings=library.Settings(silent=True),
                )
                stack.callback(run.finish)
                run.define_metric("*", step_metric="step")
                runs[row["lane"]] = run
            return runs[row["lane"]]

        def log(rows):
            for row in rows:
                run_of(row).log({"step": row["step"], **metrics(row)})

        yield log
