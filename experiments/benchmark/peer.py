"""Peer: training in the numerical study as a plain PyTorch program, one run after another.

For worlds with Gaussian semantics: the laws of the data, encoders, objective, batch and schedule of
`mmcl`, in float32, with the optimisers that PyTorch has. Only this module imports PyTorch.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import lvm
import mmcl


class PeerWorld(NamedTuple):
    """A world and a bias as tensors, as in `lvm.World`; root_s: Cholesky factor of Σ_s [n, n]."""

    root_s: Tensor
    root_x: Tensor
    root_t: Tensor
    root_noise: Tensor
    mixing_x: Tensor
    mixing_t: Tensor
    selected: Tensor
    perturbable: Tensor


def peer_world(world: lvm.World, bias: lvm.Bias, device: str) -> PeerWorld:
    """Returns a world as tensors on a device; its semantics must have linear mechanisms."""
    law = world.semantics
    root_s = np.linalg.solve(np.eye(len(law.scale)) - law.weights, np.diag(law.scale))
    arrays = (root_s, *world[1:], bias.selected, bias.perturbable)
    as_tensor = lambda array: torch.tensor(np.asarray(array), device=device)
    root_s, *rest = map(as_tensor, arrays)
    return PeerWorld(root_s.float(), *rest)


def sample(world: PeerWorld, noise_probability: float, count: int) -> tuple[Tensor, Tensor]:
    """Samples the images and texts of `count` pairs: float32 [count, n + d_x], [count, n + d_t]."""

    def draw(root):
        return torch.randn(count, len(root), device=root.device) @ root.T

    s, m_x, m_t, noise = map(draw, world[:4])
    distorted = (torch.rand_like(s) < noise_probability) & world.perturbable
    s_text = torch.where(distorted, s + noise, s) * world.selected
    x = mix(world.mixing_x, torch.cat([s, m_x], 1))
    return x, mix(world.mixing_t, torch.cat([s_text, m_t], 1))


def mix(mixing: Tensor, z: Tensor) -> Tensor:
    """Returns the observations of latents, as `lvm.mix` does."""
    for weight in mixing[:-1]:
        z = nn.functional.leaky_relu(z @ weight, 0.2)
    return z @ mixing[-1]


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """‖a_i - b_j‖² of rows [..., n, d] and [..., m, d]: [..., n, m]."""
    norms_a, norms_b = a.square().sum(-1), b.square().sum(-1)
    return norms_a[..., :, None] + norms_b[..., None, :] - 2 * a @ b.mT


def objective(
    z_x: Tensor, z_t: Tensor, temperature: float, negatives: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """`mmcl.alignment_max_entropy` of groups of pairs [..., n, d], averaged over groups."""
    alignment = (z_x - z_t).square().sum(-1)
    n = alignment.shape[-1]
    negatives_x, negatives_t = (z_x, z_t) if negatives is None else negatives

    def negative_entropy(z, z_negatives):
        logits = -squared_distances(z, z_negatives) / temperature
        if negatives is None:
            diagonal = torch.eye(n, dtype=torch.bool, device=z.device)
            logits = logits.masked_fill(diagonal, -torch.inf)
        kernel_sum = torch.logaddexp(logits.logsumexp(-1), -alignment / temperature)
        return kernel_sum - np.log(n if negatives is None else n + 1)

    entropies = negative_entropy(z_x, negatives_x) + negative_entropy(z_t, negatives_t)
    return (alignment + entropies / 2).mean()


def whitening(observations: Tensor) -> nn.Module:
    """Returns a frozen linear layer that whitens, fitted to observations [n, d]."""
    variances, axes = torch.linalg.eigh(torch.cov(observations.T))
    matrix = axes * variances.clamp_min(1e-4 * variances[-1].item()).rsqrt()
    layer = nn.Linear(*matrix.shape)
    layer.load_state_dict({"weight": matrix.T, "bias": -observations.mean(0) @ matrix})
    return layer.requires_grad_(False)


def encoder(recipe: mmcl.Recipe, observations: Tensor) -> nn.Module:
    """Returns an MLP of leaky ReLUs with linear outputs; `observations` fit its whitening."""
    layers = [whitening(observations)] if recipe.whiten else []
    sizes = (observations.shape[1], *recipe.widths)
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(recipe.slope)]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], recipe.outputs)).to(observations.device)


def make_optimizers(name: str, parameters: list[Tensor], rate: float) -> list:
    """Returns the optimisers of "adam" or "muon"; Muon comes with NAdam for other than matrices."""
    if name == "adam":
        return [torch.optim.Adam(parameters, lr=rate, fused=True)]
    matrices = [parameter for parameter in parameters if parameter.ndim == 2]
    others = [parameter for parameter in parameters if parameter.ndim != 2]
    muon = torch.optim.Muon(matrices, lr=rate, weight_decay=0.0, ns_steps=3)
    return [muon, torch.optim.NAdam(others, lr=rate)]


def make_step(
    recipe: mmcl.Recipe,
    lane,
    world: PeerWorld,
    *,
    optimizer: str,
    decorate: Callable[[Callable], Callable] = lambda function: function,
) -> Callable[[], Tensor]:
    """Initialises a training run of a lane; returns a function that does one step.

    The function returns the loss of the step.

    lane:     `LaneData` on the host.
    decorate: transforms the function from observations to the loss, such as torch.compile.
    """
    probability, hyper = float(lane.noise_probability), lane.hyper
    encode_x, encode_t = (
        encoder(recipe, observations) for observations in sample(world, probability, 4096)
    )
    dimensions = torch.tensor(np.asarray(hyper.dimensions), device=world.root_s.device)
    temperature, clip_norm = float(hyper.temperature), float(hyper.clip_norm)
    second_batch = recipe.negatives == "second_batch"

    def loss_of(x, t):
        z_x, z_t = encode_x(x) * dimensions, encode_t(t) * dimensions
        if second_batch:
            (z_x, negatives_x), (z_t, negatives_t) = z_x.chunk(2), z_t.chunk(2)
            return objective(z_x, z_t, temperature, (negatives_x, negatives_t))
        groups = (-1, recipe.group, recipe.outputs)
        return objective(z_x.reshape(groups), z_t.reshape(groups), temperature)

    loss_of = decorate(loss_of)
    parameters = [p for part in (encode_x, encode_t) for p in part.parameters() if p.requires_grad]
    optimizers = make_optimizers(optimizer, parameters, float(hyper.schedule.peak))
    factor = lambda step: _schedule_factor(hyper.schedule, step)
    make_scheduler = torch.optim.lr_scheduler.LambdaLR
    schedulers = [make_scheduler(torch_optimizer, factor) for torch_optimizer in optimizers]

    def step():
        loss = loss_of(*sample(world, probability, recipe.batch * (2 if second_batch else 1)))
        for torch_optimizer in optimizers:
            torch_optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, clip_norm)
        for stepped in (*optimizers, *schedulers):
            stepped.step()
        return loss

    return step


def _schedule_factor(schedule: mmcl.Schedule, step: int) -> float:
    """Returns the learning rate as a fraction of its peak: warm-up, then cosine decay."""
    rise = min((step + 1) / max(float(schedule.warmup), 1), 1)
    decay_steps = max(float(schedule.decay_end - schedule.warmup), 1)
    progress = (step - float(schedule.warmup)) / decay_steps
    return rise * (1 + np.cos(np.pi * np.clip(progress, 0, 1))) / 2
