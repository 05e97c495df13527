"""The benchmark: counting, timing, table, targets, and a run with tiny sizes."""

import re
from dataclasses import replace
from functools import cache, partial
from io import StringIO

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from absl.testing import flagsaver
from rich.console import Console

import mmcl
import probes
from experiments.benchmark import __main__ as program
from experiments.benchmark import one_config, peer_comparison, steps
from experiments.benchmark.measure_parts import ALL_PARTS, measure_parts
from experiments.benchmark.measurement.cases import (
    Case,
    Ceilings,
    first_state,
    measure_ladder,
    prepare_function,
    prepare_sweep,
)
from experiments.benchmark.measurement.flops import count_flops
from experiments.benchmark.measurement.timing import Program, measure
from experiments.benchmark.one_config import checkpoint_times, lane_step_times
from experiments.benchmark.output_figure import save_benchmark_figure
from experiments.benchmark.output_table import (
    COLUMNS,
    make_table,
    read_table,
    save_table,
    side_by_side,
    terminal_columns,
)
from experiments.benchmark.parts import dense_objective
from experiments.benchmark.sizes import QUICK
from experiments.benchmark.targets import target_rows
from experiments.report.terminal_tables import print_table
from experiments.sweep.plan import make_plan
from mmcl.objectives import log_sum_exp
from tests.figures import assert_for_print
from tests.small import small_config

TINY = replace(
    QUICK,
    product_size=16,
    copy_mib=1,
    objective_batches=(8, 16),
    max_dense_batch=8,
    lanes=(1, 2),
    recipes=("paper",),
    growth_batches=(16,),
    growth_widths=(8,),
    optimizer_widths=(4,),
    sampler_pairs=(8,),
    probe_rows=64,
    resolutions=(4,),
    images=2,
    peer_lanes=2,
    peer_batch=16,
    repeats=2,
    repeat_seconds=1e-4,
)


def small_numeric_config(lanes, recipe, **changes):
    del recipe
    optimizer = {f"recipe.{name}": value for name, value in changes.items() if name == "optimizer"}
    config = small_config(seeds=lanes, **{"recipe.steps": 40}, **optimizer)
    config.settings = config.settings[:1]
    return config


def cached_first_state(states, plan, load):
    """`first_state`, computed once per optimiser, since nothing else changes it in these tests."""
    if plan.recipe.optimizer not in states:
        states[plan.recipe.optimizer] = first_state(plan, load)
    return states[plan.recipe.optimizer]


@pytest.fixture(scope="module")
def measured():
    """The table and the printed output of a run of every part without PyTorch.

    One optimiser and few probes take part.
    """
    console = Console(file=StringIO(), width=100)
    with pytest.MonkeyPatch.context() as patch:
        for module in (steps, peer_comparison):
            patch.setattr(module, "numeric_config", small_numeric_config)
            patch.setattr(module, "first_state", partial(cached_first_state, {}))
            patch.setattr(module, "OPTIMIZERS", ("muon",))
        patch.setattr(probes, "PROBES", {"linear": probes.ridge})
        patch.setattr(probes, "CLASSIFIERS", {"logistic": probes.logistic})
        patch.setattr(peer_comparison, "torch_device", lambda: ("", peer_comparison.MISSING))
        *earlier, table = measure_parts(ALL_PARTS, TINY, console)
    assert [earlier[k].part.nunique() for k in range(3)] == [1, 2, 3]  # one more part each time
    return table, console.file.getvalue()


@pytest.mark.slow
def test_every_part_is_measured(measured):
    table, printed = measured
    assert set(table.part) == {"ceilings", *ALL_PARTS, "target"}
    rows = table[table.note == ""]
    assert set(rows.part) == {"ceilings", *ALL_PARTS}
    numbers = rows[["time_ms", "low", "high", "peak_mib", "compile_s"]]
    assert (numbers > 0).all(axis=None)
    assert (rows.low <= rows.time_ms).all()
    assert (rows.time_ms <= rows.high).all()
    assert (rows[rows.part != "ceilings"].share > 0).all()
    assert "benchmark 100%" in printed


@pytest.mark.slow
def test_without_pytorch_a_note_names_the_command_to_install_it(measured):
    table, _ = measured
    missing = table[table.note == peer_comparison.MISSING]
    assert list(missing.variant) == [
        "fast, adam, eager",
        "fast, adam, torch.compile",
        "fast, muon, eager",
        "paper, adam, eager",
        "paper, adam, torch.compile",
    ]
    assert "pip install" in peer_comparison.MISSING


@pytest.mark.slow
def test_a_saved_table_is_read_back(measured, tmp_path):
    table, _ = measured
    save_table(table, tmp_path / "out" / "benchmark.csv")
    read = read_table(tmp_path / "out" / "benchmark.csv")
    assert list(read) == list(table) == COLUMNS
    np.testing.assert_allclose(read.time_ms, table.time_ms, rtol=1e-5)
    assert list(read.note) == list(table.note)


