"""Image parts: rendering of many scenes, and the study of scenes as far as the time goes."""

import tempfile
import time
from pathlib import Path

import jax

import lvm
from experiments.benchmark.accelerator.part_task import PartTask, seconds_left, verdict
from experiments.benchmark.accelerator.timed_runs import SAVING, RunProgress, timed_run
from lvm.scenes.rendering.batches import render_batches

TARGET = 120.0  # seconds for all images
RENDERING = 0.5  # largest fraction of the time limit


def rendering_and_scenes(task: PartTask) -> None:
    """Records seconds of rendering, then the steps of a run of scenes until the time limit."""
    render_images(task, RENDERING * seconds_left(task))
    _train_on_scenes(task)


def render_images(task: PartTask, limit: float) -> None:
    """Records the seconds in which all images are rendered, with compilation.

    After `limit` seconds rendering stops, and the seconds of the remaining images are computed
    from the rate after the first batch.
    """
    count = task.sizes.images
    start, done, first = time.monotonic(), 0, None
    scenes = jax.device_get(lvm.sample_scenes(jax.random.key(0), count))
    for batch in render_batches(scenes, task.sizes.resolution):
        done += len(batch)
        seconds = time.monotonic() - start
        first = first or (done, seconds)
        if seconds > limit:
            break
    note = ""
    if done < count:
        note = f"computed from {done} images in {seconds:.3g} s"
        seconds += (count - done) * (seconds - first[1]) / max(done - first[0], 1)
    columns = verdict(seconds, TARGET, met=seconds <= TARGET)
    name = f"seconds for {count} images of {task.sizes.resolution} pixels"
    task.record(name, **columns, first_batch_s=first[1], note=note)


def _train_on_scenes(task: PartTask) -> None:
    def report(progress: RunProgress):
        task.record(
            "scenes, lane-steps until the time limit",
            value=progress.lane_steps,
            seconds=progress.seconds,
            note="finished" if progress.finished else "",
        )

    with tempfile.TemporaryDirectory() as folder:
        arguments = task.sizes.scenes
        timed_run(arguments, Path(folder, "scenes"), task.deadline - SAVING, report)
