"""Probes of a user's own."""

import jax
import jax.numpy as jnp
import pytest

import probes
from probes.registry import register_probe
from tests.registries import temporary_registries


def mean(key, features, targets, queries):
    return jnp.broadcast_to(targets.mean(0)[None], (len(queries), targets.shape[1]))


def first(key, features, targets, queries):
    return targets[:1]


def score(key, probe):
    rows = jax.random.normal(key, (8, 2))
    latents = probes.Latents(rows, rows, rows)
    return probes.latent_scores(
        key, probe, probes.Split(rows, rows), probes.Split(latents, latents)
    )


def test_a_probe_is_registered_under_a_new_name(key, unchecked_types):
    with temporary_registries():
        register_probe("mean", mean)
        register_probe("mean", mean)
        assert abs(score(key, probes.PROBES["mean"]).s).max() < 1e-6
        for name, probe, message in (
            ("mean", first, "name of the probe is 'mean': allowed is one that is not taken"),
            ("linear", mean, "name of the probe is 'linear': allowed is one that is not taken"),
            ("my probe", mean, "name of the probe is 'my probe': allowed are letters"),
            ("other", 3, "probe is 3: allowed is a function"),
        ):
            with pytest.raises(ValueError, match=message):
                register_probe(name, probe)


def test_predictions_of_another_shape_are_refused_with_the_name_of_the_probe(key, unchecked_types):
    message = r"probe 'first' returns float32 \[1, 6\]: allowed is float32 \[8, 6\]"
    with pytest.raises(ValueError, match=message):
        score(key, first)
    with pytest.raises(ValueError, match="probe 'nothing' returns NoneType: allowed is float32"):
        score(key, nothing)


def nothing(key, features, targets, queries):
    return None
