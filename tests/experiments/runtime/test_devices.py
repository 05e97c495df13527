"""Lanes on several devices, in a subprocess: devices are chosen before JAX starts."""

import json
import subprocess
import sys

import numpy as np
import pytest

from experiments.runtime.devices import make_mesh
from tests.repository import ROOT

SHAPES = [(1, 1), (2, 1), (3, 1), (1, 2)]  # lanes side by side, devices that share a lane
SCRIPT = '''
import json
from functools import cache
import jax
import numpy as np
from experiments.configs import default
from experiments.runtime.devices import LANES, PAIRS, make_mesh, shard_lanes, gather
from experiments.sweep.plan import make_plan
from experiments.sweep.compiled import compile_sweep
from jax.sharding import Mesh
from tests.small import small_config

jax.config.update("jax_num_cpu_devices", 4)
settings = tuple(default.setting(names) for names in ("s1", "s1 s2", "s1 s2 s3"))
plan = make_plan(small_config(settings=settings))

@cache
def sweep_on(shape):
    devices = jax.devices()[: shape[0] * shape[1]]
    mesh = Mesh(np.array(devices).reshape(shape), (LANES, PAIRS))
    return mesh, compile_sweep(plan, mesh)

def outcome(shape, other):
    """Returns losses and norms after one step on each of two meshes."""
    state = sweep_on(shape)[1].init(plan.data)
    for done, (mesh, sweep) in enumerate(map(sweep_on, (shape, other))):
        data, state = shard_lanes(mesh, (plan.data, state))
        state, advance = gather(sweep.train(data, state, done, 1))
        state = jax.tree.map(lambda leaf: leaf[:3], state)
    norms = [float(abs(leaf).sum()) for leaf in jax.tree.leaves(state.train.params)]
    return [advance.metrics.loss[:3].tolist(), norms]

made = [list(make_mesh(*arguments).shape.values()) for arguments in ((1,), (3,), (9,), (1, 2))]
print(json.dumps([made, outcome((2, 1), (3, 1)), [outcome(shape, shape) for shape in SHAPES]]))
'''


@pytest.fixture(scope="module")
def outcomes():
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("SHAPES", str(SHAPES))],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    made, moved, of_shapes = json.loads(process.stdout)
    return made, {"moved": moved, **dict(zip(SHAPES, of_shapes, strict=True))}


@pytest.mark.slow
def test_a_mesh_has_at_most_one_device_per_lane_but_at_least_two_cpus(outcomes):
    assert outcomes[0] == [[2, 1], [3, 1], [4, 1], [2, 2]]


@pytest.mark.slow
def test_more_than_two_devices_give_the_same_bits(outcomes):
    assert outcomes[1][3, 1] == outcomes[1][2, 1]
    assert outcomes[1]["moved"] == outcomes[1][2, 1]


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 1), (1, 2)], ids=["one device", "a shared lane"])
def test_other_shapes_change_rounding_at_most(shape, outcomes):
    for measured, of_two in zip(outcomes[1][shape], outcomes[1][2, 1], strict=True):
        np.testing.assert_allclose(measured, of_two, rtol=1e-4)


def test_devices_per_lane_must_divide_the_number_of_devices():
    with pytest.raises(ValueError, match="devices_per_lane is 7: allowed is a divisor of 1"):
        make_mesh(3, 7)