@pytest.mark.slow
def test_the_figure_and_the_terminal_show_every_part(measured, tmp_path):
    table, _ = measured
    save_benchmark_figure(table, tmp_path / "benchmark.png")
    assert (tmp_path / "benchmark.png").stat().st_size > 10_000
    assert_for_print(tmp_path / "benchmark.png")
    console = Console(file=StringIO(), width=100)
    print_table(console, terminal_columns(table), keys=2)
    text = console.file.getvalue()
    assert all(f"\n{part} " in text for part in ALL_PARTS)
    assert "low to high" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.slow
def test_a_figure_of_one_part(measured, tmp_path):
    table, _ = measured
    save_benchmark_figure(table[table.part == "sampler"], tmp_path / "benchmark.png")
    assert (tmp_path / "benchmark.pdf").exists()


def row(variant, time_ms, part="peer", size=1024, **others):
    return {"part": part, "variant": variant, "size": size, "lanes": 1, "time_ms": time_ms} | others


def test_tables_fit_100_columns_whatever_is_measured():
    table = make_table(
        [row("a variant with a long name " * 3, 12345.678, low=1e4, high=2e4, peak_mib=1e5,
             note="a note " * 20)]
    )  # fmt: skip
    console = Console(file=StringIO(), width=100)
    print_table(console, terminal_columns(table), keys=2)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 100
    assert "10000 to 20000" in text


def test_side_by_side_has_the_ratio_of_times():
    first = make_table([row("a", 2.0), row("b", 1.0), row("unmatched", 1.0)])
    second = make_table([row("b", 3.0), row("a", 1.0)])
    both = side_by_side(first, second).set_index("variant")
    assert both.ratio.to_dict() == {"a": 0.5, "b": 3.0}


def test_tables_without_a_row_in_common_are_refused():
    with pytest.raises(ValueError, match="no row in common"):
        side_by_side(make_table([row("a", 2.0)]), make_table([row("b", 2.0)]))


def test_targets_are_met_or_missed():
    rows = [
        row("fast, soap, ours", 2.0),
        row("fast, adam, eager", 8.0),
        row("paper, adam, ours", 5.0, size=6144),
        row("paper, adam, eager", 15.0, size=6144),
        row("ours, with gradient", np.nan, "objective", 65536, peak_mib=512.0),
        row("batch 256, widths 128, muon", 3.5, "growth", 256),
    ]
    targets = target_rows(make_table(rows))
    values = [(row["value"], row["target"], row["note"]) for row in targets]
    assert values == [(4.0, 3, "met"), (3.0, 4, "missed"), (0.5, 2, "met"), (3.5, 3, "missed")]


@pytest.mark.parametrize(("longest", "note"), [(1.1, "missed"), (1.05, "met")])
def test_target_of_constant_time_from_32_lanes_to_512(longest, note):
    timed = [row("fast", time, "step", lanes=n) for n, time in ((4, 3.0), (32, 1.0), (128, 0.9))]
    assert target_rows(make_table(timed)) == []  # without 512 lanes
    (target,) = target_rows(make_table([*timed, row("fast", longest, "step", lanes=512)]))
    assert (target["value"], target["note"]) == (pytest.approx(longest / 0.9), note)


def test_unmeasured_parts_have_no_target_row():
    assert target_rows(make_table([row("fast, soap, ours", 2.0)])) == []


def test_programs_take_turns():
    calls = []

    def counted(name):
        def call(count):
            calls.append(name)
            return count + 1

        return Program(call, 0)

    times = measure({"a": counted("a"), "b": counted("b")}, repeats=5, repeat_seconds=0.0)
    assert calls[-10:] == ["a", "b"] * 5
    assert {name: len(values) for name, values in times.items()} == {"a": 5, "b": 5}


def test_a_case_that_takes_too_long_has_memory_but_no_time():
    square = lambda x: x @ x
    cases = [
        Case(
            "product",
            size,
            1,
            lambda size=size: prepare_function(square, lambda: (jnp.ones((size,) * 2),)),
        )
        for size in (8, 64)
    ]
    logged = []
    sizes = replace(TINY, max_seconds=1e-9)
    ceilings = {1: Ceilings(1e9, 1e9)}
    rows = measure_ladder("part", cases, sizes=sizes, ceilings=ceilings, log=logged.append)
    assert rows[0]["time_ms"] > 0
    assert "time_ms" not in rows[1]
    assert rows[1]["note"].startswith("not timed")
    assert rows[1]["peak_mib"] >= 2 * 64 * 64 * 4 / 2**20
    assert len(logged) == 2


def test_a_case_out_of_memory_has_a_note():
    def prepare():
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")

    case = Case("large", 1, 1, prepare)
    rows = measure_ladder("part", [case], sizes=TINY, ceilings={}, log=print)
    assert rows[0]["note"] == "out of memory"


def test_the_body_of_a_scan_counts_once_per_iteration():
    a, b = jnp.ones((3, 4)), jnp.ones((4, 4))
    assert count_flops(jnp.matmul, a, b) == 2 * 3 * 4 * 4
    loop = lambda a: jax.lax.scan(lambda c, _: (c @ b, None), a, length=5)[0]
    assert count_flops(loop, a) == 5 * 2 * 3 * 4 * 4
    assert count_flops(jax.jit(loop), a) == 5 * 2 * 3 * 4 * 4


