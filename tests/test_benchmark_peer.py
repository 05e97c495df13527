"""The peer: PyTorch computes what we compute. Skipped where PyTorch is not installed."""

import jax
import numpy as np
import pytest

import lvm
import mmcl
from experiments.plan import make_plan
from tests.small import small_config

torch = pytest.importorskip("torch")
peer = pytest.importorskip("experiments.benchmark.peer")


@pytest.fixture
def drawn(key):
    """A plan, its first lane on the host, and the world of dependent semantics as both know it."""
    plan = make_plan(small_config(**{"recipe.learning_rate": 1e-2}))
    lane = jax.tree.map(lambda leaf: leaf[1], plan.data)
    world = jax.device_get(plan.domain.init_world(key, lane))
    return plan, lane, world, peer.peer_world(world, lane.bias, "cpu")


def tensors(arrays):
    return [torch.tensor(np.asarray(array)) for array in arrays]


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_the_objective_is_ours(key, temperature):
    z = jax.random.normal(key, (4, 64, 5))
    alone, second = mmcl.Modalities(*z[:2]), mmcl.Modalities(*z[2:])
    z_x, z_t, *negatives = tensors(z)
    for theirs, ours in (
        (peer.objective(z_x, z_t, temperature), (alone, temperature)),
        (peer.objective(z_x, z_t, temperature, negatives), (alone, temperature, second)),
    ):
        assert float(theirs) == pytest.approx(float(mmcl.alignment_max_entropy(*ours)), abs=1e-5)


def test_groups_are_averaged(key):
    z = jax.random.normal(key, (2, 3, 16, 5))
    ours = jax.vmap(mmcl.alignment_max_entropy, in_axes=(0, None))(mmcl.Modalities(*z), 1.0)
    assert float(peer.objective(*tensors(z), 1.0)) == pytest.approx(float(ours.mean()), abs=1e-5)


def test_the_gradient_is_ours(key):
    z = jax.random.normal(key, (2, 32, 5))
    ours = jax.grad(mmcl.alignment_max_entropy)(mmcl.Modalities(*z), 1.0)
    theirs = [tensor.requires_grad_() for tensor in tensors(z)]
    peer.objective(*theirs, 1.0).backward()
    for own, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(own, other.grad, atol=1e-5)


def test_pairs_follow_our_laws(key, drawn):
    _, lane, world, theirs = drawn
    torch.manual_seed(0)
    ours = lvm.sample_pairs(key, world, lane.bias, lane.noise_probability, 50_000)
    for own, other in zip(ours[:2], peer.sample(theirs, 0.75, 50_000), strict=True):
        np.testing.assert_allclose(own.mean(0), other.mean(0), atol=0.1)
        np.testing.assert_allclose(np.cov(own.T), np.cov(other.T), atol=0.25)


def test_observations_are_mixed_as_ours(key, drawn):
    _, _, world, theirs = drawn
    z = jax.random.normal(key, (10, world.mixing_x.shape[-1]))
    mixed = peer.mix(theirs.mixing_x, *tensors([z]))
    np.testing.assert_allclose(lvm.mix(world.mixing_x, z), mixed, atol=1e-5)


def test_whitening_whitens():
    torch.manual_seed(0)
    first = torch.randn(4096, 3) @ torch.randn(3, 3) + 5
    white = peer.whitening(first)(first)
    np.testing.assert_allclose(white.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(torch.cov(white.T), np.eye(3), atol=1e-2)


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
@pytest.mark.parametrize("negatives", ["in_batch", "second_batch"])
def test_steps_lower_the_loss(optimizer, negatives):
    torch.manual_seed(0)
    changes = {"recipe.learning_rate": 1e-2, "recipe.negatives": negatives, "recipe.steps": 1000}
    plan = make_plan(small_config(**changes))
    lane = jax.tree.map(lambda leaf: leaf[1], plan.data)
    world = jax.device_get(plan.domain.init_world(jax.random.key(0), lane))
    step = peer.make_step(plan.recipe, lane, peer.peer_world(world, lane.bias, "cpu"), optimizer)
    losses = [step().item() for _ in range(150)]
    assert np.mean(losses[-30:]) < np.mean(losses[:5]) - 0.3
