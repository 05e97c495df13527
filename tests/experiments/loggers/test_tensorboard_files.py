"""TensorBoard files of a sweep, read back."""

import struct

import pytest
from tensorboardX.proto.event_pb2 import Event, SessionLog

from experiments.loggers import open_loggers
from experiments.rundir import history
from tests.runs import assert_same_tables, run
from tests.small import small_config


def read_events(folder):
    """Yields the events of all files in a folder: records of length, checksum, data, checksum."""
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            yield Event.FromString(content[12 : 12 + length])
            content = content[16 + length :]


def read_scalars(folder):
    """Returns the scalars of a folder: {(name, step): value}."""
    return {
        (value.tag, event.step): value.simple_value
        for event in read_events(folder)
        for value in event.summary.value
        if value.WhichOneof("value") == "simple_value"
    }


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A small sweep that logs to TensorBoard."""
    directory = tmp_path_factory.mktemp("tensorboard") / "run [1] 100%"
    directory.mkdir()
    with open_loggers(["tensorboard"], directory, print) as log:
        run(directory, small_config(), log=log)
    return directory


def test_every_point_of_the_history_is_a_scalar_of_its_lane(directory):
    points = history.read(directory)
    assert len(points) == 6
    for lane, rows in points.groupby("lane"):
        scalars = read_scalars(directory / "tensorboard" / f"lane_{lane}")
        assert len(scalars) == 3 * (2 + 2 * 5)  # points x (metrics + modalities x targets)
        for row in rows.itertuples():
            assert scalars["loss", row.step] == pytest.approx(row.loss)
            assert scalars["x/s3", row.step] == pytest.approx(row.x_s3, abs=1e-6)


def test_a_run_with_a_logger_has_the_tables_of_one_without(directory, finished):
    assert_same_tables(directory, finished[0])


def test_the_file_has_the_identity_of_the_lane(directory):
    texts = [
        value.tensor.string_val[0].decode()
        for event in read_events(directory / "tensorboard" / "lane_1")
        for value in event.summary.value
        if value.HasField("tensor")
    ]
    assert len(texts) == 1
    assert "- setting: select [2] perturb {2}\n" in texts[0]
    assert "- seed: 0\n" in texts[0]


def test_a_resumed_run_replaces_the_steps_that_it_repeats(directory, tmp_path):
    rows = history.read(directory).to_dict("records")
    later = [row for row in rows if row["step"] == 4]
    with open_loggers(["tensorboard"], tmp_path, print) as log:
        log(later)
    events = read_events(tmp_path / "tensorboard" / "lane_0")
    (start,) = [event for event in events if event.session_log.status == SessionLog.START]
    assert start.step == 4  # TensorBoard drops what older files have from there on