def test_the_cheapest_branch_counts():
    a = jnp.ones((4, 4))
    branch = lambda flag, a: jax.lax.cond(flag, lambda: a @ a @ a, lambda: jnp.exp(a))
    assert count_flops(branch, True, a) == 16


def test_sums_solves_and_convolutions_count():
    spd = jnp.eye(6)
    solve = lambda a, b: jax.scipy.linalg.solve(a, b, assume_a="pos")
    assert count_flops(lambda x: x.sum(), jnp.ones((5, 7))) == 35
    assert count_flops(lambda x: x.sum(), jnp.ones((5, 7), int)) == 0
    assert count_flops(solve, spd, jnp.ones((6, 2))) == pytest.approx(
        6**3 / 3 + 2 * 6**2 * 2, rel=0.5
    )
    images, kernel = jnp.ones((2, 8, 8, 3)), jnp.ones((3, 3, 3, 5))
    convolve = lambda x, k: jax.lax.conv_general_dilated(
        x, k, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    assert count_flops(convolve, images, kernel) == 2 * 2 * 8 * 8 * 5 * 3 * 3 * 3


def test_a_step_on_images_counts_the_products_of_the_encoder():
    """The first product counts once, since pixels have no gradient."""
    config = steps.image_config(1, "patches")
    config.world.update(images=40, resolution=16)
    config.recipe.update(batch=8, group=8)
    plan = make_plan(config)
    load = cache(lambda: plan.domain.load(lambda fraction: None))
    prepared = prepare_sweep(plan, load, partial(first_state, plan, load), 1)
    multiply_adds = 2 * 16 * 48 * 64 + 3 * (4 * 256 * 128 + 512 * 256 + 256 * plan.recipe.outputs)
    assert prepared.flops > 2 * 8 * multiply_adds


@pytest.mark.parametrize("shift", [0.0, 1000.0])
@pytest.mark.parametrize("block", [log_sum_exp.BLOCK, 100])
def test_the_dense_objective_equals_that_of_mmcl(shift, block, key, monkeypatch):
    monkeypatch.setattr(log_sum_exp, "block_size", lambda: block)
    z = mmcl.Modalities(*jax.random.normal(key, (2, 32, 5)) + shift)
    expected = jax.jit(jax.value_and_grad(lambda z: mmcl.alignment_max_entropy(z, 0.7)))(z)
    dense = jax.jit(jax.value_and_grad(lambda z: dense_objective(z, 0.7)))(z)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), expected, dense)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--parts=objectives"], "parts holds 'objectives': allowed is objective, step"),
        (["--compare=no.csv"], "no.csv"),
        (["--compare=setup.cfg"], "setup.cfg is no CSV of a benchmark"),
        (["--compare", "a.csv", "b.csv"], "b.csv is not a flag"),
        (["--seconds=-1"], "seconds"),
    ],
)
def test_bad_input_ends_in_a_message_before_any_measurement(arguments, message):
    with flagsaver.flagsaver(), pytest.raises(SystemExit, match=message):
        program.main(program.parse_flags(["benchmark", *arguments]))


def test_two_files_are_compared(tmp_path, capsys):
    files = [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    for file, time_ms in zip(files, (2.0, 3.0), strict=True):
        save_table(make_table([row("a", time_ms)]), tmp_path / file)
    with flagsaver.flagsaver():
        program.main(program.parse_flags(["benchmark", f"--compare={','.join(files)}"]))
    assert "ratio" in (text := capsys.readouterr().out)
    assert "1.5" in text


def test_the_error_names_a_missing_column(tmp_path):
    pd.DataFrame({"part": ["a"]}).to_csv(tmp_path / "a.csv")
    with pytest.raises(ValueError, match="column variant is missing"):
        read_table(tmp_path / "a.csv")


def test_a_lane_step_of_a_config_is_timed(monkeypatch):
    """A call has two steps of two lanes."""
    seconds, said, shown = (1.0, 2.0, 4.0), [], []

    def measured(programs, repeats, repeat_seconds, report):
        for value in seconds:
            report(value)
        return {"": seconds}

    monkeypatch.setattr(one_config, "measure", measured)
    plan = make_plan(small_config())
    compile_seconds, step = lane_step_times(plan, lambda *entry: shown.append(entry), said.append)
    assert compile_seconds > 0
    (line,) = said
    assert re.match(r"first estimate, from one lane alone: [\d,]+ ms per step; compiling 2", line)
    assert "8 calls of 2 steps take about" in line  # as many as the history has between points
    assert shown[-1] == ("measuring", 3 / 7, "1000.00 ms per lane-step")
    assert step == {"time_ms": 500.0, "low": 250.0, "high": 1000.0}


def test_a_checkpoint_is_timed_and_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    waiting, written = checkpoint_times(make_plan(small_config()))
    assert 0 < waiting < written
    assert list(tmp_path.iterdir()) == []
