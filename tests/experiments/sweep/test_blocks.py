from itertools import chain
from pathlib import Path

import pytest

from experiments.rundir.checkpoint_files import Checkpoint
from experiments.sweep.blocks import Block, remaining_blocks, split_block

ONE, TWO = (Checkpoint(Path(name), range(0), 4) for name in ("one", "two"))
EQUAL_STEPS = [100] * 20  # steps of lanes


def lanes(blocks):
    return [list(block.lanes) for block in blocks]


def test_all_lanes_run_together_by_default():
    assert lanes(remaining_blocks([], {}, EQUAL_STEPS[:5], 5)) == [[0, 1, 2, 3, 4]]


def test_parts_are_few_and_about_equal():
    assert lanes(split_block(Block(range(7), None), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert lanes(split_block(Block(range(8), None), 6)) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert lanes(split_block(Block(range(3), None), 3)) == [[0, 1, 2]]


def test_finished_lanes_are_not_repeated():
    assert lanes(remaining_blocks([0, 1, 3], {}, EQUAL_STEPS[:6], 6)) == [[2], [4, 5]]
    assert remaining_blocks(range(6), {}, EQUAL_STEPS[:6], 6) == []


def test_lanes_resume_with_those_of_their_checkpoint():
    newest = {2: ONE, 3: ONE, 4: TWO}
    blocks = remaining_blocks([0], newest, EQUAL_STEPS[:7], 7)
    assert blocks == [
        Block(range(1, 2), None),
        Block(range(2, 4), ONE),
        Block(range(4, 5), TWO),
        Block(range(5, 7), None),
    ]


def test_lanes_with_different_steps_run_in_separate_blocks():
    assert lanes(remaining_blocks([1], {}, [6, 6, 6, 9, 9], 5)) == [[0], [2], [3, 4]]


@pytest.mark.parametrize("largest", [1, 2, 3, 5, 100])
def test_every_lane_runs_once_for_any_largest_block(largest):
    blocks = remaining_blocks([3, 4], dict.fromkeys(range(6, 9), ONE), EQUAL_STEPS, largest)
    assert [*chain(*lanes(blocks))] == sorted(set(range(20)) - {3, 4})
    assert max(map(len, lanes(blocks))) <= largest
