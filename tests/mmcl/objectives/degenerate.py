"""Degenerate pairs, and the cells of the tables of objectives in docs/degenerate_input.md."""

import numpy as np

from mmcl.modalities import Modalities
from tests.repository import ROOT

N, D, ROW = 12, 3, 5
RNG = np.random.default_rng(0)
X, NOISE = np.float32(np.round(RNG.normal(size=(2, N, D)) * 512) / 512)  # exact also plus 1e4
Z = Modalities(X, np.float32(np.round((0.8 * X + 0.4 * NOISE) * 512) / 512))
ALL = np.ones(N, bool)


def in_both(change):
    return lambda z: Modalities(*map(change, z))


def with_row(rows, value):
    rows = rows.copy()
    rows[ROW] = value
    return rows


def with_last(rows, values):
    rows = rows.copy()
    rows[:, -1] = values
    return rows


PAIRS = {  # words of the page -> a function of the pairs
    "all rows equal, 0.3": in_both(lambda rows: np.full_like(rows, 0.3)),
    "all rows equal, 1234.567": in_both(lambda rows: np.full_like(rows, 1234.567)),
    "all rows 0, an empty dimension mask": in_both(np.zeros_like),
    "duplicate rows": in_both(lambda rows: np.repeat(rows[::2], 2, axis=0)),
    "identical modalities": lambda z: Modalities(z.x, z.x),
    "a column of zeros, masked by `dimensions`": in_both(
        lambda rows: np.pad(rows, [(0, 0), (0, 1)])
    ),
    "a constant column, 0.3": in_both(lambda rows: with_last(rows, 0.3)),
    "a constant column, 1234.567": in_both(lambda rows: with_last(rows, 1234.567)),
    "a constant column in one modality": lambda z: z._replace(x=with_last(z.x, 0.3)),
    "a duplicate column": in_both(lambda rows: with_last(rows, rows[:, 0])),
    "a collinear column": in_both(lambda rows: with_last(rows, rows[:, 0] + rows[:, 1])),
    "a row of zeros in one modality": lambda z: z._replace(x=with_row(z.x, 0)),
    "a row of zeros in both modalities": in_both(lambda rows: with_row(rows, 0)),
    "representations plus 1e4": in_both(lambda rows: rows + np.float32(1e4)),
    "representations times 1e-6": in_both(lambda rows: rows * np.float32(1e-6)),
    "representations times 1e4": in_both(lambda rows: rows * np.float32(1e4)),
    "NaN in a row of `z.x`": lambda z: z._replace(x=with_row(z.x, np.nan)),
    "NaN in a row of `z.t`": lambda z: z._replace(t=with_row(z.t, np.nan)),
    "NaN in a pair that takes no part": in_both(lambda rows: with_row(rows, np.nan)),
    "infinity in a pair that takes no part": in_both(lambda rows: with_row(rows, np.inf)),
}
MASKS = {  # words of the page -> the pairs that take part
    "one pair takes part": np.arange(N) == ROW,
    "two pairs take part": np.arange(N) < 2,
    "three pairs take part": np.arange(N) < 3,
    "no pair takes part": ~ALL,
    **{word: np.arange(N) != ROW for word in PAIRS if word.endswith("takes no part")},
}


def documented(heading):
    """Returns the table of a section: input -> column -> cell."""
    text = (ROOT / "docs" / "degenerate_input.md").read_text()
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    header, *lines = (line[2:-2].split(" | ") for line in section.splitlines() if line[:2] == "| ")
    return {word: dict(zip(header[1:], cells, strict=True)) for word, *cells in lines}


def assert_cell(cell, measured, healthy, name):
    """A cell is one result of both the value and its gradient, or one of each.

    measured, healthy: the value and the gradient, of the degenerate and of the healthy input.
    """
    results = cell.split(", ") if ", " in cell else [cell, cell]
    for result, *arrays in zip(results, measured, healthy, strict=True):
        numbers, expected = (np.stack(a) if isinstance(a, tuple) else a for a in arrays)
        of_row, _, of_others = result.partition(" and others ")
        rows = np.arange(N) == ROW if of_others else ...
        assert_result(of_row, numbers[rows], expected[rows], name)
        if of_others:
            assert_result(of_others, numbers[~rows], expected[~rows], name)


def assert_result(result, measured, expected, name):
    if result == "finite":
        assert np.isfinite(measured).all(), name
    elif result == "NaN":
        assert np.isnan(np.linalg.norm(measured)), name
    elif result == "unchanged" or result.endswith(" times"):
        expected = expected * float(result.removesuffix(" times").replace("unchanged", "1"))
        measured = measured[..., : expected.shape[-1]] if expected.ndim else measured
        atol = 1e-3 * np.abs(expected).max()
        np.testing.assert_allclose(measured, expected, rtol=1e-3, atol=atol, err_msg=name)
    else:
        expected = D if result == "the worst" else float(result)
        np.testing.assert_allclose(measured, expected, rtol=1e-4, atol=1e-4, err_msg=name)
