"""Every line of the tables of scores in docs/degenerate_input.md, by the words of the page."""

import re
from functools import cache

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import probes
from probes import Environments, Split, downstream, information
from probes.predictors import boosted_trees, networks
from probes.retrieval import COUNTS, pair_scores
from tests.repository import ROOT

N = 320
X = np.random.default_rng(0).normal(size=(2 * N, 3)).astype(np.float32)
FIT, TEST = slice(0, N), slice(N, 2 * N)
TARGETS = np.stack([X[:, 0] + 0.5 * X[:, 1], X[:, 1] - X[:, 0]], axis=1)
LABELS = np.stack([X[:, 0] > 0, X[:, 1] + X[:, 0] > 0.5], axis=1).astype(np.int32)
KEY = jax.random.key(0)
SHIFTED = {
    "constant features": lambda x: np.full_like(x, 0.3),
    "a constant column": lambda x: _with_last(x, 0.3),
    "a duplicate column": lambda x: _with_last(x, x[:, 0]),
    "a collinear column": lambda x: _with_last(x, x[:, 0] + x[:, 1]),
    "columns times 1, 1 and 1e7": lambda x: x * np.float32([1, 1, 1e7]),
    "features times 1e-12": lambda x: x * np.float32(1e-12),
    "features times 1e12": lambda x: x * np.float32(1e12),
    "features plus 1e3": lambda x: x + np.float32(1e3),
    "NaN in the features": lambda x: _with_nan(x, (5, 0)),
    "NaN in the features to fit": lambda x: _with_nan(x, (5, 0)),
    "NaN in a query": lambda x: _with_nan(x, (N + 5, 0)),
}


def _with_last(rows, values):
    rows = rows.copy()
    rows[:, -1] = values
    return rows


def _with_nan(rows, index):
    rows = rows.copy()
    rows[index] = np.nan
    return rows


def _with_first(rows, values):
    rows = rows.copy()
    rows[:, 0] = values
    return rows


def _of_features(score, words, x=X):
    return {word: lambda word=word: score(SHIFTED[word](x)) for word in words}


def _split(rows):
    return Split(jnp.asarray(rows[FIT]), jnp.asarray(rows[TEST]))


def r2_cases():
    predictions = TARGETS + 0.1 * X[:, :2]
    score = lambda t=TARGETS, p=predictions: probes.r2(jnp.asarray(t), jnp.asarray(p))
    both = lambda change: score(change(TARGETS), change(predictions))
    return score, {
        "constant target": lambda: score(np.full_like(TARGETS, 0.3)),
        "constant target, predictions with NaN": lambda: score(
            np.full_like(TARGETS, 0.3), TARGETS * np.nan
        ),
        "NaN in a target": lambda: score(_with_nan(TARGETS, (3, 0))),
        "NaN in a prediction": lambda: score(TARGETS, _with_nan(predictions, (3, 0))),
        "one row": lambda: score(TARGETS[:1], predictions[:1]),
        "targets and predictions times 1e-12": lambda: both(lambda y: y * np.float32(1e-12)),
        "targets and predictions times 1e12": lambda: both(lambda y: y * np.float32(1e12)),
        "targets and predictions plus 1e4": lambda: both(lambda y: y + np.float32(1e4)),
        "predictions of one column for two targets": lambda: score(TARGETS, predictions[:, :1]),
    }


def matthews_cases():
    labels, predictions = LABELS.T
    score = lambda t=labels, p=predictions, classes=2: probes.matthews(
        jnp.asarray(t), jnp.asarray(p), classes
    )
    ones = np.ones_like(labels)
    return score, {
        "one class in the labels": lambda: score(ones),
        "one class in the predictions": lambda: score(labels, ones),
        "an absent class": lambda: score(classes=4),
        "a label that is not a class": lambda: score(np.where(np.arange(2 * N) == 3, 2, labels)),
        "a prediction of -1": lambda: score(labels, np.where(np.arange(2 * N) == 3, -1, labels)),
        "one row": lambda: score(labels[:1], predictions[:1]),
        "labels of a float dtype": lambda: score(labels.astype(np.float32)),
        "one class allowed": lambda: score(classes=1),
    }


