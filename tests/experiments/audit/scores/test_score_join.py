import numpy as np
import pandas as pd
import pytest

from experiments.audit.concepts import make_concepts
from experiments.audit.counting import count_all
from experiments.audit.rates import compute_rates
from experiments.audit.scores.score_join import (
    CONCEPTS,
    GROUPS,
    WITHIN,
    correlations,
    join_scores,
    main_metric,
)
from experiments.audit.scores.score_scatter import save_scatter
from experiments.audit.scores.score_text import PREDICTION, correlation_columns, sentences

SIZE = 6  # concepts of a group
NAMES = [(f"g{index // SIZE}", f"w{index // SIZE}x{index % SIZE}") for index in range(30)]
MENTIONS = {name: 1 + 3 * index for index, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def rates():
    """Rates of concepts in captions that mention one concept each, later ones more often."""
    concepts = make_concepts([(group, value, [value]) for group, value in NAMES])
    captions = [value for (_, value), count in MENTIONS.items() for _ in range(count)]
    return compute_rates(concepts, count_all(concepts, captions))


def scores_of(value, metric="f1", group_metric="macro_f1"):
    """Scores `value(index of group, index in group)` of all concepts, and means of groups."""
    by_name = {
        (group, name): value(index // SIZE, index % SIZE)
        for index, (group, name) in enumerate(NAMES)
    }
    rows = [(group, name, metric, score) for (group, name), score in by_name.items()]
    for group in dict.fromkeys(group for group, _ in NAMES):
        of_group = [score for (name, _), score in by_name.items() if name == group]
        rows.append((group, "", group_metric, np.mean(of_group)))
    table = pd.DataFrame(rows, columns=["group", "concept", "metric", "value"])
    return table.assign(low=table.value, high=table.value, images=1.0)


def join(rates, scores):
    return join_scores(rates, sum(MENTIONS.values()), scores)


def test_rates_are_those_of_concepts_and_means_of_scored_concepts(rates):
    scores = scores_of(lambda group, value: 0.5)
    kept = ~((scores.group == "g1") & scores.concept.isin(["w1x4", "w1x5"]))
    joined = join(rates, scores[kept])
    total = sum(MENTIONS.values())
    by_name = joined.set_index(["group", "concept"]).selection_rate
    for name, count in MENTIONS.items():
        if name in by_name:
            assert by_name[name] == pytest.approx(count / total)
    assert len(joined) == kept.sum()
    of_group = [MENTIONS[name] for name in NAMES if name[0] == "g1"][:4]
    assert by_name["g1", ""] == pytest.approx(np.mean(of_group) / total)
    assert joined.mentioned.isna().tolist() == (joined.concept == "").tolist()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (lambda group, value: 0.1 * group + 0.01 * value, {CONCEPTS: 1, WITHIN: 1, GROUPS: 1}),
        (lambda group, value: 0.1 * group - 0.01 * value + 0.1, {WITHIN: -1, GROUPS: 1}),
        (lambda group, value: 0.8 - 0.1 * group + 0.01 * value, {WITHIN: 1, GROUPS: -1}),
    ],
)
def test_correlations_of_each_level(rates, value, expected):
    found = correlations(join(rates, scores_of(value)))
    assert list(found) == [(CONCEPTS, "f1"), (WITHIN, "f1"), (GROUPS, "f1")]
    for level, correlation in expected.items():
        assert found[level, "f1"].value == pytest.approx(correlation)
    assert [result.n for result in found.values()] == [30, 30, 5]


def test_sentences_state_the_prediction_and_the_outcome(rates):
    joined = join(rates, scores_of(lambda group, value: 0.1 * group + 0.01 * value))
    first, of_concepts, within, groups, quarters = sentences(correlations(joined), joined)
    assert first == PREDICTION
    assert of_concepts == (
        "Over 30 concepts, mention rate and F1 have a rank correlation of 1.00 (95 % interval 1.00 "
        "to 1.00, permutation p < 0.001), as predicted."
    )
    assert within.startswith("Over 30 concepts within groups, mention rate and F1 have a rank corr")
    assert groups.startswith("Over 5 groups, mention rate and macro-F1 have a rank correlation of")
    assert quarters == (
        "The mean F1 is 0.04 over the quarter of concepts that captions mention least, and 0.41 "
        "over the quarter that they mention most."
    )


@pytest.mark.parametrize(
    ("value", "ending"),
    [
        (lambda group, value: 0.9 - 0.1 * group - 0.01 * value, ", against the prediction."),
        (
            lambda group, value: (7 * group + 5 * value) % 11 / 11,
            ", not distinguishable from none.",
        ),
        (
            lambda group, value: 0.5,
            "no rank correlation: there are too few, or one of the two does",
        ),
    ],
)
def test_other_outcomes(rates, value, ending):
    joined = join(rates, scores_of(value))
    assert ending in sentences(correlations(joined), joined)[1]


def test_accuracy_is_the_metric_of_scores_without_f1(rates, tmp_path):
    joined = join(rates, scores_of(lambda group, value: 0.1 * group, "accuracy", "accuracy"))
    assert main_metric(joined) == "accuracy"
    found = correlations(joined)
    assert {metric for _, metric in found} == {"accuracy"}
    assert "Over 5 groups, mention rate and accuracy have" in sentences(found, joined)[3]
    assert correlation_columns(found)[1].cells == ["accuracy"] * 3
    save_scatter(joined, 100, tmp_path / "a.png")


def test_one_group_has_no_level_within_and_unscored_groups_none(rates):
    scores = scores_of(lambda group, value: 0.1 * value)
    one = join(rates, scores[(scores.group == "g0") & (scores.concept != "")])
    assert list(correlations(one)) == [(CONCEPTS, "f1")]
    unscored = join(rates, scores[(scores.group == "g0") | (scores.concept == "")])
    assert correlations(unscored)[GROUPS, "f1"].n == 1
