"""The PyTorch peer equals `lvm` and `mmcl`. Skipped where PyTorch is not installed."""

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
    """One thread: PyTorch's threads are slow when tests run in parallel."""
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
def test_the_objective_equals_that_of_mmcl(key, temperature):
    z = jax.random.normal(key, (4, 64, 5))
    first, second = mmcl.Modalities(*z[:2]), mmcl.Modalities(*z[2:])
    z_x, z_t, *negatives = tensors(z)
    for actual, args in (
        (peer.objective(z_x, z_t, temperature), (first, temperature)),
        (peer.objective(z_x, z_t, temperature, negatives), (first, temperature, second)),
    ):
        expected = jax.jit(mmcl.alignment_max_entropy)(*args)
        assert float(actual) == pytest.approx(float(expected), abs=1e-5)


def test_groups_are_averaged(key):
    z = jax.random.normal(key, (2, 3, 16, 5))
    expected = jax.jit(jax.vmap(mmcl.alignment_max_entropy, in_axes=(0, None)))(
        mmcl.Modalities(*z), 1.0
    )
    assert float(peer.objective(*tensors(z), 1.0)) == pytest.approx(
        float(expected.mean()), abs=1e-5
    )


def test_the_gradient_equals_that_of_mmcl(key):
    z = jax.random.normal(key, (2, 32, 5))
    expected = jax.jit(jax.grad(mmcl.alignment_max_entropy))(mmcl.Modalities(*z), 1.0)
    inputs = [tensor.requires_grad_() for tensor in tensors(z)]
    peer.objective(*inputs, 1.0).backward()
    for gradient, tensor in zip(expected, inputs, strict=True):
        np.testing.assert_allclose(gradient, tensor.grad, atol=1e-5)


def test_pairs_have_the_moments_of_lvm(key, world):
    torch.manual_seed(0)
    expected = lvm.sample_pairs(key, world, BIAS, 50_000, noise_probability=0.75)
    actual = peer.sample(peer.peer_world(world, BIAS, "cpu"), 0.75, 50_000)
    for first, second in zip(expected[:2], actual, strict=True):
        np.testing.assert_allclose(first.mean(0), second.mean(0), atol=0.1)
        np.testing.assert_allclose(np.cov(first.T), np.cov(second.T), atol=0.25)


def test_mixing_equals_that_of_lvm(key, world):
    z = jax.random.normal(key, (10, world.mixing_x.shape[-1]))
    mixed = peer.mix(*tensors([world.mixing_x, z]))
    np.testing.assert_allclose(lvm.mix(world.mixing_x, z), mixed, atol=1e-5)


def test_whitening_gives_white_observations():
    torch.manual_seed(0)
    observations = torch.randn(4096, 3) @ torch.randn(3, 3) + 5
    white = peer.whitening(observations)(observations)
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
    tensors = peer.peer_world(world, lane.bias, "cpu")
    step = peer.make_step(plan.recipe, lane, tensors, optimizer=optimizer)
    losses = [step().item() for _ in range(100)]
    assert np.mean(losses[-20:]) < np.mean(losses[:5]) - 0.3
