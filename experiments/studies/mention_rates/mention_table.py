"""Mention table: mention rate, prediction and zero-shot score of each factor of each lane."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pandas as pd

import mmcl
from experiments.audit.expectation import expected
from experiments.audit.rates import GroupRates
from experiments.domains.captioned import ImageSplits
from experiments.rundir.describe import finished_lanes
from experiments.rundir.lane_identity import Lane
from experiments.studies.mention_rates.lane_captions import (
    audit_files,
    caption_sampler,
    write_caption_files,
)
from experiments.sweep.loading import LoadedLanes, load_lanes
from experiments.sweep.plan import Plan
from experiments.zero_shot.group_scores import GroupScores, score_group
from experiments.zero_shot.lane_groups import captioned_plan, encoded_in_parts, factor_groups
from lvm.captions.omission import OMISSIONS

FIXED = "fixed"  # kind of factors that captions of a lane always mention, or never
EXACT, SPARE = "exact", "spare"  # columns for the factors always mentioned, or for all factors
SEED = 0  # of the bootstrap over images, and of ties

compiled_encode = jax.jit(mmcl.encode, static_argnames="recipe")


def check_run(directory: Path) -> Plan:
    """Returns the plan of a finished run whose captions omit factors.

    Raises ValueError for a path that is no run directory, for a run of latents or with captions of
    a file, for a run without omissions, and for one that has not ended.
    """
    plan = captioned_plan(directory)
    if not {lane.misalignment for lane in plan.lanes} & {*OMISSIONS}:
        raise ValueError(
            f"{directory} has no lane with misalignment {', '.join(OMISSIONS)}: allowed is a run "
            "of the config mention_rates"
        )
    finished_lanes(directory)
    return plan


def run_table(
    directory: Path, plan: Plan, captions: int, show: Callable[[float], object]
) -> pd.DataFrame:
    """Returns one row per lane and factor that any lane mentions.

    The captions of each lane are written to `mention_rates/lane_NUMBER` in the run directory, and
    audited there. `captions` is their number; `show` is called with the fraction of the lanes that
    is done.

    columns:      of the representation, EXACT or SPARE; lanes that mention all factors have both.
    set_rate:     the mention rate in the config.
    mention_rate: the fraction of the captions that mention the factor, with its interval.
    expected:     "kept", "lost" or "in between", as `misalign audit` prints.
    predicted:    the score by `predicted_score`.
    value:        macro-F1 of zero-shot classification, with its interval; `chance` is 1 / values.
    """
    splits, lanes = plan.domain.load(lambda fraction: None), load_lanes(directory)
    sample = caption_sampler(plan, splits, captions)
    studied = {name for lane in plan.lanes for name in lane.selected.split()}
    full = max(lane.encoding_size for lane in plan.lanes)
    rows = []
    for index, lane in enumerate(plan.lanes):
        data = jax.tree.map(lambda leaf, index=index: leaf[index], plan.data)
        folder = directory / "mention_rates" / f"lane_{index}"
        rates = audit_files(write_caption_files(folder, plan.domain.language, *sample(data)))
        scores = lane_scores(lanes, index, plan, splits)
        columns = columns_of(lane, studied, full)
        for rate in rates:
            if rate.group in studied:
                rows += _rows(index, lane, rate, scores[rate.group], columns)
        show((index + 1) / len(plan.lanes))
    table = pd.DataFrame(rows)
    table.insert(0, "run", directory.name)
    return table


def lane_scores(
    lanes: LoadedLanes, index: int, plan: Plan, splits: ImageSplits
) -> dict[str, GroupScores]:
    """Returns the scores of each factor, as `misalign zero_shot --run --lane` computes them."""
    take = partial(jax.tree.map, lambda leaf: leaf[index])
    encode = partial(
        compiled_encode, *map(take, (lanes.params, lanes.stats)), hyper=take(lanes.hyper)
    )

    def encode_rows(rows, modality):
        of_part = lambda part: mmcl.Modalities(None, None)._replace(**{modality: part})
        encode_part = lambda part: getattr(encode(of_part(part), recipe=lanes.recipe), modality)
        return encoded_in_parts(encode_part, rows, lanes.recipe)

    selected = np.asarray(lanes.bias.selected[index])
    groups = factor_groups(encode_rows, selected, plan.domain.language, splits).groups
    return {group.group: score_group(group, SEED) for group in groups}


def columns_of(lane: Lane, studied: set[str], full: int) -> tuple[str, ...]:
    """Returns which columns a lane has, EXACT, SPARE or both; `full` is one for each factor."""
    if not lane.perturbable and {*lane.selected.split()} == studied:
        return EXACT, SPARE
    return (SPARE,) if lane.encoding_size == full else (EXACT,)


def predicted_score(columns: str, mention_rate: float, chance: float) -> float:
    """Returns the predicted score of a factor: 1 if it is kept, `chance` if it is lost.

    A factor that captions always mention is kept, one that they never mention is lost. At any rate
    in between it is lost with EXACT columns, by the theorem of docs/misalignment.md, and kept with
    SPARE ones, by the calculation there.
    """
    kept = mention_rate == 1 if columns == EXACT else mention_rate > 0
    return 1.0 if kept else chance


def _rows(
    number: int, lane: Lane, rates: GroupRates, scores: GroupScores, columns: tuple[str, ...]
) -> Iterator[dict]:
    chance, selection = 1 / len(scores.concepts), rates.selection
    is_omitted = rates.group in lane.perturbable.split()
    is_selected = rates.group in lane.selected.split()
    for name in columns:
        yield {
            "columns": name,
            "lane": number,
            "seed": lane.seed,
            "encoding_size": lane.encoding_size,
            "kind": lane.misalignment if is_omitted else FIXED,
            "factor": rates.group,
            "set_rate": 1 - lane.noise_probability if is_omitted else float(is_selected),
            "mention_rate": selection.value,
            "mention_low": selection.low,
            "mention_high": selection.high,
            "expected": expected(selection, rates.perturbation, rates.chance),
            "predicted": predicted_score(name, selection.value, chance),
            **{part: float(value) for part, value in scores.macro_f1._asdict().items()},
            "chance": chance,
        }
