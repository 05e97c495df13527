"""Lane groups: the factors of a run of images as groups, with representations of a trained lane."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import lvm
import mmcl
from experiments.domains.captioned import CaptionedDomain
from experiments.domains.captioned_scores import ENCODED_TOGETHER
from experiments.sweep.loading import LoadedLane, encode, load_lane, read_plan
from experiments.zero_shot.candidates import CandidateGroup, check_concepts


def lane_groups(
    directory: Path, number: int, show: Callable[[float], object] = lambda fraction: None
) -> list[CandidateGroup]:
    """Returns one group for each factor, with all test images of a run.

    The concepts are the values of the factor. The words for a concept are captions that mention
    this value and nothing else, in every phrasing of the language; their representations are
    averaged. Representations are compared by squared distance, as in training. `show` is called
    with the fraction of the images that is read.

    Raises ValueError as `load_lane` does, for a run of latents, for a lane that diverged, and for
    a value with fewer than two test images.
    """
    plan = read_plan(directory)
    if not isinstance(plan.domain, CaptionedDomain):
        raise ValueError(f"{directory} is a run of latents: allowed is a run of images")
    lane = load_lane(directory, number)
    test = plan.domain.load(show).test
    language = plan.domain.language
    names = [[(factor.name, value) for value in factor.values] for factor in language.factors]
    for candidates, labels in zip(names, test.factors.T, strict=True):
        check_concepts(candidates, [candidates[label] for label in labels])
    images = encode_images(lane, test.images)
    groups = [
        CandidateGroup(
            factor.name, factor.values, word_representations(lane, language, index), images, labels
        )
        for index, (factor, labels) in enumerate(zip(language.factors, test.factors.T, strict=True))
    ]
    if not all(np.isfinite(part).all() for group in groups for part in (group.texts, images)):
        raise ValueError(
            f"lane {number} of {directory} diverged: allowed is one with finite representations"
        )
    return groups
