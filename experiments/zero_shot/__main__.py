"""Zero-shot: scores of assigning images to the concepts of their group by the concepts' words.

misalign zero_shot --image-embeddings=x.npz --text-embeddings=t.npz
misalign zero_shot --images=FOLDER --model=ViT-B-32 --weights=FILE [--prompts "a photo of a {}"]
misalign zero_shot --run=runs/cards_small --lane=3
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from experiments.report.terminal_tables import print_table
from experiments.runtime.progress import progress
from experiments.runtime.user_errors import user_errors
from experiments.zero_shot.confusion_figures import figure_name, save_confusion
from experiments.zero_shot.group_scores import GroupScores, score_group
from experiments.zero_shot.score_tables import (
    DIGITS,
    confusion_table,
    score_table,
    terminal_columns,
)
from experiments.zero_shot.sources import choose_source
from lvm.files.atomic import write_atomically


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(
        prog="misalign zero_shot",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--image-embeddings", type=Path, help="an .npz file")
    parser.add_argument("--text-embeddings", type=Path, help="an .npz file")
    parser.add_argument("--images", type=Path, help="a folder of GROUP/CONCEPT/IMAGE")
    parser.add_argument("--model", help="name of an open_clip model")
    parser.add_argument("--weights", type=Path, help="file with the weights of that model")
    parser.add_argument("--prompts", nargs="+", help="texts with {} for the concept; default: {}")
    parser.add_argument("--run", type=Path, help="a run directory of images")
    parser.add_argument("--lane", type=int, help="number of a lane of that run")
    parser.add_argument("--out", type=Path, default=Path("zero_shot"), help="a folder to write")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap and of ties")
    options = parser.parse_args(arguments)
    with user_errors():
        zero_shot(options, Console(markup=False))


def zero_shot(options: argparse.Namespace, console: Console) -> None:
    """Scores all groups, prints the table, and writes tables and figures.

    Nothing is written before all groups are scored.
    """
    source = choose_source(options)
    check_options(options)
    with progress(console) as show:
        groups = source.read(options, console, show)
        scores = []
        for index, group in enumerate(groups):
            scores.append(score_group(group, options.seed))
            show("scoring", (index + 1) / len(groups), group.group)
        write_scores(scores, options.out, lambda fraction: show("drawing", fraction, ""))
    print_table(console, terminal_columns(scores))
    for line in (*notes(scores), f"scores, confusion and figures: {options.out}"):
        console.print(line, highlight=False, soft_wrap=True)


def write_scores(
    scores: Sequence[GroupScores], folder: Path, show: Callable[[float], object]
) -> None:
    """Writes `zero_shot.csv`, `confusion.csv` and one figure per group to a folder.

    `show` is called with the fraction of the figures that is drawn.
    """
    for name, table in (
        ("zero_shot.csv", score_table(scores)),
        ("confusion.csv", confusion_table(scores)),
    ):
        write_atomically(folder / name, table.to_csv(index=False, float_format=DIGITS))
    for index, group in enumerate(scores):
        save_confusion(group, folder / figure_name(group.group))
        show((index + 1) / len(scores))


def notes(scores: Sequence[GroupScores]) -> list[str]:
    """Returns sentences on groups of one concept and on images nearest to several concepts."""
    single = [group.group for group in scores if len(group.concepts) == 1]
    tied = [f"{group.group} {group.ties:,}" for group in scores if group.ties]
    sentences = {
        "Groups of one concept, whose scores are always 1": single,
        "Images equally near to several concepts, of which one was drawn": tied,
    }
    return [f"{sentence}: {', '.join(found)}." for sentence, found in sentences.items() if found]


def check_options(options: argparse.Namespace) -> None:
    """Raises ValueError for a negative seed, and for an output that is a file or among inputs."""
    if options.seed < 0:
        raise ValueError(f"--seed is {options.seed}: allowed is 0 or more")
    if options.out.exists() and not options.out.is_dir():
        raise ValueError(f"--out is {options.out}, a file: allowed is a folder")
    if options.images and options.out.resolve().is_relative_to(options.images.resolve()):
        raise ValueError(f"--out is {options.out}, in the folder of images: choose another folder")


if __name__ == "__main__":
    main()
