"""Wrong parts are refused, in one line, when a lane is traced before any work."""

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


def no_change(params):
    return optax.EmptyState()


def moved(scene, rate):
    return Misaligned(scene.s + 1, scene.s, jnp.zeros(scene.s.shape, bool))


SCALAR = optax.GradientTransformation(no_change, lambda grads, state, params=None: (1.0, state))
FLAT = Semantics(jnp.zeros(3), jnp.ones(3), jnp.zeros(()))


@pytest.mark.parametrize(
    ("register", "part", "changes", "message"),
    [
        (
            register_objective,
            lambda z, temperature: z.x,
            {"recipe.objective": "mine"},
            r"objective 'mine' returns float32 \[8, 3\]: allowed is float32 \[\]",
        ),
        (
            register_encoder,
            lambda recipe, widths: 3,
            {"recipe.image_encoder": "mine"},
            "encoder 'mine' makes int: allowed is a flax.linen.Module or a mmcl.Encoder",
        ),
        (
            register_optimizer,
            lambda rate: rate,
            {"recipe.optimizer": "mine"},
            "optimizer 'mine' makes function: allowed is an optax.GradientTransformation",
        ),
        (
            register_optimizer,
            lambda rate: SCALAR,
            {"recipe.optimizer": "mine"},
            "update of optimizer 'mine' has another structure: allowed is that of the gradient",
        ),
        (
            register_output_space,
            lambda outputs, dimensions: outputs[:, :1],
            {"recipe.output_space": "mine"},
            r"output space 'mine' returns float32 \[16, 1\]: allowed is float32 \[16, 3\]",
        ),
        (
            register_probe,
            lambda key, features, targets, queries: targets[:1],
            {"evaluation.probes": ("mine",)},
            r"probe '<lambda>' returns float32 \[1, .*\]: allowed is float32 \[128, ",
        ),
        (
            register_misalignment,
            lambda scene, rate: scene.s,
            setting(misalignment="mine"),
            r"misalignment 'mine' returns float32 \[4096, 3\]: allowed is Misaligned",
        ),
        (
            register_misalignment,
            lambda scene, rate: Misaligned(scene.s, scene.s, scene.s),
            setting(misalignment="mine"),
            r"misalignment 'mine' returns missing float32 \[4096, 3\]: allowed is bool",
        ),
        (
            register_misalignment,
            moved,
            setting(misalignment="mine"),
            "misalignment 'mine' changes s: allowed is scene.s, or changes_scene=True",
        ),
        (
            register_dependence,
            lambda key, n: FLAT,
            setting(dependence="mine"),
            r"dependence 'mine' returns weights float32 \[3\]: allowed is float32 \[3, 3\]",
        ),
        (
            register_noise_law,
            lambda normal: normal[0],
            setting(noise_law="mine"),
            r"noise law 'mine' returns float32 \[3\]: allowed is float32 \[4096, 3\]",
        ),
        (
            register_domain,
            lambda config: 3,
            {"domain": "mine"},
            "domain 'mine' makes int: allowed is a Domain",
        ),
        (
            register_domain,
            lambda config: FewRows(**vars(make_latents(config))),
            {"domain": "mine"},
            "scores_per_lane of the domain is 16: allowed is 15, the number of rows",
        ),
    ],
)
def test_a_wrong_part_is_one_line_that_names_it(register, part, changes, message):
    register("mine", part)
    with pytest.raises(ValueError, match=f"^{message}") as error:
        check_parts(make_plan(small_config(**changes)), ["json"])
    assert "\n" not in str(error.value)


def test_a_misalignment_may_change_the_scene_if_it_is_registered_so():
    register_misalignment("mine", moved, changes_scene=True)
    check_parts(make_plan(small_config(**setting(misalignment="mine"))), ["json"])


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
