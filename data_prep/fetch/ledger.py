"""What was downloaded, as it was when it was whole: `RAW/.vle-fetch/<dataset>/<file>.json`.

Where the manifest knows no size or sha256, the first download's are kept here, and
every later one, on this machine or on another that has the folder, is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from vle_bench.atomic import make_folder, write_bytes
from vle_bench.canonical import pretty_json_bytes
from vle_bench.errors import DataProblem, MachineProblem, machine_errors
from vle_bench.file_lock import locked

FOLDER = ".vle-fetch"

T = TypeVar("T")

CheckedBy = Literal["manifest", "first fetch"]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """One whole file."""

    schema: Literal["vle-bench/fetched/1"] = "vle-bench/fetched/1"
    file: str
    url: str
    size: int
    sha256: str
    checked_by: CheckedBy
    """Whether the digest was compared with the manifest's, or is only what came first."""
    mtime_ns: int = 0
    """The file's, when it was hashed; a copied file is hashed once more."""


class PartFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Of which version a `.part` file is the beginning."""

    url: str
    etag: str
    last_modified: str
    total: int
    """0 where the server did not say."""


class Ledger:
    """The receipts of one dataset.

    Args:
        raw: The raw folder.
        dataset: The dataset.
    """

    def __init__(self, raw: Path, dataset: str) -> None:
        self._folder = raw / FOLDER / dataset

    def receipt(self, file: str) -> Receipt | None:
        """What is known of a file; None where it was never fetched here.

        Raises:
            DataProblem: The receipt cannot be read.
        """
        return _read(self._path(file), Receipt)

    def keep(self, receipt: Receipt) -> None:
        """Writes a receipt whole."""
        write_bytes(self._path(receipt.file), pretty_json_bytes(receipt))

    def part_facts(self, file: str) -> PartFacts | None:
        """What the beginning of a file belongs to; None where there is no beginning."""
        return _read(self._part_path(file), PartFacts)

    def keep_part(self, file: str, facts: PartFacts | None) -> None:
        """Notes what the beginning of a file belongs to; None takes the note away."""
        if facts is None:
            with machine_errors(self._folder):
                self._part_path(file).unlink(missing_ok=True)
        else:
            write_bytes(self._part_path(file), pretty_json_bytes(facts))

    def _path(self, file: str) -> Path:
        return self._folder / f"{file}.json"

    def _part_path(self, file: str) -> Path:
        return self._folder / f"{file}.part.json"


@contextmanager
def only_fetch(raw: Path, dataset: str) -> Iterator[None]:
    """Holds the lock of a dataset's downloads; it goes with the process, however it ends.

    Raises:
        MachineProblem: Another fetch holds it.
    """
    folder = make_folder(raw / FOLDER / dataset)
    with machine_errors(folder), (folder / "lock").open("ab") as stream:
        if not locked(stream):
            raise MachineProblem(
                f"{raw}: another vle-prep fetch {dataset} is at work there. Wait for it."
            )
        yield


def _read(path: Path, kind: type[T]) -> T | None:
    if not path.is_file():
        return None
    try:
        with machine_errors(path):
            return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataProblem(
            f"{path}: not what vle-prep fetch wrote ({error}). Remove it, and the file is judged "
            "as if it were new."
        ) from error
