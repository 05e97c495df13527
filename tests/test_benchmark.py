from experiments.benchmark import REPEATS, checkpoint_times, lane_step_times
from experiments.plan import make_plan
from tests.small import small_config


def test_every_repeat_is_timed():
    compiling, times = lane_step_times(make_plan(small_config()))
    assert len(times) == REPEATS
    assert all(time > 0 for time in times)
    assert compiling > 0


def test_a_checkpoint_is_timed_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    waiting, whole = checkpoint_times(make_plan(small_config()))
    assert 0 < waiting < whole
    assert list(tmp_path.iterdir()) == []
