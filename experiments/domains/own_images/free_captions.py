"""Free captions: the domain of images whose captions are read from a file and never rewritten."""

import dataclasses
from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

import lvm
from experiments.domains import captioned_scores
from experiments.domains.captioned import (
    SPARE,
    CaptionedDomain,
    CaptionedPairs,
    ImageSplits,
    LabelledImages,
    laws_in_data,
)
from experiments.domains.captioned_scores import (
    CANDIDATES,
    Candidates,
    FactorProbe,
    Targets,
    evenly_spaced,
)
from experiments.domains.domain import ReportFraction, TrainedLane
from lvm.captions.vocabulary import SPECIAL, free_text_ids
from probes.factors import one_hots


@dataclasses.dataclass(frozen=True, kw_only=True)
class FreeCaptionsDomain(CaptionedDomain):
    """Images with captions of a file; every setting selects all semantics.

    Which factors the captions omit or distort is not known: attainable scores are those of captions
    that mention every factor and distort none. `language` has the factors and their values only.

    length:          number of token ids of a caption.
    read_vocabulary: reads the words by id, those of the training captions.
    """

    length: int
    read_vocabulary: Callable[[], tuple[str, ...]]

    def empty_shared(self) -> ImageSplits:
        """Returns splits of one black image each, with an empty caption."""
        captions = np.zeros((1, self.length), np.int32)
        return ImageSplits(*(part._replace(captions=captions) for part in super().empty_shared()))

    def caption(self, key, lane, labelled: LabelledImages, others=None) -> CaptionedPairs:
        """Returns the images with their captions, under every bias the same."""
        del key, lane, others
        images, factors, values, captions = labelled
        return CaptionedPairs(
            images, captions, factors, values, phrasing=jnp.zeros(len(images), jnp.int32)
        )

    def caption_ids(self, texts: Sequence[str]) -> Int[np.ndarray, "n length"]:
        """Returns the token ids of texts, for the text encoder: int32 [n, length].

        Reads the captions of the data set. Raises ValueError for a text without a word.
        """
        return free_text_ids("texts", texts, self.read_vocabulary(), self.length)

    def sentences(self, ids: Int[np.ndarray, "n length"]) -> list[str]:
        """Returns captions as their words; reads the captions of the data set."""
        words = np.array(self.read_vocabulary(), object)[ids]
        return [" ".join(filter(None, row)) for row in words]

    def unbiased_features(self, lane, pairs: CaptionedPairs) -> Float[Array, "n features"]:
        """Returns all true factors and numbers."""
        del lane
        every = jnp.ones(len(self.language.sizes), bool)
        labels = one_hots(pairs.factors, every, self.language.sizes)
        return jnp.concatenate([labels, pairs.values], axis=1)

    def candidates(self, trained: TrainedLane) -> Candidates:
        """Returns captions of training images, with the factors of these."""
        train = trained.shared.train
        rows = evenly_spaced(len(train.images), CANDIDATES)
        return Candidates(train.captions[rows], train.factors[rows])


def free_captions_domain(
    factors: Sequence[lvm.Factor],
    factor_probes: dict[str, FactorProbe],
    read: Callable[[ReportFraction], ImageSplits],
    *,
    read_vocabulary: Callable[[], tuple[str, ...]],
    image_shape: tuple[int, int, int],
    words: int,
    length: int,
    values: tuple[str, ...] = (),
) -> FreeCaptionsDomain:
    """Returns the domain of images with captions of a file.

    words:  most words of the vocabulary; all others are one unknown word.
    values: names of the semantics that are measured as numbers, beyond the factors.
    """
    names = tuple(factor.name for factor in factors)
    phrasing = " ".join(f"[{{{name}}}]" for name in names)
    targets = Targets(names, values, phrasing=False)
    return FreeCaptionsDomain(
        **laws_in_data(),
        semantics=(*names, *values),
        outputs=len(names) + len(values) + SPARE,
        vocabulary=words + len(SPECIAL),
        scores_per_lane=captioned_scores.scores_per_lane(len(factor_probes), targets, len(names)),
        language=lvm.make_language(factors, [phrasing], shared_words=True),
        probes=factor_probes,
        targets=targets,
        may_equal_truth=True,
        image_shape=image_shape,
        read=read,
        length=length,
        read_vocabulary=read_vocabulary,
    )
