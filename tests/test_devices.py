"""Lanes on several devices, in a process of its own: devices are chosen before JAX starts."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
SCRIPT = """
import json
import jax
from experiments.configs import default
from experiments.plan import make_plan
from experiments.sweep import make_sweep
from tests.small import small_config

jax.config.update("jax_num_cpu_devices", {devices})
settings = tuple(default.setting(names) for names in ("s1", "s1 s2", "s1 s2 s3"))
plan = make_plan(small_config(settings=settings))
sweep = make_sweep(plan)
state, metrics = sweep.train(plan.data, sweep.init(plan.data), 0, 4)
norms = [float(abs(leaf).sum()) for leaf in jax.tree.leaves(state.train.params)]
print(json.dumps([jax.device_count(), metrics.loss.tolist(), norms]))
"""


def outcome(devices):
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(devices=devices)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return json.loads(process.stdout)


def test_three_lanes_on_two_devices_equal_three_lanes_on_one():
    count, losses, norms = outcome(2)
    assert count == 2
    count, losses_alone, norms_alone = outcome(1)
    assert count == 1
    np.testing.assert_allclose(losses, losses_alone, rtol=1e-4)
    np.testing.assert_allclose(norms, norms_alone, rtol=1e-4)
