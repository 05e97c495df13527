"""A folder with the layout of the reference code, whose score grows with its steps; no PyTorch."""

FILES = {
    "torch.py": """
import contextlib

import numpy as np

no_grad = contextlib.nullcontext


class Tensor(np.ndarray):
    def cpu(self):
        return self

    def numpy(self):
        return np.asarray(self)
""",
    "encoders.py": """
class Optimizer:
    steps = 1

    def step(self):
        self.steps += 1
""",
    "utils/losses.py": """
def loss(*representations):
    return 0.0
""",
    "main_numeric.py": """
import argparse

import numpy as np
import torch

import encoders
from utils.losses import loss


def train_step(data, h_x, h_t, loss_func, optimizer, params):
    value = loss_func(h_x(data[0]), h_t(data[1]))
    if optimizer is not None:
        optimizer.step()
    return value


def main():
    parser = argparse.ArgumentParser()
    for flag in ("--theta-value", "--beta-value", "--batch-size", "--seed"):
        parser.add_argument(flag, type=int)
    for flag in ("--model-dir", "--model-id"):
        parser.add_argument(flag)
    parser.add_argument("--no-cuda", action="store_true")
    args = parser.parse_args()
    rng, optimizer = np.random.default_rng(args.seed), encoders.Optimizer()
    draw = lambda columns: rng.normal(size=(args.batch_size, columns)).astype("float32")

    def encode(z):  # noise of variance 100 / steps ** 2 in three semantics
        return (z[:, :3] + draw(3) * np.float32(10 / optimizer.steps)).view(torch.Tensor)

    while True:
        print("Step", optimizer.steps)
        z = draw(15).view(torch.Tensor)
        train_step([z, z], encode, encode, loss, optimizer, [])
        train_step([z, z], encode, encode, loss, optimizer=None, params=None)
""",
}


def write_reference(folder, changed=()):
    """Writes the folder; `changed` replaces the content of files, None leaves them out."""
    for name, text in (FILES | dict(changed)).items():
        if text is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return folder