def regression_cases(probe):
    def score(x=X, y=TARGETS, rows=N):
        predicted = probe(KEY, *map(jnp.asarray, (x[:rows], y[:rows], x[TEST])))
        return probes.r2(jnp.asarray(TARGETS[TEST] * _unit(y)), predicted)

    words = [*SHIFTED]
    words.remove("NaN in the features")
    return score, {
        **_of_features(score, words),
        "constant target": lambda: probes.r2(
            jnp.asarray(_with_first(TARGETS, 2.0)[TEST]),
            probe(KEY, *map(jnp.asarray, (X[FIT], _with_first(TARGETS, 2.0)[FIT], X[TEST]))),
        ),
        "targets times 1e-12": lambda: score(y=TARGETS * np.float32(1e-12)),
        "targets times 1e12": lambda: score(y=TARGETS * np.float32(1e12)),
        "NaN in a target to fit": lambda: score(y=_with_nan(TARGETS, (3, 0))),
        "one row to fit": lambda: score(rows=1),
        "different numbers of rows": lambda: probe(
            KEY, *map(jnp.asarray, (X[:8], TARGETS[:9], X[TEST]))
        ),
    }


def _unit(targets):
    """The factor by which the targets were multiplied."""
    return np.float32(targets[0, 1] / TARGETS[0, 1])


def classifier_cases(classifier):
    def score(x=X, labels=LABELS, rows=N, classes=2):
        fit_and_test = lambda part: Split(jnp.asarray(part[:rows]), jnp.asarray(part[TEST]))
        return probes.factor_matthews(
            KEY, classifier, fit_and_test(labels), fit_and_test(x), classes=classes
        )

    words = [*SHIFTED]
    for word in ("NaN in the features", "features times 1e-12", "features times 1e12"):
        words.remove(word)
    return score, {
        **_of_features(score, words),
        "one class to fit": lambda: score(labels=_with_first(LABELS, 1)),
        "an absent class": lambda: score(classes=3),
        "a label that is not a class": lambda: score(labels=_with(LABELS, (3, 0), 7)),
        "one row to fit": lambda: score(rows=1),
        "labels of a float dtype": lambda: score(labels=LABELS.astype(np.float32)),
    }


def _with(rows, index, value):
    rows = rows.copy()
    rows[index] = value
    return rows


def similarity_cases(metric):
    latents, where = TARGETS + 0.2 * X[:, 1:], np.array([True, True])

    def score(x=X, s=latents, where=where):
        return metric(jnp.asarray(x), jnp.asarray(s), jnp.asarray(where))

    first = np.array([True, False])
    words = [*SHIFTED]
    if metric is probes.linear_cka:
        words.remove("a duplicate column")
        words.remove("columns times 1, 1 and 1e7")
    for word in ("a collinear column", "NaN in the features to fit", "NaN in a query"):
        words.remove(word)
    base = _with_last(X, 0.0)  # the last column holds nothing that matters
    return lambda: score(base), {
        **_of_features(score, words, base),
        "NaN in a latent": lambda: score(s=_with_nan(latents, (3, 0))),
        "NaN in a latent that takes no part": lambda: (
            score(base, _with_nan(latents, (3, 1)), first) - score(base, where=first) + score(base)
        ),
        "no latent takes part": lambda: score(where=~(where | where)),
        "one row": lambda: score(X[:1], latents[:1]),
    }


