"""Wrong parts are refused, in one line, when a lane is traced before any work."""

import jax
import jax.numpy as jnp
import optax
import pytest
from flax import linen as nn

from experiments.configs import default
from experiments.domains import register_domain
from experiments.domains.latents import LatentsDomain, make_latents
from experiments.sweep.plan import make_plan
from experiments.sweep.trace_checks import check_parts
from lvm.latents.misalignment import Misaligned
from lvm.latents.semantics import Semantics
from lvm.registry import register_dependence, register_misalignment, register_noise_law
from mmcl.registry import (
    register_encoder,
    register_objective,
    register_optimizer,
    register_output_space,
)
from probes.registry import register_probe
from tests.registries import temporary_registries
from tests.small import small_config


@pytest.fixture(autouse=True)
def _registries(unchecked_types):
    """Without the type checks of tests, which users do not have."""
    del unchecked_types
    with temporary_registries():
        yield


class FewRows(LatentsDomain):
    """A domain that leaves out a row of scores."""

    def score_rows(self, lane, scores):
        yield from list(super().score_rows(lane, scores))[1:]


def setting(**laws):
    return {"settings": (default.setting("s1 s2", "s2", **laws),)}


def register_all():
    """Registers one wrong part of each kind, all by the name "wrong"."""
    no_change = lambda params: optax.EmptyState()
    register_objective("wrong", lambda z, temperature: z.x)
    register_encoder("wrong", lambda recipe, widths: nn.Sequential([]))
    register_encoder("no_module", lambda recipe, widths: 3)
    register_optimizer("wrong", lambda rate: rate)
    scalar = optax.GradientTransformation(no_change, lambda grads, state, params=None: (1.0, state))
    register_optimizer("scalar", lambda rate: scalar)
    register_output_space("wrong", lambda outputs, dimensions: outputs[:, :1])
    register_probe("wrong", lambda key, features, targets, queries: targets)
    register_misalignment("wrong", lambda scene, rate: scene.s)
    register_misalignment("mask", lambda scene, rate: Misaligned(scene.s, scene.s, scene.s))
    moved = lambda scene, rate: Misaligned(scene.s + 1, scene.s, jnp.zeros(scene.s.shape, bool))
    register_misalignment("moved", moved)
    register_misalignment("moving", moved, changes_scene=True)
    register_dependence("wrong", lambda key, n: Semantics(jnp.zeros(n), jnp.ones(n), jnp.zeros(())))
    register_noise_law("wrong", lambda normal: normal[0])
    register_domain("wrong", lambda config: 3)
    register_domain("few_rows", lambda config: FewRows(**vars(make_latents(config))))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe.objective": "wrong"}, r"objective 'wrong' returns float32 \[8, 3\]: allowed is"),
        ({"recipe.image_encoder": "no_module"}, "encoder 'no_module' makes int: allowed is a flax"),
        ({"recipe.optimizer": "wrong"}, "optimizer 'wrong' makes function: allowed is an optax"),
        ({"recipe.optimizer": "scalar"}, "update of optimizer 'scalar' has another structure"),
        (
            {"recipe.output_space": "wrong"},
            r"output space 'wrong' returns float32 \[4096, 1\]|\[16, 1\]: allowed is float32",
        ),
        ({"evaluation.probes": ("wrong",)}, r"probe '<lambda>' returns float32 \[64, .*\]"),
        (setting(misalignment="wrong"), r"misalignment 'wrong' returns float32 \[.*, 3\]: allowed"),
        (setting(misalignment="mask"), r"misalignment 'mask' returns missing float32 .* bool"),
        (setting(misalignment="moved"), "misalignment 'moved' changes s: allowed is scene.s"),
        (
            setting(dependence="wrong"),
            r"returns weights float32 \[3\]: allowed is float32 \[3, 3\]",
        ),
        (setting(noise_law="wrong"), r"noise law 'wrong' returns float32 \[3\]: allowed is"),
        ({"domain": "wrong"}, "domain 'wrong' makes int: allowed is a Domain"),
        ({"domain": "few_rows"}, "scores_per_lane of the domain is 16: allowed is 15"),
    ],
)
def test_a_wrong_part_is_one_line_that_names_it(changes, message):
    register_all()
    with pytest.raises(ValueError, match=message) as error:
        check_parts(make_plan(small_config(**changes)), ["json"])
    assert "\n" not in str(error.value)


def test_parts_that_fit_are_accepted_and_compute_nothing(monkeypatch):
    register_all()
    monkeypatch.setattr(jax, "device_put", None)
    check_parts(make_plan(small_config(**setting(misalignment="moving"))), ["json"])


def test_a_part_that_raises_is_named_by_its_plugin_file_and_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raising.py").write_text(
        "from mmcl.registry import register_objective\n"
        "def missing(z, temperature):\n"
        "    return z.absent\n"
        "register_objective('missing', missing)\n"
    )
    changes = {"plugins": ("raising",), "recipe.objective": "missing"}
    plan = make_plan(small_config(**changes))
    message = r"plugin 'raising' raises AttributeError \(.*absent.*\) at .*raising.py:3$"
    with pytest.raises(ValueError, match=message):
        check_parts(plan, ["raising"])


def test_other_errors_that_parts_cause_are_one_line(tmp_path):
    register_encoder("flat", lambda recipe, widths: nn.Sequential([nn.Dense(3)]))
    plan = make_plan(small_config(**{"recipe.image_encoder": "flat"}))
    with pytest.raises(ValueError, match="^plugins json do not fit: TypeError"):
        check_parts(plan, ["json"])
