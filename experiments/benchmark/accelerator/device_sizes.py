"""Device sizes: what is measured on an accelerator, and small sizes that a CPU can measure."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from experiments.benchmark.sizes import ACCELERATOR, QUICK, Sizes

PRECISION_SETTINGS = "select [1]", "select [5]", "perturb [2]", "perturb [5]"


@dataclasses.dataclass(frozen=True)
class DeviceSizes:
    """Sizes of all parts. Runs are arguments of `misalign run`.

    benchmark:     of the ceilings, and the number and duration of repeats.
    seconds:       time limit of each part by its name; None for no limit except that of them all.
    numeric:       run of the paper's numerical section.
    lanes:         lanes of a training step by the recipe `fast`, in increasing order.
    paper_lanes:   lanes of a training step by the recipe `paper`.
    recipe:        changed fields of the recipes `fast` and `paper`.
    image_recipe:  recipe of the training step on images.
    image_lanes:   its lanes.
    image_changes: changed fields of its config.
    precision:     run that is repeated with each precision.
    images:        images that are rendered.
    resolution:    their pixels per side.
    scenes:        run of the study of scenes.
    """

    benchmark: Sizes
    seconds: Mapping[str, float] | None
    numeric: tuple[str, ...]
    lanes: tuple[int, ...]
    paper_lanes: tuple[int, ...]
    recipe: Mapping[str, Any]
    image_recipe: str
    image_lanes: tuple[int, ...]
    image_changes: Mapping[str, Any]
    precision: tuple[str, ...]
    images: int
    resolution: int
    scenes: tuple[str, ...]


DEVICE = DeviceSizes(
    benchmark=dataclasses.replace(ACCELERATOR, lanes=(1,), repeats=5),
    seconds={
        "device": 40.0,
        "tests": 60.0,
        "numeric": 110.0,
        "lanes": 90.0,
        "steps": 75.0,
        "precision": 75.0,
        "images": 130.0,
    },
    numeric=("paper_numeric",),
    lanes=(32, 64, 128, 256, 512, 1024, 2048),
    paper_lanes=(1, 4),
    recipe={},
    image_recipe="resnet",
    image_lanes=(1, 4),
    image_changes={},
    precision=(
        "paper_numeric",
        "--config.seeds=2",
        f"--config.only={PRECISION_SETTINGS!r}",
        "--config.recipe.steps=4000",
        "--config.recipe.refine=0.3",
        "--config.evaluation.probes=('linear','mlp')",
        "--config.evaluation.downstream=False",
    ),
    images=100_000,
    resolution=64,
    # few images and lanes at a time, so that training begins before the time limit
    scenes=(
        "scenes",
        "--config.world.images=20000",
        "--config.lanes_per_block=4",
        "--config.log_every=20",
    ),
)

_SMALL_RECIPE = {"widths": (8, 8), "batch": 16, "group": 16, "warmup": 2}
_SMALL_RUN = (
    "--config.seeds=1",
    "--config.steps_by_setting=()",
    "--config.recipe.steps=4",
    "--config.recipe.batch=16",
    "--config.recipe.group=16",
    "--config.recipe.widths=(8,8)",
    "--config.log_every=2",
    "--config.evaluation.fit=64",
    "--config.evaluation.test=64",
    "--config.evaluation.downstream=False",
    "--config.evaluation.probes=('linear',)",
)
_ONE_SETTING = "--config.only=('setting=select [1],dependence=independent',)"

SMOKE = DeviceSizes(
    benchmark=dataclasses.replace(
        QUICK, product_size=64, copy_mib=1, lanes=(1,), repeats=2, repeat_seconds=1e-3
    ),
    seconds=None,
    numeric=("paper_numeric", *_SMALL_RUN, _ONE_SETTING),
    lanes=(1, 2),
    paper_lanes=(1,),
    recipe=_SMALL_RECIPE,
    image_recipe="patches",
    image_lanes=(1,),
    image_changes={
        "world.images": 40,
        "world.resolution": 16,
        "recipe.batch": 8,
        "recipe.group": 8,
        "recipe.widths": (8, 8),
    },
    precision=("paper_numeric", *_SMALL_RUN, _ONE_SETTING),
    images=4,
    resolution=8,
    scenes=(
        "scenes:patches",
        "--config.seeds=1",
        "--config.only=('select {shape}',)",
        "--config.world.images=40",
        "--config.world.resolution=16",
        "--config.recipe.steps=2",
        "--config.recipe.batch=8",
        "--config.recipe.group=8",
        "--config.recipe.widths=(8,8)",
        "--config.log_every=1",
        "--config.evaluation.probes=('linear',)",
    ),
)
