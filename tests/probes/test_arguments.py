import jax
import jax.numpy as jnp
import jaxtyping
import pytest

import probes
from probes import Latents, Split
from probes.factors import one_hots
from probes.metrics import masked_mean
from probes.pair_geometry import alignment, comparable, modality_gap, uniformity
from probes.retrieval import pair_scores, recall, recall_of_groups

KEY = jax.random.key(0)
X, Y, LABELS = jnp.zeros((6, 3)), jnp.zeros((6, 2)), jnp.zeros(6, int)
Z, S = Split(X, X), Split(Y, Y)
LATENTS = Split(Latents(X, Y, Y), Latents(X, Y, Y))
TWO = jnp.ones(2, bool)
CASES = [
    (
        lambda: probes.r2(jnp.zeros((6, 10)), Y[:, :1]),
        "number of columns of predictions is 1: .* 10",
    ),
    (
        lambda: probes.r2(Y, Y[:5]),
        "number of rows of predictions is 5: allowed is 6, as in targets",
    ),
    (lambda: probes.r2(Y[:0], Y[:0]), "number of rows of targets is 0: allowed is 1 or more"),
    (lambda: probes.r2(Y.astype(int), Y), "dtype of targets is int32: allowed is a floating-point"),
    (lambda: probes.r2(Y[:, 0], Y), r"shape of targets is \(6,\): allowed is \[n, d\]"),
    (lambda: masked_mean(Y[0], TWO[:1]), r"shape of where is \(1,\): allowed is \(2,\)"),
    (lambda: masked_mean(Y[0], Y[0]), "dtype of where is float32: allowed is bool"),
    (
        lambda: probes.matthews(LABELS, X[:, 0]),
        "dtype of predictions is float32: allowed is an int",
    ),
    (lambda: probes.matthews(LABELS, LABELS[:4]), "rows of predictions is 4: allowed is 6"),
    (lambda: probes.matthews(LABELS, LABELS, 1), "classes is 1: allowed is 2 or more"),
    (lambda: probes.mean_corr(X, Y[:4], TWO), "rows of latents is 4: allowed is 6, as in features"),
    (lambda: probes.linear_cka(X, Y, TWO[:1]), r"shape of where is \(1,\)"),
    (lambda: comparable(X, Y), "columns of t is 2: allowed is 3, as in x"),
    (lambda: comparable(X, X, columns=TWO), r"shape of columns is \(2,\): allowed is \(3,\)"),
    (lambda: comparable(X, X, "angle"), "similarity is 'angle': allowed is one of negative_sq"),
    (lambda: modality_gap(X, X[:4]), "rows of t is 4: allowed is 6, as in x"),
    (lambda: alignment(X, X.astype(int)), "dtype of t is int32: allowed is a floating-point"),
    (lambda: uniformity(X[:0]), "number of rows of rows is 0: allowed is 1 or more"),
    (lambda: recall(X, X[:4]), "number of rows of gallery is 4: allowed is 6, as in queries"),
    (lambda: recall(X, X, counts=(1, 0)), r"counts\[1\] is 0: allowed is 1 or more"),
    (lambda: recall(X, X, counts=()), "counts is .*: allowed is one number or more"),
    (lambda: recall_of_groups(X[:0]), "number of rows of groups is 0: allowed is 1 or more"),
    (lambda: pair_scores(X, X, "angle"), "similarity is 'angle': allowed is one of"),
    (lambda: probes.nearest(X, Y, 1), "columns of queries is 3: allowed is 2, as in rows"),
    (lambda: probes.nearest(X, X, 7), "number of rows is 6: allowed is 7 or more"),
    (lambda: probes.nearest(X, X, 0), "count is 0: allowed is 1 or more"),
    (lambda: probes.independence_test(KEY, X, Y[:5]), "rows of b is 5: allowed is 6, as in a"),
    (
        lambda: probes.infonce(KEY, Z, Split(Y[:5], Y)),
        r"rows of b\.fit is 5: allowed is 6, as in a",
    ),
    (
        lambda: probes.nwj(KEY, Split(X, Y), S),
        r"columns of a\.test is 2: allowed is 3, as in a\.fit",
    ),
    (lambda: probes.gaussian_information(jnp.eye(3), 3), "width is 3: allowed is 1 to 2"),
    (lambda: probes.dci(KEY, probes.ridge, Z, Split(Y, Y[:5]), where=TWO), r"latents\.test is 5"),
    (lambda: probes.dci(KEY, probes.ridge, Z, S, where=TWO[:1]), r"shape of where is \(1,\)"),
    (
        lambda: probes.residual_independence(KEY, probes.ridge, Z, S, given=Split(Y[:3], Y)),
        r"rows of given\.fit is 3: allowed is 6, as in representation\.fit",
    ),
    (
        lambda: probes.latent_scores(KEY, probes.ridge, Split(X[:4], X), LATENTS),
        r"rows of latents\.s\.fit is 6: allowed is 4, as in features\.fit",
    ),
    (
        lambda: probes.identifiability_scores(
            KEY, probes.ridge, Z, LATENTS, unbiased=TWO, dimensions=TWO
        ),
        r"shape of representations\.fit is \(6, 3\): allowed is \[r, n, d\]",
    ),
    (
        lambda: probes.factor_matthews(KEY, probes.logistic, S, Z, classes=3),
        r"dtype of labels\.fit is float32: allowed is an integer dtype, bool",
    ),
    (
        lambda: probes.factor_r2(KEY, probes.ridge, Split(Y, Y[:, :1]), Z),
        r"columns of values\.test is 1: allowed is 2, as in values\.fit",
    ),
    (lambda: one_hots(Y.astype(int), TWO, [2]), "number of sizes is 1: allowed is 2"),
    *(
        (lambda probe=probe: probe(KEY, X, Y[:4], X), "rows of targets is 4: allowed is 6")
        for probe in probes.PROBES.values()
    ),
    *(
        (lambda probe=probe: probe(KEY, X, Y, Y), "columns of queries is 2: allowed is 3")
        for probe in probes.PROBES.values()
    ),
    *(
        (lambda f=f: f(KEY, X, X[:, 0], X, classes=2), "dtype of labels is float32: allowed is an")
        for f in probes.CLASSIFIERS.values()
    ),
    *(
        (lambda f=f: f(KEY, X, LABELS, X, classes=1), "classes is 1: allowed is 2 or more")
        for f in probes.CLASSIFIERS.values()
    ),
]


@pytest.fixture(autouse=True)
def unchecked_types():
    """The annotations that tests check refuse wrong shapes before the functions do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.parametrize("call, message", CASES)
def test_wrong_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_unknown_variant_and_too_few_semantics_are_refused():
    both = probes.Environments(*[jnp.zeros((6, 9))] * 3)
    with pytest.raises(ValueError, match="variant is 'own': allowed is one of paper, reference"):
        probes.downstream_scores(KEY, both, both, "own")
    few = probes.Environments(*[X] * 3)
    with pytest.raises(ValueError, match=r"columns of s\.fit is 3: allowed is 9 or more"):
        probes.downstream_scores(KEY, both, few)


def test_a_compiled_program_contains_no_check():
    """Checks of shapes leave the program of a healthy call as it is without them."""
    text = str(jax.make_jaxpr(probes.r2)(Y, Y))
    assert "callback" not in text and "check" not in text
