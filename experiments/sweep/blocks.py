"""Blocks: the lanes that run together."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from experiments.rundir.checkpoint_files import Checkpoint


class Block(NamedTuple):
    """Lanes that run together: their consecutive numbers, and the checkpoint they resume from."""

    lanes: range
    source: Checkpoint | None


def remaining_blocks(
    finished: Iterable[int], newest: dict[int, Checkpoint], lane_steps: Sequence[int], largest: int
) -> list[Block]:
    """Returns the blocks of all lanes but the finished ones.

    Lanes of a block have the same steps and the same newest checkpoint; they are at most `largest`.
    """
    remaining = sorted(set(range(len(lane_steps))) - set(finished))
    blocks = []

    def group(pair):
        index, lane = pair
        return lane - index, lane_steps[lane], newest.get(lane)  # equal first for consecutive lanes

    for (*_, source), pairs in groupby(enumerate(remaining), group):
        lanes = [lane for _, lane in pairs]
        blocks += split_block(Block(range(lanes[0], lanes[-1] + 1), source), largest)
    return blocks


def split_block(block: Block, largest: int) -> list[Block]:
    """Returns a block in as few, about equal parts as have at most `largest` lanes each."""
    parts = -(-len(block.lanes) // largest)
    size = -(-len(block.lanes) // parts)
    pieces = [block.lanes[begin : begin + size] for begin in range(0, len(block.lanes), size)]
    return [block._replace(lanes=lanes) for lanes in pieces]
