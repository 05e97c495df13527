from experiments.benchmark import REPEATS, lane_step_times
from experiments.plan import make_plan
from tests.small import small_config


def test_every_repeat_is_timed():
    compiling, times = lane_step_times(make_plan(small_config()))
    assert len(times) == REPEATS
    assert all(time > 0 for time in times)
    assert compiling > 0
