"""A strict test run: shapes and types of the core are checked, and no rank is promoted silently."""

import os
from pathlib import Path

import jax
import pytest
from jaxtyping import install_import_hook

# Threads of XLA's pool: with two, as on two cores, batched decompositions can block one another.
os.environ.setdefault("NPROC", "8")
# Most of the time of tests is compilation; they look at values, not at speed.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # for what tests start
jax.config.update("jax_disable_most_optimizations", True)
# Tests start many programs that compile the same functions; each is compiled once.
CACHE = os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parent.parent / ".pytest_cache" / "jax")
)
jax.config.update("jax_compilation_cache_dir", CACHE)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
jax.config.update("jax_numpy_rank_promotion", "raise")
install_import_hook(["lvm", "mmcl", "probes"], "beartype.beartype")


LONGEST = ("test_training.py", "test_sweep.py", "test_processes.py", "test_failures.py")


def pytest_collection_modifyitems(items):
    """The longest files come first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The directory of a small finished run, and what the run printed."""
    # Imported late: the import hook above must see the packages first.
    from tests.runs import run  # noqa: PLC0415
    from tests.small import small_config  # noqa: PLC0415

    directory = tmp_path_factory.mktemp("finished")
    return directory, run(directory, small_config(), report=True)


@pytest.fixture
def key():
    return jax.random.key(20)
