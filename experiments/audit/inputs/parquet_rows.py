"""Parquet rows: the captions of a .parquet file, in batches; needs pyarrow, which is optional."""

from collections.abc import Iterator
from pathlib import Path

from experiments.audit.inputs.text_rows import OnProgress, ignore_progress, listed

PARQUET = ".parquet"
BATCH = 10_000  # rows
BUFFER = 2**20  # bytes of a column that are read at once


def read_parquet(
    path: Path, column: str, on_progress: OnProgress = ignore_progress
) -> Iterator[str]:
    """Yields the text of one column row by row, "" where it is null.

    Raises ValueError if pyarrow is not installed, if the file has no such column or a column of
    another type, and if it cannot be read.
    """
    pyarrow, parquet = _import_pyarrow(path)
    try:
        with parquet.ParquetFile(path, buffer_size=BUFFER) as file:
            _check_column(path, file.schema_arrow, column, pyarrow.types)
            done, total = 0, file.metadata.num_rows
            for batch in file.iter_batches(BATCH, columns=[column], use_threads=False):
                yield from (text or "" for text in batch.column(0).to_pylist())
                done += batch.num_rows
                on_progress(done / total)
    except (OSError, pyarrow.ArrowException, UnicodeDecodeError) as error:
        first_line = str(error).partition("\n")[0]
        raise ValueError(f"{path} cannot be read: {first_line}") from None


def _import_pyarrow(path: Path):
    try:
        import pyarrow  # noqa: PLC0415  # optional
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise ValueError(
            f"{path} is a parquet file, and pyarrow is not installed: install it (pip install "
            "pyarrow), or convert the file to .csv"
        ) from None
    return pyarrow, parquet


def _check_column(path: Path, schema, column: str, types) -> None:
    if column not in schema.names:
        raise ValueError(
            f"{path} has no column {column!r}: it has {listed(schema.names)}; give --column"
        )
    kind = schema.field(column).type
    text = kind.value_type if types.is_dictionary(kind) else kind
    if not (types.is_string(text) or types.is_large_string(text) or types.is_string_view(text)):
        raise ValueError(f"{path}: the column {column!r} is of type {kind}: allowed is text")
