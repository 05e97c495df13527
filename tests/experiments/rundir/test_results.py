import dataclasses

import jax
import numpy as np
import pandas as pd
import pytest

import probes
from experiments.domains.latent_rows import (
    Downstream,
    LatentLaneScores,
    score_rows,
    scores_per_lane,
)
from experiments.rundir.older_versions import PAIR_METRICS
from experiments.rundir.results import (
    COLUMNS,
    add_results,
    read_results,
    results_table,
    scored_lanes,
)
from experiments.sweep.plan import make_plan
from mmcl import Modalities
from probes.downstream import DownstreamScores
from probes.identifiability import Identifiability, LatentScores
from probes.retrieval import PairScores
from tests.small import small_config


def fake_scores(offset=0.0, semantics=3):
    """Returns made-up scores of a lane, all different."""
    count = iter(range(1000))
    draw = lambda *shape: np.array(
        [next(count) for _ in range(int(np.prod(shape)))], np.float32
    ).reshape(shape) / 1000 + np.float32(offset)  # fmt: skip
    latents = lambda *r: LatentScores(draw(*r, semantics), draw(*r), draw(*r))
    identifiability = lambda: Identifiability(latents(2), latents(2), draw(2), latents())
    heads = lambda: DownstreamScores(draw(2, 4), draw(2))
    return LatentLaneScores(
        {name: identifiability() for name in probes.PROBES},
        np.int32(2),
        Modalities(draw(), draw()),
        Modalities(draw(), draw()),
        PairScores(draw(2, 3), draw(), draw(), draw(2), np.int32(100)),
        Downstream(heads(), heads()),
    )


@pytest.fixture
def rows():
    lanes = dict(enumerate(make_plan(small_config()).lanes))
    return results_table(lanes, [fake_scores(), fake_scores(0.5)], ["ok", "ok"], score_rows)


def value(rows, lane=0, **where):
    rows = rows[rows.lane == lane]
    for column, wanted in where.items():
        rows = rows[rows[column] == wanted]
    assert len(rows) == 1
    return rows.iloc[0]


def test_every_score_has_its_row(rows):
    assert tuple(rows.columns) == COLUMNS
    scores = fake_scores()
    mlp = scores.probes["mlp"]
    latent = dict(probe="mlp", modality="t", target="s2")
    row = value(rows, metric="r2", **latent)
    np.testing.assert_allclose(row.value, mlp.forward.s[1, 1])
    np.testing.assert_allclose(row.attainable, mlp.attainable.s[1])
    row = value(rows, metric="partial_r2", **latent)
    np.testing.assert_allclose((row.value, row.attainable), (mlp.partial.s[1, 1], 0))
    row = value(rows, metric="r2", probe="mlp", modality="x", target="rep")
    np.testing.assert_allclose((row.value, row.attainable), (mlp.reverse[0], 1))
    row = value(rows, metric="linear_cka", modality="t")
    np.testing.assert_allclose(row.value, scores.linear_cka.t)
    assert np.isnan(row.attainable)
    row = value(rows, metric="recall_at_5", modality="t", target="pair", probe="none")
    np.testing.assert_allclose((row.value, row.attainable), (scores.pairs.recall[1, 1], 1))
    row = value(rows, metric="alignment", target="pair")
    np.testing.assert_allclose((row.value, row.attainable), (scores.pairs.alignment, 0))
    row = value(rows, metric="uniformity", modality="t", target="rep")
    np.testing.assert_allclose(row.value, scores.pairs.uniformity[1])
    assert np.isnan(row.attainable)
    row = value(rows, metric="r2", target="y3", environment="shifted")
    np.testing.assert_allclose(row.value, scores.downstream.measured.r2[1, 2])
    np.testing.assert_allclose(row.attainable, scores.downstream.attainable.r2[1, 2])
    row = value(rows, metric="matthews", environment="same")
    np.testing.assert_allclose(row.value, scores.downstream.measured.matthews[0])


def test_partial_r2_has_no_row_for_unbiased_semantics(rows):
    partial = rows[rows.metric == "partial_r2"]
    assert set(partial.target[partial.lane == 0]) == {"s2", "s3", "m_x", "m_t"}  # selects s1
    assert set(partial.target[partial.lane == 1]) == {"s2", "s3", "m_x", "m_t"}  # distorts s2


