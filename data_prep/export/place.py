"""Where an export lies: a folder that is whole, ours, and replaced by no accident.

Everything is written into `.NAME.tmp` beside it and renamed at the end. The
marker `vle-export.json` in it says what it is: the same export made again takes
its place, another one does not. A folder without a marker is somebody else's, and
is never touched.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import accumulate
from pathlib import Path

import msgspec

from vle_bench.atomic import make_folder, temporary_name, write_bytes
from vle_bench.bars import ByteBar
from vle_bench.data_prep.own_folder import keep_out
from vle_bench.errors import DataProblem, MachineProblem, UsageProblem, machine_errors
from vle_bench.file_lock import locked
from vle_bench.records import Record

MARKER = "vle-export.json"


class What(Record, frozen=True, kw_only=True):
    """What tells one export from another: its marker begins with it.

    Attributes:
        format: The layout.
        splits: The splits of each dataset, by its name.
    """

    format: str
    splits: dict[str, list[str]]

    def __str__(self) -> str:
        held = (f"{name} ({', '.join(splits)})" for name, splits in sorted(self.splits.items()))
        return f"{self.format} of {' and '.join(held)}"


@contextmanager
def exporting(out: Path, what: What, *, sources: Sequence[Path]) -> Iterator[Path]:
    """A folder to fill that becomes `out` when the block ends well, and vanishes else.

    Args:
        out: The export. An earlier one of the same is replaced as a whole.
        what: What it is.
        sources: The prepared data; the export may not lie in it, nor it in the export.

    Raises:
        UsageProblem: One of the folders would lie in the other, or another export lies there or
            around it.
        DataProblem: Something that is no export of ours lies there.
        MachineProblem: The disk refuses, or another export is writing there.
    """
    here = out.resolve()
    for source in sources:
        there = source.resolve()
        if here == there or here in there.parents or there in here.parents:
            raise UsageProblem(f"--out {out}: the export and {source} must lie beside each other.")
    around = next((one for one in here.parents if (one / MARKER).is_file()), None)
    if around is not None:
        raise UsageProblem(
            f"--out {out}: lies in the export {around}, and would go when that one is made again. "
            "Choose a place beside it."
        )
    keep_out("--out", out)
    _needs_ours(out)
    make_folder(out.parent)
    aside, before = temporary_name(out), out.with_name(f".{out.name}.old")
    with machine_errors(out), _alone(out):
        _needs_same(out, what)
        for left in (aside, before):
            _needs_ours(left)
            _remove(left)
        whole = False
        try:
            aside.mkdir()
            write_bytes(aside / MARKER, b"{}\n")
            yield aside
            _sync(aside)
            if out.exists():
                out.rename(before)
            aside.rename(out)
            whole = True
        finally:
            if not whole:
                _remove(aside)
        _remove(before)


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Holds the place of an export: two would fill one folder, and publish the mixture as whole."""
    path = out.with_name(f".{out.name}.lock")
    with path.open("ab") as stream:
        ours = locked(stream)
        # Whoever held it may have removed its file by now: the next one locks another.
        if not (
            ours and path.exists() and os.path.samestat(os.fstat(stream.fileno()), path.stat())
        ):
            raise MachineProblem(
                f"{out}: another export is writing there. Wait for it, or choose another --out."
            )
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _needs_ours(folder: Path) -> None:
    if not os.path.lexists(folder):
        return
    if folder.is_dir() and not folder.is_symlink():
        # A kill may come before the marker has its name; then there is nothing else yet.
        unmarked = temporary_name(folder / MARKER)
        if (folder / MARKER).is_file() or all(path == unmarked for path in folder.iterdir()):
            return
    raise DataProblem(
        f"{folder}: is there and holds no {MARKER}, so it is no export of ours and is left alone. "
        "Choose another --out."
    )


def _needs_same(out: Path, what: What) -> None:
    """Raises UsageProblem where an export lies that this one would not make again."""
    if not (out / MARKER).is_file():  # nothing there, or an empty folder
        return
    try:
        with machine_errors(out):
            there = msgspec.json.decode((out / MARKER).read_bytes(), type=What)
    except msgspec.DecodeError:
        there = None  # written before markers told splits, or by hand
    if there != what:
        raise UsageProblem(
            f"{out}: holds another export{f', {there}' if there else ''}, and {what} would replace "
            "it. Choose another --out, or remove it; what is to lie together takes one call."
        )


def _remove(folder: Path) -> None:
    """Removes an export, its marker last: what a kill leaves of it is still known to be ours."""
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != MARKER:
                path.unlink()
        shutil.rmtree(folder)


def _sync(folder: Path) -> None:
    """Brings every file to the disk, so that the rename never promises what is not there."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    sizes = [path.stat().st_size for path in files]
    bar = ByteBar(sum(sizes), "bringing to disk")
    bar.reach(0)
    try:
        for path, end in zip(files, accumulate(sizes), strict=True):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
            bar.reach(end)
    finally:
        bar.close()
