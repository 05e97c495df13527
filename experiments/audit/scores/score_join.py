"""Score join: mention rates beside scores, and their rank correlations."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments.audit.rates import GroupRates
from experiments.audit.scores.rank_correlation import RankCorrelation, rank_correlation
from experiments.audit.scores.score_table import GROUP_METRICS, METRICS
from experiments.audit.value_tables import value_table

SEED = 0  # of permutations and bootstrap
CONCEPTS, WITHIN, GROUPS = "concepts", "concepts within groups", "groups"


def join_scores(rates: Sequence[GroupRates], captions: int, scores: pd.DataFrame) -> pd.DataFrame:
    """Returns the scores of `read_scores` with the mention rates of their concepts.

    The mention rate of a group is the mean over its concepts that have a score; it has no count
    and no interval.

    captions: number of captions.
    """
    mentions = value_table(rates, captions).drop(columns="captions")
    names = scores.loc[scores.concept != "", ["group", "concept"]].drop_duplicates()
    means = mentions.merge(names).groupby("group", as_index=False).selection_rate.mean()
    mentions = pd.concat([mentions, means.assign(concept="")])
    return scores.merge(mentions, how="left", on=["group", "concept"])


def correlations(joined: pd.DataFrame) -> dict[tuple[str, str], RankCorrelation]:
    """Returns rank correlations of mention rate and score by level and metric of a concept.

    The levels are CONCEPTS; WITHIN, where only differences within a group count; and GROUPS, by the
    metric of a group that belongs to that of a concept. A level is absent if there are no scores,
    and WITHIN if there is only one group.
    """
    found = {}
    for metric in METRICS:
        of_concepts = joined[(joined.concept != "") & (joined.metric == metric)]
        of_groups = joined[(joined.concept == "") & (joined.metric == GROUP_METRICS[metric])]
        groups = pd.factorize(of_concepts.group)[0]
        for level, rows, strata in (
            (CONCEPTS, of_concepts, None),
            (WITHIN, of_concepts if of_concepts.group.nunique() > 1 else of_concepts[:0], groups),
            (GROUPS, of_groups.dropna(subset="selection_rate"), None),
        ):
            if len(rows):
                x, y = rows.selection_rate.to_numpy(), rows.value.to_numpy()
                rng = np.random.default_rng(SEED)
                found[level, metric] = rank_correlation(x, y, strata, rng=rng)
    return found


def main_metric(joined: pd.DataFrame) -> str:
    """Returns the first of METRICS that concepts have."""
    return next(metric for metric in METRICS if metric in set(joined.metric[joined.concept != ""]))
