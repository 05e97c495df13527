"""Sources: where the representations of images and words come from, chosen by flags."""

import argparse
from collections.abc import Callable
from typing import NamedTuple

from rich.console import Console

from experiments.runtime.progress import Show
from experiments.zero_shot.candidates import CandidateGroup, make_groups
from experiments.zero_shot.clip_models import load_clip
from experiments.zero_shot.embedding_files import read_embeddings
from experiments.zero_shot.encoding import BARE, check_prompts, encode_concepts, encode_folder
from experiments.zero_shot.image_folder import list_images


class Source(NamedTuple):
    """A source: the flags that it needs, those that it also takes, and its reader."""

    needed: tuple[str, ...]
    optional: tuple[str, ...]
    read: Callable[[argparse.Namespace, Console, Show], list[CandidateGroup]]


def choose_source(options: argparse.Namespace) -> Source:
    """Returns the source whose flags are given; raises ValueError unless there is exactly one."""
    given = [flag for source in SOURCES for flag in (*source.needed, *source.optional)]
    given = [flag for flag in given if getattr(options, flag) is not None]
    begun = [source for source in SOURCES if {*source.needed, *source.optional} & {*given}]
    if len(begun) != 1:
        raise ValueError(
            f"source is {_flags(given) or 'missing'}: allowed is one of "
            + "; ".join(_flags(source.needed) for source in SOURCES)
        )
    (source,) = begun
    if missing := [flag for flag in source.needed if flag not in given]:
        raise ValueError(
            f"{_flags(missing[:1])} is missing: allowed is {_flags(source.needed)} together"
        )
    return source


def _from_files(options: argparse.Namespace, console: Console, show: Show) -> list[CandidateGroup]:
    del console, show
    return make_groups(
        read_embeddings(options.image_embeddings), read_embeddings(options.text_embeddings)
    )


def _from_model(options: argparse.Namespace, console: Console, show: Show) -> list[CandidateGroup]:
    """Prints the files that are left out, also where the groups are then refused."""
    prompts = options.prompts or BARE
    check_prompts(prompts)
    images, others = list_images(options.images)
    model = load_clip(options.model, options.weights)
    names = list(dict.fromkeys((image.group, image.concept) for image in images))
    report = lambda activity: lambda fraction: show(activity, fraction, "")
    texts = encode_concepts(model, names, prompts, report("encoding texts"))
    encoded = encode_folder(model, images, report("encoding images"))
    for reason, paths in (
        ("cannot be read", encoded.unreadable),
        ("not .jpg, .jpeg or .png", others),
    ):
        for path in paths:
            console.print(f"left out, {reason}: {path}", highlight=False, soft_wrap=True)
        if paths:
            console.print(f"files left out, {reason}: {len(paths):,}", highlight=False)
    return make_groups(encoded.images, texts)


def _from_run(options: argparse.Namespace, console: Console, show: Show) -> list[CandidateGroup]:
    # JAX takes seconds to import, and the other sources do not need it
    from experiments.runtime.devices import (  # noqa: PLC0415
        enable_compilation_cache,
        fix_numeric_settings,
    )
    from experiments.zero_shot.lane_groups import lane_groups  # noqa: PLC0415

    fix_numeric_settings()
    enable_compilation_cache()
    found = lane_groups(
        options.run, options.lane, lambda fraction: show("reading data", fraction, "")
    )
    for factor, count in found.left_out.items():
        if count:
            line = f"values of {factor} left out, with fewer than 2 test images: {count:,}"
            console.print(line, highlight=False, soft_wrap=True)
    return found.groups


def _flags(names) -> str:
    return ", ".join("--" + name.replace("_", "-") for name in names)


SOURCES = (
    Source(("image_embeddings", "text_embeddings"), (), _from_files),
    Source(("images", "model", "weights"), ("prompts",), _from_model),
    Source(("run", "lane"), (), _from_run),
)