def pair_cases(name):
    """Cases of one score of pairs whose images are X, and whose texts are near them."""
    t = X + np.float32(0.3) * X[::-1]

    def score(x=X, t=t, columns=None):
        scores = pair_scores(jnp.asarray(x), jnp.asarray(t), columns=columns)
        return jnp.ravel(getattr(scores, name))

    words = ["features times 1e-12", "features times 1e12", "features plus 1e3"]
    both = lambda change: score(change(X), change(t))
    spare = lambda rows: np.pad(rows, ((0, 0), (0, 1)), constant_values=np.nan)
    alone = np.zeros_like(X)
    return score, {
        **{word: lambda word=word: both(SHIFTED[word]) for word in words},
        "constant features": lambda: both(SHIFTED["constant features"]),
        "one constant of each modality": lambda: score(alone, alone + 1),
        "a constant column": lambda: both(lambda rows: np.pad(rows, ((0, 0), (0, 1)))),
        "NaN in an image": lambda: score(_with_nan(X, (5, 0))),
        "NaN in a text": lambda: score(t=_with_nan(t, (5, 0))),
        "NaN in a column that takes no part": lambda: score(
            spare(X), spare(t), jnp.array([True, True, True, False])
        ),
        "no column takes part": lambda: score(columns=jnp.zeros(3, bool)),
        "one pair": lambda: score(X[:1], t[:1]),
        "more texts than images": lambda: score(X[:-1]),
    }


def independence_cases():
    score = lambda x=X: (
        probes.independence_test(KEY, jnp.asarray(x[:64]), jnp.asarray(X[64:128, :1])).p_value
    )
    words = [word for word in SHIFTED if word.startswith(("features", "constant", "NaN in the f"))]
    words.remove("NaN in the features to fit")
    one_row = lambda: probes.independence_test(KEY, X[:1], X[:1, :1]).p_value
    return score, {**_of_features(score, words), "one row": one_row}


def dci_cases():
    def score(x=X, s=TARGETS, where=(True, True)):
        where = jnp.array(where)
        return probes.dci(KEY, probes.ridge, _split(x), _split(s), where=where).informativeness

    first, words = (True, False), ["constant features", "a constant column", "NaN in the features"]
    return score, {
        **_of_features(score, [*words, "columns times 1, 1 and 1e7"]),
        "NaN in a latent": lambda: score(s=_with_nan(TARGETS, (3, 0))),
        "NaN in a latent that takes no part": lambda: (
            score(s=_with_nan(TARGETS, (3, 1)), where=first) - score(where=first) + score()
        ),
        "no latent takes part": lambda: score(where=(False, False)),
    }


def information_cases(bound):
    def score(x=X, s=TARGETS):
        return bound(KEY, _split(x), _split(s + 0.5 * X[:, 1:])).nats

    words = ["constant features", "NaN in the features", "columns times 1, 1 and 1e7"]
    one_row = lambda rows: Split(jnp.asarray(rows[FIT]), jnp.asarray(rows[:1]))
    return score, {
        **_of_features(score, words),
        "NaN in a latent": lambda: score(s=_with_nan(TARGETS, (3, 0))),
        "one row to test": lambda: bound(KEY, one_row(X), one_row(TARGETS)),
    }


def gaussian_cases():
    root = np.random.default_rng(1).normal(size=(3, 3))
    covariance = root @ root.T
    score = lambda cov=covariance, width=1: probes.gaussian_information(jnp.float32(cov), width)
    unit = np.array([1e-6, 1, 1e6])
    return score, {
        "a constant variable": lambda: score(covariance * np.outer([0, 1, 1], [0, 1, 1])),
        "a variable twice, in both groups": lambda: score(np.ones((2, 2))),
        "NaN in the covariance": lambda: score(_with_nan(covariance, (0, 1))),
        "variables times 1e-6, 1 and 1e6": lambda: score(covariance * np.outer(unit, unit)),
        "an empty group": lambda: score(width=0),
    }


def nearest_cases():
    def score(queries=X[:2], rows=X[:40], count=1):
        return probes.nearest(jnp.asarray(queries), jnp.asarray(rows), count)[:, 0]

    far = np.float32(1e3)
    return score, {
        "a duplicate row": lambda: score(rows=np.concatenate([X[:40], X[:40]])),
        "NaN in a query": lambda: score(_with_nan(X[:2], (0, 1))),
        "NaN in the rows": lambda: score(rows=_with_nan(X[:40], (7, 1))),
        "rows and queries plus 1e3": lambda: score(X[:2] + far, X[:40] + far),
        "more neighbours than rows": lambda: score(rows=X[:3], count=4),
    }


