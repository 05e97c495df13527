"""A strict test run: shapes and types of the core are checked, and no rank is promoted silently."""

import jax
import pytest
from jaxtyping import install_import_hook

jax.config.update("jax_numpy_rank_promotion", "raise")
install_import_hook(["lvm", "mmcl", "probes"], "beartype.beartype")


@pytest.fixture
def key():
    return jax.random.key(20)
