"""A second eager call of a public function with the same shapes compiles nothing."""

import logging
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import probes
from probes import Environments, Latents, Split, downstream, information
from probes.disentanglement import importance
from probes.factors import one_hots
from probes.independence import residuals
from probes.metrics import masked_mean
from probes.pair_geometry import alignment, comparable, modality_gap, uniformity
from probes.predictors.classification import mlp_binary
from probes.predictors.logistic import fit_logistic
from probes.retrieval import pair_scores, recall, recall_of_groups

N, D, K = 48, 4, 2
NOT_FUNCTIONS = {"Classifier", "CLASSIFIERS", "PROBES", "Probe", "Environments", "Latents", "Split"}


def normal(seed, *shape):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def split(seed, *shape):
    return Split(normal(seed, *shape), normal(seed + 1, *shape))


def label_split(seed):
    return jax.tree.map(lambda rows: (rows > 0).astype(jnp.int32), split(seed, N, K))


def latents(seed):
    return Split(*(Latents(normal(s, N, 3), normal(s, N, 2), normal(s, N, 2)) for s in (seed, 9)))


def environments(seed, width):
    return Environments(*(normal(seed + part, N, width) for part in range(3)))


def calls(seed):
    """The arguments of a call of every function, from a seed; all shapes are fixed."""
    key, where, x = jax.random.key(seed), jnp.array([True, False]), normal(seed, N, D)
    fit = (key, x, normal(seed, N, K), x)
    labels = label_split(seed)
    of_labels = (key, x, labels.fit[:, 0], x)
    z, y, first = split(seed, N, D), split(seed, N, K), split(seed, N, 1)
    return {
        probes.dci: ((key, probes.ridge, z, y), {"where": where}),
        importance: ((key, key, probes.ridge), {"features": z, "latents": y}),
        probes.downstream_scores: ((key, environments(seed, D), environments(seed, 9)), {}),
        probes.outcomes: ((normal(seed, N, 9),), {}),
        probes.factor_matthews: ((key, probes.logistic, labels, z), {"classes": 2}),
        probes.factor_r2: ((key, probes.ridge, y, z), {}),
        probes.factor_scores: (
            (partial(probes.factor_r2, key, probes.ridge, y), split(seed, 2, N, D), z),
            {},
        ),
        one_hots: ((labels.fit, where, [2, 2]), {}),
        probes.identifiability_scores: (
            (key, probes.ridge, split(seed, 2, N, D), latents(seed)),
            {"unbiased": jnp.arange(3) < 1, "dimensions": jnp.arange(D) < 2},
        ),
        probes.latent_scores: ((key, probes.mlp, z, latents(seed)), {}),
        probes.independence_test: ((key, x, y.fit), {}),
        probes.residual_independence: ((key, probes.ridge, z, y), {"given": first}),
        residuals: ((key, probes.ridge, y, z), {}),
        probes.gaussian_information: ((jnp.eye(3), 1), {}),
        probes.infonce: ((key, z, y), {}),
        probes.nwj: ((key, z, y), {}),
        probes.matthews: ((labels.fit[:, 0], labels.fit[:, 1]), {}),
        probes.r2: ((y.fit, y.test), {}),
        masked_mean: ((normal(seed, K), where), {}),
        probes.nearest: ((x, x, 3), {}),
        comparable: ((*z, "cosine", jnp.arange(D) < 2), {}),
        modality_gap: (z, {}),
        alignment: (z, {}),
        uniformity: ((x,), {}),
        recall: ((*z, "dot"), {"counts": (1, 2)}),
        recall_of_groups: ((labels.fit,), {}),
        pair_scores: (z, {}),
        probes.linear_cka: ((x, y.fit, where), {}),
        probes.mean_corr: ((x, y.fit, where), {}),
        probes.logistic: (of_labels, {"classes": 2}),
        probes.mlp_classifier: (of_labels, {"classes": 2}),
        mlp_binary: (of_labels, {}),
        fit_logistic: ((x, labels.fit[:, 0], 2), {}),
        **{probe: (fit, {}) for probe in probes.PROBES.values()},
    }


FUNCTIONS = list(calls(0))


@pytest.fixture(autouse=True, scope="module")
def short_training():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(downstream, "STEPS", 2)
        patch.setattr(information, "STEPS", 2)
        yield


def test_every_public_function_is_called():
    public = {getattr(probes, name) for name in set(probes.__all__) - NOT_FUNCTIONS}
    assert public <= set(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS, ids=[f.__name__ for f in FUNCTIONS])
def test_a_second_call_compiles_nothing(function, caplog):
    arguments, keywords = calls(0)[function]
    jax.block_until_ready(function(*arguments, **keywords))
    arguments, keywords = calls(1)[function]
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        jax.block_until_ready(function(*arguments, **keywords))
    assert [r.message for r in caplog.records if "Compiling" in r.message] == []
