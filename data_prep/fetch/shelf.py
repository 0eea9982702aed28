"""Where web pictures are put down: shards in img2dataset's layout, and a journal until then.

A shard covers a fixed range of the list. While it is worked on, each decision is a
line of a journal with its checksum, and each picture a file that was renamed when it
was whole. When nothing of the shard is under way any more, both are packed: the tar,
then the table, then the journal goes. Whatever instant a kill hits, the next call
finds every decision either in the table or in the journal, and asks nothing twice.
Rows stand in the order of the list, so the same answers give the same bytes.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

import msgspec

from vle_bench.atomic import make_folder, replacing, temporary_name, write_if_changed
from vle_bench.canonical import json_bytes, sha256_bytes
from vle_bench.data_prep.fetch.table import Decision, read_table, write_table
from vle_bench.data_prep.tar_files import TarSlice, read_slice, tar_members
from vle_bench.data_prep.web_reasons import SUCCESS
from vle_bench.errors import DataProblem, machine_errors
from vle_bench.shards.ustar import END_OF_ARCHIVE, header, padding

ROWS_PER_SHARD = 1000
_WORK = ".work"
_CLAIM = "fetch.json"
_DECODER = msgspec.json.Decoder(Decision)


class Claim(msgspec.Struct, frozen=True):
    """Which list the shards of a folder are cut from."""

    list_sha256: str
    rows_per_shard: int = ROWS_PER_SHARD


class _Told(msgspec.Struct, frozen=True):
    """What the JSON behind a picture says that its name and length do not."""

    url: str
    sha256: str
    width: int
    height: int


_TOLD = msgspec.json.Decoder(_Told)


class Listed(NamedTuple):
    """One row of a shard: its number in the list, and the address."""

    number: int
    url: str


class Shelf:
    """The shards of one list.

    Args:
        folder: Where they lie.
        list_sha256: Digest of the list.

    Raises:
        DataProblem: The folder holds the pictures of another list.
    """

    def __init__(self, folder: Path, list_sha256: str) -> None:
        self.folder = folder
        self._work = folder / _WORK
        self._claim = Claim(list_sha256)
        self._claimed = False
        self._verify_claim()

    def decisions(self, shard: int) -> dict[int, Decision]:
        """What is known of the rows of a shard, by number in the list."""
        table, tar = self._path(shard, ".parquet"), self._path(shard, ".tar")
        told = _from_tar(tar, shard) if tar.is_file() and not table.is_file() else read_table(table)
        known = {row.number: row for row in told}
        known.update((row.number, row) for row in self._journal(shard))
        return known

    def keep(self, decision: Decision, data: bytes = b"") -> None:
        """Puts a picture down, then notes what was decided."""
        shard = decision.number // ROWS_PER_SHARD
        with machine_errors(self._work):
            self._lay_claim()
            make_folder(self._work)
            if decision.status == SUCCESS:
                path = self._loose(decision)
                make_folder(path.parent)
                aside = temporary_name(path)
                aside.write_bytes(data)
                aside.replace(path)
            text = json_bytes(decision).rstrip(b"\n")
            line = b"%08x %b\n" % (zlib.crc32(text), text)
            handle = os.open(self._journal_path(shard), os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)

    def unpacked(self) -> list[int]:
        """Shards with a journal: something was decided that their table does not say."""
        if not self._work.is_dir():
            return []
        names = (path.stem for path in self._work.glob("*.jsonl"))
        return sorted(int(name) for name in names if name.isdecimal())

    def loose(self, shard: int) -> set[int]:
        """Numbers of the rows whose pictures are put down and not packed yet."""
        return {
            row.number
            for row in self._journal(shard)
            if row.status == SUCCESS and _size(self._loose(row)) == row.bytes
        }

    def mend(self, shard: int) -> None:
        """Cuts a torn last line off a journal, so that the next one stands by itself."""
        path = self._journal_path(shard)
        if path.is_file():
            with machine_errors(path):
                whole = sum(len(line) for line in _whole_lines(path.read_bytes()))
                if whole != path.stat().st_size:
                    os.truncate(path, whole)

    def pack(self, shard: int, rows: list[Listed]) -> None:
        """Writes the tar and the table of a shard, and clears what they were made from.

        Args:
            shard: Its number.
            rows: All its rows, in the list's order.

        Raises:
            MachineProblem: The disk refuses.
        """
        known = self.decisions(shard)
        packed = self._packed(shard)
        written: list[Decision] = []
        tar = self._path(shard, ".tar")
        with replacing(tar) as stream:
            for row in rows:
                decision = known.get(row.number) or Decision(number=row.number, url=row.url)
                if decision.status == SUCCESS:
                    data = self._picture(decision, packed)
                    if data is None:
                        decision = Decision(number=row.number, url=row.url)
                    else:
                        for name, part in _members(decision, data):
                            stream.write(header(name, len(part)) + part + padding(len(part)))
                written.append(decision)
            stream.write(END_OF_ARCHIVE)
        write_table(self._path(shard, ".parquet"), written)
        with machine_errors(self._work):
            rmtree(self._work / f"{shard:05d}", ignore_errors=True)
            self._journal_path(shard).unlink(missing_ok=True)
        with suppress(OSError):
            self._work.rmdir()

    def _picture(self, decision: Decision, packed: dict[str, TarSlice]) -> bytes | None:
        """The bytes of a picture, from its file or the shard's old tar; None where both lost it."""
        path = self._loose(decision)
        if _size(path) == decision.bytes:
            with machine_errors(path):
                data = path.read_bytes()
            if sha256_bytes(data) == decision.sha256:
                return data
        place = packed.get(decision.file_name)
        if place is not None:
            tar = self._path(decision.number // ROWS_PER_SHARD, ".tar")
            data = read_slice(str(tar), place)
            if sha256_bytes(data) == decision.sha256:
                return data
        return None

    def _packed(self, shard: int) -> dict[str, TarSlice]:
        tar = self._path(shard, ".tar")
        return dict(tar_members(tar)) if tar.is_file() else {}

    def _journal(self, shard: int) -> Iterator[Decision]:
        path = self._journal_path(shard)
        if not path.is_file():
            return
        with machine_errors(path):
            data = path.read_bytes()
        try:
            for line in _whole_lines(data):
                yield _DECODER.decode(line[9:])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataProblem(
                f"{path}: not what vle-prep fetch wrote ({error}). Remove it, and its addresses "
                "are asked again."
            ) from error

    def _verify_claim(self) -> None:
        path = self.folder / _CLAIM
        if not path.is_file():
            return
        try:
            with machine_errors(path):
                found = msgspec.json.decode(path.read_bytes(), type=Claim)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataProblem(
                f"{path}: not what vle-prep fetch wrote ({error}). Remove it: what it says is "
                "then seen from the addresses of the pictures."
            ) from error
        if found != self._claim:
            raise DataProblem(
                f"{path}: these pictures were fetched for another list (sha256 "
                f"{found.list_sha256[:12]}..., now {self._claim.list_sha256[:12]}...). Put the old "
                f"list back, or move {self.folder} away."
            )

    def _lay_claim(self) -> None:
        """Before the first row: says which list the folder belongs to."""
        if not self._claimed:
            write_if_changed(self.folder / _CLAIM, json_bytes(self._claim) + b"\n")
            self._claimed = True

    def _path(self, shard: int, ending: str) -> Path:
        return self.folder / f"{shard:05d}{ending}"

    def _journal_path(self, shard: int) -> Path:
        return self._work / f"{shard:05d}.jsonl"

    def _loose(self, decision: Decision) -> Path:
        shard = decision.number // ROWS_PER_SHARD
        return self._work / f"{shard:05d}" / decision.file_name


def _whole_lines(data: bytes) -> Iterator[bytes]:
    """The lines of a journal up to the first that is torn or damaged."""
    for line in data.splitlines(keepends=True):
        text = line[9:].rstrip(b"\n")
        if not line.endswith(b"\n") or line[:9] != b"%08x " % zlib.crc32(text):
            return
        yield line


def _members(decision: Decision, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield decision.file_name, data
    told = {
        "url": decision.url,
        "key": decision.key,
        "status": decision.status,
        "width": decision.width,
        "height": decision.height,
        "sha256": decision.sha256,
    }
    yield f"{decision.key}.json", json_bytes(told)


def _from_tar(tar: Path, shard: int) -> Iterator[Decision]:
    """The pictures of a tar whose table was lost, by the JSON behind each; failures are unknown."""
    pictures: dict[str, tuple[str, int]] = {}
    for name, place in tar_members(tar):
        stem, _, ending = name.partition(".")
        if ending != "json":
            pictures[stem] = (ending, place.length)
            continue
        try:
            told = msgspec.structs.asdict(_TOLD.decode(read_slice(str(tar), place)))
            ending, size = pictures[stem]
            row = shard * ROWS_PER_SHARD + int(stem[-4:])
            found = Decision(
                number=row, status=SUCCESS, final=True, bytes=size, ending=ending, **told
            )
        except (msgspec.DecodeError, KeyError, ValueError):
            continue  # nothing of ours: as good as not there
        if found.key == stem:
            yield found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
