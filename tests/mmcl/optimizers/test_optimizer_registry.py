from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mmcl.optimizers.registry import OPTIMIZERS, make_optimizer
from mmcl.optimizers.schedule import Schedule, learning_rate
from mmcl.optimizers.weight_decay import apply_updates


def schedule(peak=0.1, warmup=10, steps=110):
    return Schedule(jnp.float32(peak), jnp.float32(warmup), jnp.float32(steps))


def test_learning_rate_rises_and_decays():
    rates = np.asarray(jax.vmap(lambda step: learning_rate(schedule(), step))(jnp.arange(120)))
    np.testing.assert_allclose(rates[[0, 4, 9]], [0.01, 0.05, 0.1], rtol=1e-5)
    np.testing.assert_allclose(rates[60], 0.05, rtol=1e-5)
    np.testing.assert_allclose(rates[110:], 0, atol=1e-8)
    assert (np.diff(rates[9:]) <= 1e-9).all()


def test_learning_rate_decays_to_the_floor_and_then_linearly_to_0():
    with_floor = Schedule(*map(jnp.float32, (0.1, 10, 110, 0.2, 40)))
    rates = np.asarray(jax.vmap(lambda step: learning_rate(with_floor, step))(jnp.arange(160)))
    np.testing.assert_allclose(rates[60], 0.06, rtol=1e-5)  # the mean of peak and floor
    np.testing.assert_allclose(rates[[110, 120, 130]], [0.02, 0.015, 0.01], rtol=1e-5)
    np.testing.assert_allclose(rates[150:], 0, atol=1e-8)
    assert (np.diff(rates[9:]) <= 1e-9).all()


def test_learning_rate_without_warmup_and_decay_is_constant():
    constant = schedule(warmup=0, steps=jnp.inf)
    rates = jax.vmap(lambda step: learning_rate(constant, step))(jnp.arange(100))
    np.testing.assert_allclose(rates, 0.1, rtol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_descend_a_quadratic(name, key):
    optimizer = make_optimizer(name, schedule(steps=300), jnp.float32(2.0))
    params = {"kernel": jax.random.normal(key, (4, 3)), "bias": jnp.ones(3)}
    loss_of = lambda params: sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params))

    def step(carry, done):
        params, state = carry
        updates, state = optimizer.update(jax.grad(loss_of)(params), state, params, step=done)
        return (jax.tree.map(jnp.add, params, updates), state), None

    (after, _), _ = jax.lax.scan(step, (params, optimizer.init(params)), jnp.arange(300))
    assert loss_of(after) < 0.02 * loss_of(params)


def test_weights_decay_by_a_fraction_and_other_parameters_do_not(key):
    params = {"kernel": jax.random.normal(key, (4, 3)), "bias": jnp.ones(3)}
    updates = jax.tree.map(jnp.cos, params)
    plain = optax.apply_updates(params, updates)
    decayed = apply_updates(params, updates, jnp.float32(0.25))
    np.testing.assert_allclose(decayed["kernel"], plain["kernel"] - params["kernel"] / 4, rtol=1e-5)
    np.testing.assert_array_equal(decayed["bias"], plain["bias"])


def test_no_weight_decay_changes_no_bit(key):
    params, updates = jax.random.normal(key, (2, 4, 3))
    scaled = lambda update, rate: -rate * update  # fused with the addition where compiled
    # fused as for users; tests/conftest.py has another choice
    options = {"xla_cpu_use_fusion_emitters": True} if jax.__version_info__ < (0, 11) else None
    compiled = partial(jax.jit, compiler_options=options)
    expected = compiled(lambda p, u, rate: optax.apply_updates(p, scaled(u, rate)))
    found = compiled(lambda p, u, rate: apply_updates(p, scaled(u, rate), rate * 0))
    np.testing.assert_array_equal(found(params, updates, 0.1), expected(params, updates, 0.1))


def test_gradients_are_clipped(key):
    """Above the clipping norm only the direction of the gradient matters."""
    optimizer = make_optimizer("adam", schedule(), jnp.float32(2.0))
    params = {"kernel": jnp.zeros((4, 3))}
    grads = {"kernel": 100 * jax.random.normal(key, (4, 3))}
    update = jax.jit(optimizer.update)
    state = update(grads, optimizer.init(params), params, step=0)[1]
    tenfold = {"kernel": 10 * grads["kernel"]}
    state_tenfold = update(tenfold, optimizer.init(params), params, step=0)[1]
    for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(state_tenfold), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    mean = optax.tree.get(state, "mu")["kernel"]
    np.testing.assert_allclose(jnp.linalg.norm(mean), 0.1 * 2.0, rtol=1e-5)  # (1 - b1) · clip_norm
