"""The peer: PyTorch computes what we compute. Skipped where PyTorch is not installed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
import mmcl
from experiments.sweep.plan import make_plan
from tests.small import small_config

torch = pytest.importorskip("torch")
peer = pytest.importorskip("experiments.benchmark.peer")


BIAS = lvm.bias_from_indices(3, [1, 2], [2])


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads that wait for one another are slow where tests run side by side."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def world():
    """A world of dependent semantics."""
    spec = lvm.WorldSpec(semantics=3, image_only=2, text_only=2, mixing_layers=2)
    draw = jax.jit(lambda key: lvm.init_world(key, spec, jnp.int32(1)))
    return draw(jax.random.key(20))


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
        assert float(theirs) == pytest.approx(
            float(jax.jit(mmcl.alignment_max_entropy)(*ours)), abs=1e-5
        )


def test_groups_are_averaged(key):
    z = jax.random.normal(key, (2, 3, 16, 5))
    ours = jax.jit(jax.vmap(mmcl.alignment_max_entropy, in_axes=(0, None)))(
        mmcl.Modalities(*z), 1.0
    )
    assert float(peer.objective(*tensors(z), 1.0)) == pytest.approx(float(ours.mean()), abs=1e-5)


def test_the_gradient_is_ours(key):
    z = jax.random.normal(key, (2, 32, 5))
    ours = jax.jit(jax.grad(mmcl.alignment_max_entropy))(mmcl.Modalities(*z), 1.0)
    theirs = [tensor.requires_grad_() for tensor in tensors(z)]
    peer.objective(*theirs, 1.0).backward()
    for own, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(own, other.grad, atol=1e-5)


def test_pairs_follow_our_laws(key, world):
    torch.manual_seed(0)
    ours = lvm.sample_pairs(key, world, BIAS, 0.75, 50_000)
    theirs = peer.sample(peer.peer_world(world, BIAS, "cpu"), 0.75, 50_000)
    for own, other in zip(ours[:2], theirs, strict=True):
        np.testing.assert_allclose(own.mean(0), other.mean(0), atol=0.1)
        np.testing.assert_allclose(np.cov(own.T), np.cov(other.T), atol=0.25)


def test_observations_are_mixed_as_ours(key, world):
    z = jax.random.normal(key, (10, world.mixing_x.shape[-1]))
    mixed = peer.mix(*tensors([world.mixing_x, z]))
    np.testing.assert_allclose(lvm.mix(world.mixing_x, z), mixed, atol=1e-5)


def test_whitening_whitens():
    torch.manual_seed(0)
    first = torch.randn(4096, 3) @ torch.randn(3, 3) + 5
    white = peer.whitening(first)(first)
    np.testing.assert_allclose(white.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(torch.cov(white.T), np.eye(3), atol=1e-2)


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
@pytest.mark.parametrize("negatives", ["in_batch", "second_batch"])
def test_steps_lower_the_loss(world, optimizer, negatives):
    torch.manual_seed(0)
    changes = {"recipe.learning_rate": 1e-2, "recipe.negatives": negatives}
    changes |= {"recipe.steps": 1000}
    plan = make_plan(small_config(**changes))
    lane = jax.tree.map(lambda leaf: leaf[1], plan.data)
    step = peer.make_step(plan.recipe, lane, peer.peer_world(world, lane.bias, "cpu"), optimizer)
    losses = [step().item() for _ in range(100)]
    assert np.mean(losses[-20:]) < np.mean(losses[:5]) - 0.3
