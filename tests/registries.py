"""All registries, and a copy of them that a test can add to."""

import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

from experiments import domains, loggers
from experiments.configs import default
from lvm.latents import misalignment, noise_laws, semantics
from mmcl import output_spaces
from mmcl.encoders import registry as encoders
from mmcl.objectives import registry as objectives
from mmcl.optimizers import registry as optimizers
from probes.predictors import registry as predictors
from tests.repository import ROOT
from tests.small import small_config

TABLES = (
    objectives.OBJECTIVES,
    encoders.IMAGE_ENCODERS,
    encoders.TEXT_ENCODERS,
    optimizers.OPTIMIZERS,
    output_spaces.OUTPUT_SPACES,
    output_spaces.EXTRA_COLUMNS,
    predictors.PROBES,
    misalignment.MISALIGNMENTS,
    misalignment.WITH_INDICATOR,
    misalignment.WHOLE_CAPTION,
    misalignment.CHANGES_SCENE,
    semantics.DEPENDENCES,
    noise_laws.NOISE_LAWS,
    domains.DOMAINS,
    loggers.LOGGERS,
)
EXAMPLE = ROOT / "docs" / "guide" / "example_parts.py"


@contextmanager
def temporary_registries():
    """Forgets, at its end, parts that are registered and modules of the current folder."""
    copies, modules = [table.copy() for table in TABLES], set(sys.modules)
    search_path = sys.path.copy()
    try:
        yield
    finally:
        for table, copy in zip(TABLES, copies, strict=True):
            table.clear()
            table.update(copy)
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(Path.cwd()):
                del sys.modules[name]
        sys.path[:] = search_path


def copy_example(folder):
    """Copies the example plugin to a folder."""
    shutil.copy(EXAMPLE, folder)


def example_config(**changes):
    """Returns the small config with all ten parts of the example plugin."""
    parts = {
        "objective": "soft_repulsion",
        "image_encoder": "residual",
        "text_encoder": "residual",
        "optimizer": "lion",
        "output_space": "ball",
    }
    config = small_config(plugins=("example_parts",), domain="blurred", loggers=("losses",))
    config.recipe.update(parts)
    config.evaluation.probes = ("linear", "neighbours")
    laws = {"dependence": "chain", "noise_law": "logistic", "misalignment": "rounded"}
    config.settings = (default.setting("s1"), default.setting("s1 s2", "s2", **laws))
    config.update_from_flattened_dict(changes)
    return config
