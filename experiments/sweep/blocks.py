"""Blocks: the lanes that run together, and which of them are left to do."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from experiments.rundir.checkpoint_files import Checkpoint


class Block(NamedTuple):
    """Lanes that run together: their numbers, consecutive, and the checkpoint they go on from."""

    lanes: range
    source: Checkpoint | None


def blocks_left(
    finished: Iterable[int], newest: dict[int, Checkpoint], steps: Sequence[int], largest: int
) -> list[Block]:
    """The blocks that hold all lanes but the finished ones; `steps` are those of each lane.

    Lanes that take as many steps, and have a common newest checkpoint, go on together, at most
    `largest` of them.
    """
    left = sorted(set(range(len(steps))) - set(finished))
    blocks = []

    def kin(pair):
        place, lane = pair
        return lane - place, steps[lane], newest.get(lane)  # consecutive ones have the first alike

    for (*_, source), pairs in groupby(enumerate(left), kin):
        lanes = [lane for _, lane in pairs]
        blocks += split(Block(range(lanes[0], lanes[-1] + 1), source), largest)
    return blocks


def split(block: Block, largest: int) -> list[Block]:
    """A block in as few parts as have at most `largest` lanes, and about equally many."""
    parts = -(-len(block.lanes) // largest)
    size = -(-len(block.lanes) // parts)
    pieces = [block.lanes[begin : begin + size] for begin in range(0, len(block.lanes), size)]
    return [block._replace(lanes=lanes) for lanes in pieces]
