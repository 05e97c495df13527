"""Reference training: the authors' training in another process, step by step."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

import lvm
import probes
from experiments.benchmark.reference import reference_worker


class ReferenceTraining(NamedTuple):
    """A training run of the authors' code that waits between steps.

    train: does a number of steps.
    score: () -> lowest R² of an unbiased semantic by a linear probe, over both modalities.
    """

    train: Callable[[int], None]
    score: Callable[[], float]


@contextmanager
def reference_training(
    folder: Path, bias: lvm.Bias, *, batch: int, device: str
) -> Iterator[ReferenceTraining]:
    """Yields a training run of the authors' numerical study, after its first steps.

    The semantics are independent. Raises ValueError, with the last line of its output, if the
    program fails.

    device: "cpu" or "cuda".
    """
    theta, rho = lvm.numbers_of(bias, "reference")
    arguments = [f"--theta-value={theta}", f"--beta-value={rho}", f"--batch-size={batch}"]
    arguments += ["--seed=0", "--model-dir=models", "--model-id=reference"]
    arguments += ["--no-cuda"] if device == "cpu" else []
    with tempfile.TemporaryDirectory() as work:
        log = Path(work, "log.txt")
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, reference_worker.__file__, str(folder.resolve()), *arguments],
                cwd=work,
                env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
        ask = lambda request: _ask(process, log, request)
        score = lambda: _score(ask, Path(work, "batch.npz"), lvm.unbiased(bias))
        try:
            ask("")
            yield ReferenceTraining(lambda steps: ask(f"steps {steps}\n"), score)
        finally:
            process.kill()
            process.communicate()


def _ask(process: subprocess.Popen, log: Path, request: str) -> None:
    """Writes a request and waits until it is done."""
    try:
        process.stdin.write(request)
        process.stdin.flush()
    except BrokenPipeError:
        pass  # the process has ended, and the reply is empty
    if process.stdout.readline() != "done\n":
        process.wait()
        lines = log.read_text().strip().splitlines() or [f"exit status {process.returncode}"]
        raise ValueError(f"reference: main_numeric.py has ended: {lines[-1]}")


def _score(ask: Callable[[str], None], file: Path, unbiased: np.ndarray) -> float:
    """Returns the score of the last batch, whose halves fit and test the probe."""
    ask(f"save {file}\n")
    with np.load(file) as arrays:
        semantics = arrays["latents"][:, : len(unbiased)][:, np.asarray(unbiased)]
        half = len(semantics) // 2
        scores = [
            probes.r2(
                semantics[half:],
                probes.ridge(jax.random.key(0), rows[:half], semantics[:half], rows[half:]),
            )
            for rows in (arrays["image"], arrays["text"])
        ]
    return float(np.min(scores))
