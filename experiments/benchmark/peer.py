"""Peer: the numerical study's training in PyTorch, eager, one run after another.

What a researcher would write today, for worlds with Gaussian semantics: the same data laws,
encoders, objective, batch and schedule as ours, in float32, with the optimisers that PyTorch has.
Only this module needs PyTorch.
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
    """One of our worlds, whose semantics have linear mechanisms, for the peer."""
    law = world.semantics
    root_s = np.linalg.solve(np.eye(len(law.scale)) - law.weights, np.diag(law.scale))
    arrays = (root_s, *world[1:], bias.selected, bias.perturbable)
    as_tensor = lambda array: torch.tensor(np.asarray(array), device=device)
    root_s, *rest = map(as_tensor, arrays)
    return PeerWorld(root_s.float(), *rest)


def sample(world: PeerWorld, noise_probability: float, count: int) -> tuple[Tensor, Tensor]:
    """Images and texts of `count` pairs."""

    def draw(root):
        return torch.randn(count, len(root), device=root.device) @ root.T

    s, m_x, m_t, noise = map(draw, world[:4])
    distorted = (torch.rand_like(s) < noise_probability) & world.perturbable
    s_text = torch.where(distorted, s + noise, s) * world.selected
    x = mix(world.mixing_x, torch.cat([s, m_x], 1))
    return x, mix(world.mixing_t, torch.cat([s_text, m_t], 1))


def mix(mixing: Tensor, z: Tensor) -> Tensor:
    """Observations of latents, as `lvm.mix`."""
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
    """`mmcl.alignment_max_entropy` of groups of pairs [..., n, d], the mean over groups."""
    alignment = (z_x - z_t).square().sum(-1)
    n = alignment.shape[-1]
    others_x, others_t = (z_x, z_t) if negatives is None else negatives

    def negative_entropy(own, others):
        logits = -squared_distances(own, others) / temperature
        if negatives is None:
            itself = torch.eye(n, dtype=torch.bool, device=own.device)
            logits = logits.masked_fill(itself, -torch.inf)
        kernel = torch.logaddexp(logits.logsumexp(-1), -alignment / temperature)
        return kernel - np.log(n if negatives is None else n + 1)

    entropies = negative_entropy(z_x, others_x) + negative_entropy(z_t, others_t)
    return (alignment + entropies / 2).mean()


def whitening(first: Tensor) -> nn.Module:
    """A frozen layer that makes observations white, by what a first batch of them says."""
    variances, axes = torch.linalg.eigh(torch.cov(first.T))
    matrix = axes * variances.clamp_min(1e-4 * variances[-1].item()).rsqrt()
    layer = nn.Linear(*matrix.shape)
    layer.load_state_dict({"weight": matrix.T, "bias": -first.mean(0) @ matrix})
    return layer.requires_grad_(False)


def encoder(recipe: mmcl.Recipe, first: Tensor) -> nn.Module:
    """An MLP of leaky ReLUs with linear outputs."""
    layers = [whitening(first)] if recipe.whiten else []
    sizes = (first.shape[1], *recipe.widths)
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(recipe.slope)]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], recipe.outputs)).to(first.device)


def make_optimizers(name: str, parameters: list[Tensor], rate: float) -> list:
    """The optimisers called "adam" or "muon"; Muon has Nadam for what is no matrix."""
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
    optimizer: str,
    decorate: Callable[[Callable], Callable] = lambda function: function,
) -> Callable[[], Tensor]:
    """A fresh run of a lane: what is returned does one step and gives its loss.

    lane: `LaneData` on the host. decorate: what is made of the function from observations to loss,
    such as torch.compile.
    """
    probability, hyper = float(lane.noise_probability), lane.hyper
    encode_x, encode_t = (encoder(recipe, first) for first in sample(world, probability, 4096))
    columns = torch.tensor(np.asarray(hyper.dimensions), device=world.root_s.device)
    temperature, clip = float(hyper.temperature), float(hyper.clip_norm)
    second = recipe.negatives == "second_batch"

    def loss_of(x, t):
        z_x, z_t = encode_x(x) * columns, encode_t(t) * columns
        if second:
            (z_x, more_x), (z_t, more_t) = z_x.chunk(2), z_t.chunk(2)
            return objective(z_x, z_t, temperature, (more_x, more_t))
        groups = (-1, recipe.group, recipe.outputs)
        return objective(z_x.reshape(groups), z_t.reshape(groups), temperature)

    loss_of = decorate(loss_of)
    parameters = [p for part in (encode_x, encode_t) for p in part.parameters() if p.requires_grad]
    optimizers = make_optimizers(optimizer, parameters, float(hyper.schedule.peak))
    share = lambda step: _share(hyper.schedule, step)
    schedulers = [torch.optim.lr_scheduler.LambdaLR(one, share) for one in optimizers]

    def step():
        loss = loss_of(*sample(world, probability, recipe.batch * (2 if second else 1)))
        for one in optimizers:
            one.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, clip)
        for one in (*optimizers, *schedulers):
            one.step()
        return loss

    return step


def _share(schedule: mmcl.Schedule, step: int) -> float:
    """Of the peak learning rate: warm-up, then cosine decay."""
    rise = min((step + 1) / max(float(schedule.warmup), 1), 1)
    decay_steps = max(float(schedule.decay_end - schedule.warmup), 1)
    gone = (step - float(schedule.warmup)) / decay_steps
    return rise * (1 + np.cos(np.pi * np.clip(gone, 0, 1))) / 2
