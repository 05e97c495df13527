"""Lane captions: captions that lanes were trained on as files, audited as any captions are."""

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import lvm
from experiments.audit.counting import count_all
from experiments.audit.inputs.caption_files import read_all_captions
from experiments.audit.inputs.concept_tables import read_concepts, read_labels
from experiments.audit.rates import GroupRates, compute_rates
from experiments.domains.captioned import ImageSplits
from experiments.sweep.lane import lane_keys
from experiments.sweep.plan import Plan
from lvm.files.atomic import write_atomically


class CaptionFiles(NamedTuple):
    """Paths of the captions of a lane, of their labels, and of the table of concepts."""

    captions: Path
    labels: Path
    concepts: Path


def caption_sampler(plan: Plan, splits: ImageSplits, count: int):
    """Returns a compiled function from the data of a lane to token ids and true factors.

    Captions are sampled as in training: by the domain, with the data key of the lane.
    """

    @jax.jit
    def sample(shared, lane):
        key = lane_keys(lane.seed).data
        pairs = plan.domain.sample(key, count, shared=shared, world=(), lane=lane)
        return pairs.t, pairs.factors

    return partial(sample, jax.tree.map(jnp.asarray, splits))


def write_caption_files(folder: Path, language: lvm.Language, ids, factors) -> CaptionFiles:
    """Writes captions, one per line, the true value of every factor, and the concepts.

    ids, factors: int32 [n, length], token ids; int32 [n, factors].
    """
    files = CaptionFiles(
        folder / "captions.txt.gz", folder / "labels.csv.gz", folder / "concepts.csv"
    )
    texts = lvm.sentences(language, np.asarray(ids))
    words = [np.array(factor.values, object) for factor in language.factors]
    labels = [names[column] for names, column in zip(words, np.asarray(factors).T, strict=True)]
    concepts = [
        (factor.name, value, value) for factor in language.factors for value in factor.values
    ]
    _write(files.captions, "".join(f"{text}\n" for text in texts))
    _write(files.labels, _csv(language.names, zip(*labels, strict=True)))
    _write(files.concepts, _csv(("group", "value", "words"), concepts))
    return files


def audit_files(files: CaptionFiles) -> list[GroupRates]:
    """Returns the rates of every factor, as `misalign audit` with the labels and concepts does."""
    concepts = read_concepts(files.concepts)
    _, labels = read_labels(files.labels, concepts)
    captions = read_all_captions([files.captions], "caption")
    return compute_rates(concepts, count_all(concepts, captions, labels))


def _csv(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    content = text.encode()
    write_atomically(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