def test_scores_of_pairs_have_no_attainable_value_under_other_misalignments():
    lane = dataclasses.replace(make_plan(small_config()).lanes[1], misalignment="shuffled")
    rows = results_table({0: lane}, [fake_scores()], ["ok"], score_rows)
    pairs = rows[rows.metric.isin(PAIR_METRICS)]
    assert len(pairs) == 11
    assert pairs.attainable.isna().all()
    assert set(pairs.attainable_by) == {"none"}


def test_runs_of_versions_without_scores_of_pairs_are_complete(rows, tmp_path):
    path = tmp_path / "results.csv"
    announced = scores_per_lane(len(probes.PROBES), 3, downstream=True)
    add_results(path, rows[(rows.lane == 0) & ~rows.metric.isin(PAIR_METRICS)])
    assert scored_lanes(path, announced) == [0]
    add_results(path, rows[rows.lane == 1])  # a lane that this version adds
    assert scored_lanes(path, announced) == scored_lanes(path) == [0, 1]


def test_results_are_read_back_as_written(rows, tmp_path):
    path = tmp_path / "results.csv"
    add_results(path, rows[rows.lane == 0])
    before = path.read_text()
    add_results(path, rows[rows.lane == 1])
    assert path.read_text().startswith(before)
    pd.testing.assert_frame_equal(read_results(path), rows)


@pytest.mark.parametrize("mid_line", [True, False])
def test_a_truncated_file_is_reported_and_its_complete_lanes_are_read(rows, tmp_path, mid_line):
    path = tmp_path / "results.csv"
    add_results(path, rows)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-60]) + (lines[-60][:20] if mid_line else ""))
    warnings = []
    assert set(read_results(path, warn=warnings.append).lane) == {0}
    assert warnings == [f"{path} is incomplete: lane 1 left out"]
    assert scored_lanes(path) == [0]
    add_results(path, rows[rows.lane == 1])  # scoring that lane again completes the file
    pd.testing.assert_frame_equal(read_results(path), rows)


def test_truncation_of_a_file_with_one_lane_is_detected(rows, tmp_path):
    path = tmp_path / "results.csv"
    scores = scores_per_lane(len(probes.PROBES), 3, downstream=True)
    add_results(path, rows[rows.lane == 0])
    assert scored_lanes(path, scores) == [0]
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-3]))
    assert scored_lanes(path, scores) == []


def test_an_empty_file_has_no_lane_and_a_binary_file_is_refused(rows, tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("")
    assert scored_lanes(path) == []
    add_results(path, rows)
    pd.testing.assert_frame_equal(read_results(path), rows)
    path.write_bytes(b"lane,\xff\n")
    with pytest.raises(ValueError, match="results.csv is no text"):
        read_results(path)


def test_a_file_of_another_version_is_refused_with_its_missing_column(rows, tmp_path):
    path = tmp_path / "results.csv"
    rows.drop(columns="environment").to_csv(path, index=False)
    with pytest.raises(ValueError, match="no column 'environment': another version wrote it"):
        read_results(path)
    path.write_text('lane,"seed\n1,2,3\n')
    with pytest.raises(ValueError, match="results.csv"):
        read_results(path)


def test_lanes_without_perturbable_semantics_are_not_dropped_by_groupby(rows, tmp_path):
    path = tmp_path / "results.csv"
    add_results(path, rows)
    groups = pd.read_csv(path).groupby(["perturbable", "lane"]).size()
    assert groups.index.tolist() == [("none", 0), ("s2", 1)]
    assert list(read_results(path).perturbable.unique()) == ["", "s2"]


def test_an_empty_cell_of_older_versions_is_read_as_no_perturbable_semantics(rows, tmp_path):
    path = tmp_path / "results.csv"
    rows[rows.lane == 0].to_csv(path, index=False)  # as versions before "none" did
    add_results(path, rows[rows.lane == 1])
    assert list(read_results(path).perturbable.unique()) == ["", "s2"]


def test_scores_of_a_diverged_lane_are_nan():
    lanes = {0: make_plan(small_config()).lanes[0]}
    table = results_table(lanes, [fake_scores()], ["diverged at step 7"], score_rows)
    assert table.value.isna().all()
    assert (table.status == "diverged at step 7").all()


def test_fake_scores_differ():
    leaves = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(fake_scores())])
    assert len(set(leaves.tolist())) == len(leaves)
