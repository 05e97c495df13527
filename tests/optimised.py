"""Compiler options for programs that run for longer than they compile (see conftest.py)."""

OPTIMISED = {"xla_backend_optimization_level": 2, "xla_llvm_disable_expensive_passes": False}