def downstream_cases():
    semantics = np.random.default_rng(2).normal(size=(2 * N, 10)).astype(np.float32)

    def environments(rows):
        return Environments(*map(jnp.asarray, (rows[FIT], rows[TEST], rows[TEST])))

    def score(x=semantics, s=semantics):
        return probes.downstream_scores(KEY, environments(x), environments(s)).r2[0, ::-1]

    return score, {
        "constant features": lambda: score(SHIFTED["constant features"](semantics)),
        "NaN in the features to fit": lambda: score(_with_nan(semantics, (3, 0))),
        "NaN in the ninth semantic": lambda: score(s=_with_nan(semantics, (3, 8))),
    }


SECTIONS = {
    "r2": [r2_cases()],
    "matthews": [matthews_cases()],
    "Regression probes": [*map(regression_cases, probes.PROBES.values())],
    "Classifiers": [*map(classifier_cases, probes.CLASSIFIERS.values())],
    "mean_corr": [similarity_cases(probes.mean_corr)],
    "linear_cka": [similarity_cases(probes.linear_cka)],
    "recall": [pair_cases("recall")],
    "modality_gap": [pair_cases("modality_gap")],
    "alignment": [pair_cases("alignment")],
    "uniformity": [pair_cases("uniformity")],
    "independence_test": [independence_cases()],
    "dci": [dci_cases()],
    "infonce and nwj": [information_cases(probes.infonce), information_cases(probes.nwj)],
    "gaussian_information": [gaussian_cases()],
    "nearest": [nearest_cases()],
    "downstream_scores": [downstream_cases()],
}


def documented():
    """Yields the heading, the input and the result of every line of a table."""
    text = (ROOT / "docs" / "degenerate_input.md").read_text()
    scores = text.partition("\n## Scores\n")[2].partition("\n## Objectives\n")[0]
    for section in scores.split("\n### ")[1:]:
        for line in re.findall(r"^\| (.+) \| (.+) \|$", section, re.MULTILINE):
            if line[0] != "input":
                yield section.splitlines()[0], *line


LINES = list(documented())
CHANCE = np.tile(np.array(COUNTS) / len(X), 2)
EXPECTED = {"NaN": np.nan, "infinity": np.inf, "k / n": CHANCE}


@pytest.fixture(autouse=True)
def unchecked_types():
    """The annotations that tests check refuse wrong shapes before the functions do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(autouse=True, scope="module")
def short_training():
    """Few, small steps, as no result of the page depends on a good fit of nonlinear parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(downstream, "STEPS", 40)
        patch.setattr(information, "STEPS", 60)
        patch.setattr(information, "BATCH", 64)
        patch.setattr(networks, "BATCH", 128)
        patch.setattr(boosted_trees, "TREES", 2)
        yield


@cache
def without_change(score):
    """The score of healthy input, an array of one axis or more."""
    return np.atleast_1d(score())


def test_the_page_and_the_cases_agree():
    for heading, variants in SECTIONS.items():
        inputs = {word for section, word, _ in LINES if section == heading}
        for _, cases in variants:
            assert inputs == set(cases), heading
    assert {section for section, *_ in LINES} == set(SECTIONS)


@pytest.mark.parametrize(
    "heading, word, result", LINES, ids=[" - ".join(line[:2]) for line in LINES]
)
def test_a_line_of_the_page(heading, word, result):
    for healthy, cases in SECTIONS[heading]:
        if result == "ValueError":
            with pytest.raises(ValueError, match=" is .*: allowed is "):
                cases[word]()
            continue
        measured, (value, _, others) = np.atleast_1d(cases[word]()), result.partition(", others ")
        if others:
            np.testing.assert_allclose(measured[1:], without_change(healthy)[1:], atol=0.03)
            measured = measured[:1]
        if value == "unchanged":
            np.testing.assert_allclose(measured, without_change(healthy), atol=0.03)
        elif value == "0 or less":
            assert (measured < 0.05).all()
        else:
            expected = EXPECTED.get(value, None if value in EXPECTED else float(value))
            np.testing.assert_allclose(measured, np.full_like(measured, expected), atol=0.03)
