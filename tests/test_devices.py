"""Lanes on several devices, in a process of its own: devices are chosen before JAX starts."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments.devices import make_mesh

ROOT = Path(__file__).parent.parent
SCRIPT = """
import json
import jax
from experiments.configs import default
from experiments.devices import make_mesh, on_devices, on_host
from experiments.plan import make_plan
from experiments.sweep import make_sweep
from tests.small import small_config

jax.config.update("jax_num_cpu_devices", {devices})
settings = tuple(default.setting(names) for names in ("s1", "s1 s2", "s1 s2 s3"))
plan = make_plan(small_config(settings=settings))
mesh = make_mesh(3, {devices_per_lane})
sweep = make_sweep(plan, mesh)
data, state = on_devices(mesh, (plan.data, sweep.init(plan.data)))
state, advance = on_host(sweep.train(data, state, 0, 4))
norms = [float(abs(leaf[:3]).sum()) for leaf in jax.tree.leaves(state.train.params)]
print(json.dumps([dict(mesh.shape), advance.metrics.loss[:3].tolist(), norms]))
"""


def outcome(devices, devices_per_lane=1):
    script = SCRIPT.format(devices=devices, devices_per_lane=devices_per_lane)
    process = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return json.loads(process.stdout)


@pytest.fixture(scope="module")
def on_two_devices():
    mesh, losses, norms = outcome(2)
    assert mesh == {"lanes": 2, "pairs": 1}
    return losses, norms


def test_more_than_two_devices_give_the_same_bits(on_two_devices):
    mesh, *rest = outcome(3)
    assert mesh == {"lanes": 3, "pairs": 1}
    assert tuple(rest) == on_two_devices


@pytest.mark.parametrize(
    ("devices", "devices_per_lane", "shape"),
    [(1, 1, {"lanes": 1, "pairs": 1}), (2, 2, {"lanes": 1, "pairs": 2})],
)
def test_one_device_or_a_shared_lane_changes_rounding_at_most(
    devices, devices_per_lane, shape, on_two_devices
):
    mesh, losses, norms = outcome(devices, devices_per_lane)
    assert mesh == shape
    np.testing.assert_allclose(losses, on_two_devices[0], rtol=1e-4)
    np.testing.assert_allclose(norms, on_two_devices[1], rtol=1e-4)


def test_a_lane_alone_takes_two_cpus_like_any_other():
    script = "import jax; jax.config.update('jax_num_cpu_devices', 4); from experiments.devices "
    script += "import make_mesh; print(make_mesh(1).shape['lanes'])"
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert told.stdout.strip() == "2"


def test_devices_must_make_whole_groups():
    with pytest.raises(ValueError, match="devices_per_lane is 7: allowed is a divisor of 1"):
        make_mesh(3, 7)
