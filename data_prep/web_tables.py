"""The tables of img2dataset: what became of each address, and in one format the pictures too.

`NNNNN.parquet` has `url`, `key`, `status` and `error_message`; where a column `jpg`,
`png` or `webp` of bytes stands beside them, as its output format `parquet` makes it,
that is where the pictures are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vle_bench.data_prep.found_pictures import ENDINGS, FoundPictures
from vle_bench.data_prep.web_keys import LookUp, url_key
from vle_bench.data_prep.web_reasons import SUCCESS, reason_of
from vle_bench.errors import DataProblem, machine_errors

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_COLUMNS = ("url", "key", "status")
_MOST_DIGITS = 18


class _Pictures(NamedTuple):
    """The pictures in a table: their column by its place in `ENDINGS`, about how many bytes each.

    Attributes:
        ending: Which of `ENDINGS` the column is called.
        cell_bytes: What one takes, about.
        bounds: How many rows stand before the end of each row group.
    """

    ending: int
    cell_bytes: int
    bounds: tuple[int, ...]


def note_failures(path: Path, look_up: LookUp, found: FoundPictures) -> list[tuple[int, str]]:
    """Notes what failed according to a table; returns key and address of what did not.

    Raises:
        DataProblem: It is no such table.
    """
    return [(int(key), url) for _, key, url in _successes(path, look_up, found)]


def read_alone(path: Path, look_up: LookUp, found: FoundPictures) -> bool:
    """Reads a table that has neither tar nor folder beside it.

    Returns:
        Whether it names pictures, and has none.

    Raises:
        DataProblem: It is no such table.
    """
    pictures = _pictures(path)
    rows = _successes(path, look_up, found)
    if pictures is None:
        return sum(1 for _ in rows) > 0
    by_width: dict[int, int] = {}
    group = 0
    for number, key, url in rows:
        place = look_up.place(url_key(url))
        if place < 0:
            continue
        while number >= pictures.bounds[group]:
            group += 1
        width = len(key)
        if width not in by_width:
            by_width[width] = found.keep(
                path, is_tar=False, width=width, cell_bytes=pictures.cell_bytes
            )
        row = number - (pictures.bounds[group - 1] if group else 0)
        found.put(place, by_width[width], int(key), ending=pictures.ending, group=group, row=row)
    return False


def _successes(path: Path, look_up: LookUp, found: FoundPictures) -> Iterator[tuple[int, str, str]]:
    """Row, key and address of each picture that was downloaded; the others are noted."""
    for number, (url, key, status, message) in enumerate(_rows(path)):
        if not isinstance(url, str):
            continue
        digits = str(key)
        if status == SUCCESS and digits.isdecimal() and len(digits) <= _MOST_DIGITS:
            yield number, digits, url
        elif isinstance(message, str) and (place := look_up.place(url_key(url))) >= 0:
            found.fail(place, reason_of(message))


def _pictures(path: Path) -> _Pictures | None:
    """The pictures in a table; None where it has no column of them."""
    import pyarrow as pa

    try:
        with _opened(path) as table:
            for ending, name in enumerate(ENDINGS):
                at = table.schema_arrow.get_field_index(name)
                if at < 0:
                    continue
                kind = table.schema_arrow.field(at).type
                if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
                    return _measured(table, ending)
    except (pa.ArrowException, ValueError) as error:
        raise _no_table(path, error) from error
    return None


def _measured(table: pq.ParquetFile, ending: int) -> _Pictures:
    """Where row groups end, and the mean size of a row, nearly all of it picture, by the footer.

    The footer's word on a single column is not asked: damaged, it ends the process.
    """
    groups = [table.metadata.row_group(number) for number in range(table.num_row_groups)]
    stored = sum(group.total_byte_size for group in groups)
    bounds = tuple(accumulate(group.num_rows for group in groups))
    return _Pictures(ending, max(1, stored // max(1, table.metadata.num_rows)), bounds)


def _rows(path: Path) -> Iterator[tuple[object, ...]]:
    """Address, key, status and error message of each row; older tables have no messages."""
    import pyarrow as pa

    try:
        with _opened(path) as table:
            told = "error_message" in table.schema_arrow.names
            wanted = [*_COLUMNS, "error_message"] if told else list(_COLUMNS)
            for batch in table.iter_batches(columns=wanted):
                values = [batch.column(name).to_pylist() for name in wanted]
                if not told:
                    values.append([None] * batch.num_rows)
                yield from zip(*values, strict=True)
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise _no_table(path, error) from error


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    import pyarrow.parquet as pq

    with machine_errors(path):
        try:
            with pq.ParquetFile(path) as table:
                yield table
        except OSError as error:
            if error.errno is not None:
                raise
            raise _no_table(path, error) from error  # Arrow's word for bytes that make no sense


def _no_table(path: Path, error: Exception) -> DataProblem:
    reason = " ".join(str(error).split())
    return DataProblem(
        f"{path}: not img2dataset's table of url, key and status ({reason}). Remove it, and "
        "the addresses are taken from the JSON beside each picture."
    )
