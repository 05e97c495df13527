"""Score text: rank correlations of mention rate and score as a terminal table and sentences."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.audit.scores.rank_correlation import RankCorrelation
from experiments.audit.scores.score_join import GROUPS, main_metric
from experiments.audit.scores.score_table import METRICS
from experiments.report.terminal_tables import Column

SIGNIFICANT = 0.05
PREDICTION = (
    "The claim predicts that the model fails at concepts that captions omit: a positive rank "
    "correlation of mention rate and score."
)

Correlations = Mapping[tuple[str, str], RankCorrelation]  # by level and metric of a concept


def correlation_columns(found: Correlations) -> list[Column]:
    """Returns the columns for the terminal: one row per level and metric."""
    values = found.values()
    return [
        Column("mention rate and score of", [level for level, _ in found], True),
        Column("metric", [metric_name(*key) for key in found], True),
        Column("n", [str(value.n) for value in values], False),
        Column("rank correlation", [_number(value.value) for value in values], False),
        Column("95 % interval", [_interval(value) for value in values], False),
        Column("p", [_p_value(value.p_value) for value in values], False),
    ]


def sentences(found: Correlations, joined: pd.DataFrame) -> list[str]:
    """Returns the prediction, the outcome at each level, and the scores of extreme quarters.

    They are about the first metric of METRICS that concepts have.
    """
    main = main_metric(joined)
    of_concepts = joined[(joined.concept != "") & (joined.metric == main)]
    return [
        PREDICTION,
        *(
            f"Over {value.n} {level}, mention rate and {metric_name(level, metric)} have "
            f"{_outcome(value)}."
            for (level, metric), value in found.items()
            if metric == main
        ),
        *_quarters(of_concepts, METRICS[main]),
    ]


def metric_name(level: str, metric: str) -> str:
    """Returns the name in text of the score at a level: "F1", "macro-F1" or "accuracy"."""
    return "macro-F1" if (level, metric) == (GROUPS, "f1") else METRICS[metric]


def _outcome(value: RankCorrelation) -> str:
    if np.isnan(value.value):
        return "no rank correlation: there are too few, or one of the two does not vary"
    p_value = _p_value(value.p_value)
    number = (
        f"a rank correlation of {_number(value.value)} (95 % interval {_interval(value)}, "
        f"permutation p {'' if '<' in p_value else '= '}{p_value})"
    )
    if value.p_value > SIGNIFICANT:
        return f"{number}, not distinguishable from none"
    return f"{number}, as predicted" if value.value > 0 else f"{number}, against the prediction"


def _quarters(of_concepts: pd.DataFrame, name: str) -> list[str]:
    """Returns a sentence with the mean scores of the concepts mentioned least and most."""
    quarter = len(of_concepts) // 4
    if not quarter:
        return []
    values = of_concepts.sort_values("selection_rate", kind="stable").value
    return [
        f"The mean {name} is {values[:quarter].mean():.2f} over the quarter of concepts that "
        f"captions mention least, and {values[-quarter:].mean():.2f} over the quarter that they "
        "mention most."
    ]


def _interval(value: RankCorrelation) -> str:
    return "–" if np.isnan(value.low) else f"{_number(value.low)} to {_number(value.high)}"


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}"


def _p_value(p_value: float) -> str:
    if np.isnan(p_value):
        return "–"
    return f"{p_value:.3f}" if p_value >= 0.0005 else "< 0.001"
