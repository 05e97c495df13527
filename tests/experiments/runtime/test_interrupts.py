"""Ctrl-C: one line and exit status 130, wherever it arrives; a second one ends the run at once."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from experiments.runtime.signals import stop_requests
from tests.repository import ROOT

LINE = "stopped by Ctrl-C\n"
LIMIT = 50  # seconds, less than the programs sleep


def interrupted(program, directory, signals=1):
    """Runs a program, sends SIGINT once it is ready, again after that; returns status and stderr.

    A program is ready when it has made the file `ready`; before a second signal it makes `again`.
    """
    command = [sys.executable, "-c", program]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=directory, env=environment, **streams) as process:
        try:
            for name in ("ready", "again")[:signals]:
                wait_for(directory / name, process)
                process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=LIMIT)
        finally:
            process.kill()
    return process.returncode, errors


def wait_for(path, process):
    end = time.monotonic() + LIMIT
    while not path.exists():
        time.sleep(0.02)
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end


PREPARE = "import os, sys, time\n"
READING = """
from experiments import run
from experiments.domains.latents import LatentsDomain
def load(self, report_fraction):
    open('ready', 'w').close()
    time.sleep(60)
LatentsDomain.load = load
from absl import app
from experiments.runtime.command_line import parse_flags
sys.argv = ['run', '--config=ROOT/tests/small.py', '--workdir=run']
app.run(run.main, flags_parser=parse_flags)
"""
DRAWING = """
from experiments.report import figure_files, heat_maps, __main__ as report
def save_figure(draw, path, caption, style):
    open('ready', 'w').close()
    time.sleep(60)
heat_maps.save_figure = save_figure
sys.argv = ['report', 'finished']
report.main()
"""
WRITING = """
from experiments.report import write_report, __main__ as report
from lvm.files.atomic import atomic_path
def write(path, content):
    with atomic_path(path) as partial:
        partial.write_text('half')
        open('ready', 'w').close()
        time.sleep(60)
write_report.write_atomically = write
sys.argv = ['report', 'finished']
report.main()
"""


@pytest.mark.parametrize("program", [READING, DRAWING, WRITING], ids=["read", "draw", "write"])
def test_ctrl_c_is_one_line_while_a_run_reads_draws_or_writes(program, finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "finished")
    program = PREPARE + program.replace("ROOT", str(ROOT))
    assert interrupted(program, tmp_path) == (130, LINE)
    assert not list(tmp_path.rglob("*.partial"))
    assert not (tmp_path / "run").exists()


def test_ctrl_c_while_a_report_waits_for_a_file(finished, tmp_path):
    os.mkfifo(tmp_path / "paper.csv")
    shutil.copytree(finished[0], tmp_path / "finished")
    program = """
from experiments.report import write_report, __main__ as report
read = write_report.read_paper
def read_paper(*args):
    open('ready', 'w').close()
    return read(*args)
write_report.read_paper = read_paper
sys.argv = ['report', 'finished', '--paper=paper.csv']
report.main()
"""
    assert interrupted(PREPARE + program, tmp_path) == (130, LINE)


CLEANING = """
from experiments.runtime.user_errors import user_errors
with user_errors():
    try:
        open('ready', 'w').close()
        time.sleep(60)
    finally:
        open('again', 'w').close()
        time.sleep(60)
"""
SHUTTING_DOWN = """
import threading
from experiments.runtime.user_errors import user_errors
def work():
    while not os.path.exists('handled'):
        time.sleep(0.02)
    time.sleep(0.2)  # the interpreter now waits for this thread
    open('again', 'w').close()
    time.sleep(60)
threading.Thread(target=work).start()
try:
    with user_errors():
        open('ready', 'w').close()
        time.sleep(60)
finally:
    open('handled', 'w').close()
"""


@pytest.mark.parametrize("program", [CLEANING, SHUTTING_DOWN], ids=["clean", "shut_down"])
def test_a_second_ctrl_c_ends_the_process_without_a_traceback(program, tmp_path):
    assert interrupted(PREPARE + program, tmp_path, signals=2) == (130, LINE)


def test_ctrl_c_in_a_destructor_is_not_lost(tmp_path):
    program = """
from experiments.runtime.user_errors import user_errors
class Slow:
    def __del__(self):
        open('ready', 'w').close()
        time.sleep(60)
with user_errors():
    slow = Slow()
    del slow
    time.sleep(60)
"""
    assert interrupted(PREPARE + program, tmp_path) == (130, LINE)


def test_ctrl_c_while_a_command_is_imported(tmp_path):
    program = """
import runpy
from experiments import __main__ as misalign
def slow(*args, **options):
    open('ready', 'w').close()
    time.sleep(60)
runpy.run_module = slow
sys.argv = ['misalign', 'report', 'run']
misalign.main()
"""
    assert interrupted(PREPARE + program, tmp_path) == (130, LINE)


def test_a_second_request_to_stop_acts_as_ctrl_c_outside():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt), stop_requests() as stopping:
        signal.raise_signal(signal.SIGTERM)
        assert stopping()
        signal.raise_signal(signal.SIGINT)
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler
