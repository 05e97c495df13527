"""Lane groups: the factors of a run of images as groups, with representations by a trained lane."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

import lvm
import mmcl
from experiments.domains.captioned import CaptionedDomain, ImageSplits
from experiments.domains.captioned_scores import ENCODED_TOGETHER, candidate_values, evenly_spaced
from experiments.domains.own_images.free_captions import FreeCaptionsDomain
from experiments.sweep.loading import LoadedLane, encode, load_lane, read_plan
from experiments.sweep.plan import Plan
from experiments.zero_shot.candidates import MIN_IMAGES, CandidateGroup, normalized

CAPTIONS = 2**14  # of one factor at most


class LaneGroups(NamedTuple):
    """One group for each factor, and the number of values of each factor that are left out."""

    groups: list[CandidateGroup]
    left_out: dict[str, int]


def lane_groups(
    directory: Path, number: int, show: Callable[[float], object] = lambda fraction: None
) -> LaneGroups:
    """Returns the factors of a run as groups, with all test images.

    The concepts of a factor are its values, and their texts are those of `value_captions`. Values
    with fewer than two test images are left out, with their images. `show` is called with the
    fraction of the images that is read.

    Raises ValueError as `load_lane` does, for a run of latents or with captions of a file, and for
    a lane that diverged.
    """
    domain = captioned_plan(directory).domain
    lane = load_lane(directory, number)
    return factor_groups(
        partial(_encoded, lane), np.asarray(lane.bias.selected), domain.language, domain.load(show)
    )


def captioned_plan(directory: Path) -> Plan:
    """Returns the plan of a run of images with generated captions; raises ValueError for others."""
    plan = read_plan(directory)
    if not isinstance(plan.domain, CaptionedDomain):
        raise ValueError(f"{directory} is a run of latents: allowed is a run of images")
    if isinstance(plan.domain, FreeCaptionsDomain):
        raise ValueError(
            f"{directory} has captions of a file: allowed is a run with generated captions, or "
            "--image-embeddings and --text-embeddings"
        )
    return plan


def factor_groups(
    encode_rows: Callable[[np.ndarray, str], Float[np.ndarray, "n d"]],
    selected: Bool[np.ndarray, " factors"],
    language: lvm.Language,
    splits: ImageSplits,
) -> LaneGroups:
    """Returns the factors of test images as groups, as `lane_groups` does.

    encode_rows: from images and "x", or token ids and "t", to representations.
    selected:    the factors that captions of the lane mention.
    """
    images = encode_rows(splits.test.images, "x")
    groups, left_out = [], {}
    for index, factor in enumerate(language.factors):
        contexts = _contexts(selected, language, index, splits)
        ids = value_captions(language, index, contexts, selected)
        texts = encode_rows(np.concatenate(ids), "t").reshape(*ids.shape[:2], -1)
        labels = np.asarray(splits.test.factors)[:, index]
        groups.append(_without_rare(factor, texts, images, labels))
        left_out[factor.name] = len(factor.values) - len(groups[-1].concepts)
    return LaneGroups(groups, left_out)


def value_captions(
    language: lvm.Language,
    factor: int,
    contexts: Int[np.ndarray, "contexts factors"],
    selected: np.ndarray,
) -> Int[np.ndarray, "values contexts length"]:
    """Returns captions of every value of a factor: int32 [values, contexts, length], token ids.

    The captions of a value mention it and the other selected factors, whose values are those of the
    contexts, so that they are like the captions of training. Captions with the value alone are not:
    a lane that has never been trained on them represents them at random.

    contexts: int32 [contexts, factors], values of all factors; those of `factor` do not matter.
    selected: bool [factors].
    """
    values = np.repeat(contexts[None], language.sizes[factor], axis=0)
    values[:, :, factor] = np.arange(language.sizes[factor])[:, None]
    flat = values.reshape(-1, values.shape[2])
    mentioned = np.asarray(selected) | (np.arange(values.shape[2]) == factor)
    ids = lvm.generate_captions(language, flat, np.zeros(len(flat), np.int32), mentioned)
    return np.asarray(ids).reshape(*values.shape[:2], -1)


def _without_rare(factor: lvm.Factor, texts, images, labels) -> CandidateGroup:
    """The group of a factor without values that have too few images."""
    kept = np.bincount(labels, minlength=len(factor.values)) >= MIN_IMAGES
    if not kept.any():
        raise ValueError(
            f"no value of {factor.name} has {MIN_IMAGES} test images: allowed is one or more"
        )
    concepts = tuple(np.array(factor.values)[kept].tolist())
    rows, new_label = kept[labels], np.cumsum(kept) - 1
    return CandidateGroup(factor.name, concepts, texts[kept], images[rows], new_label[labels[rows]])


def _contexts(selected, language: lvm.Language, factor: int, splits: ImageSplits):
    """Distinct values of the selected factors other than `factor`; 0 for all others."""
    others = selected & (np.arange(len(language.factors)) != factor)
    values = np.where(others, np.asarray(candidate_values(language, splits.train.factors)), 0)
    distinct = np.unique(values, axis=0)
    return distinct[evenly_spaced(len(distinct), max(1, CAPTIONS // language.sizes[factor]))]


def _encoded(lane: LoadedLane, rows: np.ndarray, modality: str) -> Float[np.ndarray, "n d"]:
    """Representations of images x or of token ids t by a lane."""
    of_part = lambda part: mmcl.Modalities(None, None)._replace(**{modality: part})
    encode_part = jax.jit(lambda part: getattr(encode(lane, of_part(part)), modality))
    return encoded_in_parts(encode_part, rows, lane.recipe)


def encoded_in_parts(
    encode_part: Callable, rows: np.ndarray, recipe: mmcl.Recipe
) -> Float[np.ndarray, "n d"]:
    """Returns the representations of rows, encoded in parts; of length 1 for cosine similarity.

    Raises ValueError for representations of NaN or infinity.
    """
    parts = range(0, len(rows), ENCODED_TOGETHER)
    z = np.concatenate([np.asarray(encode_part(rows[i : i + ENCODED_TOGETHER])) for i in parts])
    if not np.isfinite(z).all():
        raise ValueError("the lane has representations of NaN or infinity: allowed is another one")
    return normalized(z) if recipe.similarity == "cosine" else z
