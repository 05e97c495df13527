"""Caption files: captions from one file of any format, or from all files of a folder."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from experiments.audit.inputs.parquet_rows import PARQUET, read_parquet
from experiments.audit.inputs.text_rows import (
    GZIP,
    TABLES,
    OnProgress,
    cell,
    check_suffix,
    ignore_progress,
    listed,
    read_cells,
    read_lines,
    suffix_of,
)

TEXT_SUFFIXES = (*TABLES, ".jsonl", ".txt")
SUFFIXES = (*TEXT_SUFFIXES, PARQUET, *(suffix + GZIP for suffix in TEXT_SUFFIXES))


def caption_files(path: Path) -> list[Path]:
    """Returns `path`, or if it is a folder all files of captions in it and its folders, sorted.

    Hidden files and folders are left out.

    Raises ValueError for a folder without files of captions.
    """
    if not path.is_dir():
        return [path]
    is_hidden = lambda file: any(part.startswith(".") for part in file.relative_to(path).parts)
    files = sorted(
        file
        for file in path.rglob("*")
        if suffix_of(file) in SUFFIXES and not is_hidden(file) and file.is_file()
    )
    if not files:
        raise ValueError(
            f"{path} is a folder without files of captions: allowed is a folder with files that "
            f"end in {', '.join(SUFFIXES)}"
        )
    return files


def check_caption_files(files: Sequence[Path], column: str) -> None:
    """Reads the first caption of each file; raises ValueError as `read_captions` does."""
    for file in files:
        next(read_captions(file, column), None)


def read_all_captions(
    files: Sequence[Path], column: str, on_progress: OnProgress = ignore_progress
) -> Iterator[str]:
    """Yields the captions of files one after the other, as `read_captions` does."""
    sizes = [file.stat().st_size for file in files]
    done = 0  # bytes of the files before

    def in_file(done, size, fraction):
        on_progress((done + fraction * size) / sum(sizes))

    for file, size in zip(files, sizes, strict=True):
        yield from read_captions(file, column, partial(in_file, done, size))
        done += size


def read_captions(
    path: Path, column: str, on_progress: OnProgress = ignore_progress
) -> Iterator[str]:
    """Yields the captions of a file one at a time, "" for an empty line.

    A .txt file has one caption per line. In a .csv or .tsv file `column` is a name in the first
    row or, if that row has no names, a number from 1. A .jsonl file has one JSON object per line,
    and `column` is a key. Each of them may be compressed, with .gz after the suffix. In a .parquet
    file `column` is the name of a column of text.

    Raises ValueError, with the line, for a missing column and for text that cannot be read.
    """
    check_suffix(path, SUFFIXES)
    suffix = suffix_of(path).removesuffix(GZIP)
    if suffix == PARQUET:
        return read_parquet(path, column, on_progress)
    if suffix == ".txt":
        return (line for _, line in read_lines(path, on_progress))
    if suffix == ".jsonl":
        return (_caption_in_json(path, *row, column) for row in read_lines(path, on_progress))
    return _captions_in_table(path, column, on_progress)


def _captions_in_table(path: Path, column: str, on_progress: OnProgress) -> Iterator[str]:
    rows = read_cells(path, on_progress)
    line, first = next(rows, (0, []))
    names = [name.strip() for name in first]
    if column.isdecimal() and 1 <= int(column) <= len(first):
        index = int(column) - 1
        yield first[index]
    elif column in names:
        index = names.index(column)
    else:
        raise ValueError(
            f"{path} has no column {column!r}: its first row is {listed(names)}; give --column, "
            f"a name or, if that row has no names, a number from 1 to {len(names)}"
        )
    for line, cells in rows:
        yield cell(path, line, cells, index)


def _caption_in_json(path: Path, number: int, line: str, column: str) -> str:
    if not line.strip():
        return ""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}, line {number} is not JSON: {error}") from None
    if not isinstance(row, dict):
        raise ValueError(f"{path}, line {number} is no JSON object: allowed is one per line")
    if column not in row:
        raise ValueError(
            f"{path}, line {number} has no {column!r}: it has {listed(row)}; give --column"
        )
    caption = "" if row[column] is None else row[column]
    if not isinstance(caption, str):
        raise ValueError(f"{path}, line {number}: {column!r} is not text: allowed is a caption")
    return caption
