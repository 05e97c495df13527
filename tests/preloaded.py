"""Modules that `tests.commands` imports once for all commands; none of them starts a device."""

import gc
import warnings

import experiments.loggers
import experiments.report.write_report
import experiments.rundir.checkpoints
import experiments.sweep.compiled
import experiments.sweep.run_block  # noqa: F401

warnings.filterwarnings("ignore", message="os.fork")  # of JAX, which has started no thread yet
gc.freeze()  # collections of garbage in the forks leave out what is imported here
