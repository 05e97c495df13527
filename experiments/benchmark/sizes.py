"""Sizes: how much of everything is measured, for a quick look, on a CPU and on an accelerator."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How much is measured; ladders grow.

    product:     side of the matrices whose product is the ceiling.
    copy:        MiB that are copied.
    batches:     of the objective.
    dense:       largest batch of the plain dense objective.
    lanes:       of a training step by the recipe `fast`.
    few_lanes:   the same by recipes with large steps.
    recipes:     whose step is measured, `fast` aside.
    growth:      batches of `fast`, and widths of its layers.
    updates:     widths of the layers that an optimiser moves.
    draws:       pairs that the sampler draws.
    rows:        that a probe is fitted on, and as many that it predicts.
    resolutions: of pictures, pixels a side.
    pictures:    that are rendered together.
    duel_lanes:  of the sweep that the peer is set beside.
    duel_batch:  of the recipe `paper` beside the peer.
    repeats:     of each measurement.
    least:       seconds of a repeat.
    seconds:     a case is not timed if it would take longer.
    """

    product: int = 2048
    copy: int = 256
    batches: tuple[int, ...] = (256, 1024, 4096, 16384, 65536)
    dense: int = 16384
    lanes: tuple[int, ...] = (1, 2, 4, 16, 64, 256)
    few_lanes: tuple[int, ...] = (1, 2, 4)
    recipes: tuple[str, ...] = ("paper", "patches", "scenes", "resnet")
    growth: tuple[tuple[int, ...], tuple[int, ...]] = (
        (256, 512, 1024, 2048, 4096, 8192),
        (32, 64, 128, 256, 512),
    )
    updates: tuple[int, ...] = (64, 128, 256, 512)
    draws: tuple[int, ...] = (1024, 12288, 65536)
    rows: int = 20480
    resolutions: tuple[int, ...] = (48, 64, 128)
    pictures: int = 128
    duel_lanes: int = 16
    duel_batch: int = 6144
    repeats: int = 5
    least: float = 0.2
    seconds: float = 300.0


CPU = Sizes()
ACCELERATOR = Sizes(
    product=8192,
    copy=1024,
    dense=65536,
    lanes=(1, 4, 16, 32, 64, 128, 256, 512),
    few_lanes=(1, 4, 16, 64),
    updates=(64, 128, 256, 512, 1024),
    repeats=7,
)
QUICK = Sizes(
    product=1024,
    copy=64,
    batches=(256, 1024, 4096, 65536),
    dense=4096,
    lanes=(1, 2, 16),
    few_lanes=(1,),
    recipes=("patches",),
    growth=((256, 1024), (64, 128)),
    updates=(64, 128),
    draws=(1024, 12288),
    rows=2048,
    resolutions=(48,),
    pictures=32,
    duel_batch=1024,
    seconds=30.0,
)
