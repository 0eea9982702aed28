"""Id files: one id a line, in the order of the rows or columns they name."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from vle_bench.errors import DataProblem, Problems
from vle_bench.eval.matching import unique_ids
from vle_bench.inputs import open_source


class IdFile(NamedTuple):
    """The ids of a file in its order, and the file's digest."""

    path: str
    ids: tuple[str, ...]
    sha256: str

    def place(self, at: int) -> str:
        """Where the id at position `at` stands."""
        return f"{self.path}:{at + 1}"


def read_ids(path: str, what: str) -> IdFile:
    """Reads an id file.

    Args:
        path: The file.
        what: What the ids name: `image_id` or `text_id`.

    Raises:
        DataProblem: Missing, not text, an empty line between ids, or an id twice.
    """
    source = open_source(Path(path), f"{what}s")
    try:
        text = source.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataProblem(
            f"{path}: not UTF-8 text (byte {error.start}). Expected one {what} a line."
        ) from error
    # Not `splitlines`, which breaks lines at seven more signs that an id may hold.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ids = tuple(line.strip() for line in lines)
    while ids and not ids[-1]:
        ids = ids[:-1]
    problems = Problems()
    problems.extend(f"{path}:{at}: an empty line" for at, name in enumerate(ids, 1) if not name)
    problems.raise_if_any(advice=f"Expected one {what} a line, one line a row.")
    found = IdFile(path, ids, source.sha256)
    unique_ids(
        ((found.place(at), name) for at, name in enumerate(ids)),
        what=what,
        file=path,
        advice="Name each once.",
    )
    return found
