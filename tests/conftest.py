"""Strict test settings: shapes and types of the cores are checked, rank promotion is an error."""

import gc
import os
from pathlib import Path

# Threads of OpenMP and BLAS wait for one another actively: beside other work, those of scikit-learn
# take most of the time. They read these variables when they are loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import jax
import jaxtyping
import pytest
from jaxtyping import install_import_hook

# Threads of XLA's pool: with two, as on two cores, batched decompositions can block one another.
os.environ.setdefault("NPROC", "8")
# Compilation takes most of the time of the tests, and they check values, not speed.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # for subprocesses
jax.config.update(
    "jax_disable_most_optimizations", os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] == "1"
)
FAST_COMPILATION = ["--xla_cpu_opt_preset=CPU_OPT_PRESET_FAST_COMPILE"]
FAST_COMPILATION += ["--xla_cpu_parallel_codegen_split_count=1"]  # one core for each worker
if jax.__version_info__ < (0, 11):  # later versions have no other emitters
    FAST_COMPILATION += ["--xla_cpu_use_fusion_emitters=false"]
if "PYTEST_XDIST_WORKER" not in os.environ:  # workers inherit the variable
    os.environ["XLA_FLAGS"] = " ".join([os.environ.get("XLA_FLAGS", ""), *FAST_COMPILATION])
# Many subprocesses of tests compile the same functions: the cache compiles each of them once.
CACHE = os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parent.parent / ".pytest_cache" / "jax")
)
jax.config.update("jax_compilation_cache_dir", CACHE)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_numpy_rank_promotion", "raise")
install_import_hook(["lvm", "mmcl", "probes"], "beartype.beartype")
# Traces are many small objects, most of which are freed without the garbage collector.
gc.set_threshold(50_000, 20, 20)


# Functions below import modules of the project late: the import hook must be installed before them.
MANY_MAPS = 45_000
LONGEST = ("test_training.py", "test_compiled.py", "test_processes.py", "test_failures.py")


def pytest_collection_modifyitems(items):
    """Sorts the longest files first, so that no worker runs one of them alone at the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="module", autouse=True)
def _few_memory_maps():
    """A compiled program keeps memory maps, of which Linux allows a process 65,530."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and len(maps.read_bytes().splitlines()) > MANY_MAPS:
        from tests.runs import PROGRAMS  # noqa: PLC0415

        PROGRAMS.clear()
        jax.clear_caches()


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The directory of a small finished run, and its printed text."""
    from tests.runs import run  # noqa: PLC0415
    from tests.small import small_config  # noqa: PLC0415

    directory = tmp_path_factory.mktemp("finished")
    return directory, run(directory, small_config(), report=True)


@pytest.fixture
def unchecked_types(monkeypatch):
    """Without the checks of the import hook, which users do not have."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def key():
    return jax.random.key(20)
