"""Sizes: how much is measured by default on a CPU, on an accelerator, and with --quick."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Sizes of all measurements; those of a ladder are in increasing order.

    product_size:      side of the square matrices whose product is a ceiling.
    copy_mib:          MiB of the array whose copy is a ceiling.
    objective_batches: batches of the objective.
    max_dense_batch:   largest batch of the dense objective.
    lanes:             lanes of a training step by the recipe `fast`.
    few_lanes:         lanes of a training step by the other recipes.
    recipes:           recipes whose training step is measured besides `fast`.
    growth_batches:    batches of `fast`.
    growth_widths:     widths of the layers of `fast`.
    growth_semantics:  numbers of semantics of `fast`.
    optimizer_widths:  widths of the layers that an optimiser updates.
    sampler_pairs:     numbers of pairs in one batch of the sampler.
    probe_rows:        rows that a probe is fitted on; it predicts as many.
    resolutions:       pixels per side of rendered images.
    images:            images that are rendered together.
    peer_lanes:        lanes of the sweep by `fast` that is compared with the peer.
    peer_batch:        batch of the recipe `paper` in the comparison with the peer.
    repeats:           of each measurement.
    repeat_seconds:    least duration of a repeat.
    max_seconds:       a case is not timed if it is expected to take longer.
    """

    product_size: int = 2048
    copy_mib: int = 256
    objective_batches: tuple[int, ...] = (256, 1024, 4096, 16384, 65536)
    max_dense_batch: int = 16384
    lanes: tuple[int, ...] = (1, 2, 4, 16, 64, 256, 512)
    few_lanes: tuple[int, ...] = (1, 2, 4)
    recipes: tuple[str, ...] = ("paper", "patches", "scenes", "resnet")
    growth_batches: tuple[int, ...] = (256, 512, 1024, 2048, 4096, 8192)
    growth_widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    growth_semantics: tuple[int, ...] = (10, 20, 50, 100, 200)
    optimizer_widths: tuple[int, ...] = (64, 128, 256, 512)
    sampler_pairs: tuple[int, ...] = (1024, 12288, 65536)
    probe_rows: int = 20480
    resolutions: tuple[int, ...] = (48, 64, 128)
    images: int = 128
    peer_lanes: int = 16
    peer_batch: int = 6144
    repeats: int = 5
    repeat_seconds: float = 0.2
    max_seconds: float = 300.0


CPU = Sizes()
ACCELERATOR = Sizes(
    product_size=8192,
    copy_mib=1024,
    max_dense_batch=65536,
    lanes=(1, 4, 16, 32, 64, 128, 256, 512),
    few_lanes=(1, 4, 16, 64),
    optimizer_widths=(64, 128, 256, 512, 1024),
    repeats=7,
)
QUICK = Sizes(
    product_size=1024,
    copy_mib=64,
    objective_batches=(256, 1024, 4096, 65536),
    max_dense_batch=4096,
    lanes=(1, 2, 16),
    few_lanes=(1,),
    recipes=("patches",),
    growth_batches=(256, 1024),
    growth_widths=(64, 128),
    growth_semantics=(10, 20),
    optimizer_widths=(64, 128),
    sampler_pairs=(1024, 12288),
    probe_rows=2048,
    resolutions=(48,),
    images=32,
    peer_batch=1024,
    max_seconds=30.0,
)
