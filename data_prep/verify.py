"""Is a prepared dataset still what was prepared, and if not, where exactly is it not?

Three witnesses are heard: the report (sha256 of every shard and file), the index
(place, digest and CRC of every sample) and the shards' own headers. A digest
says that a shard changed; the other two say at which sample. Shards under each
other's names are whole but wrong, and are found by their digests. Files that the
report does not know are extra; names with a dot in front are nobody's data
(`.DS_Store`, what a killed run left), and are passed over.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TypeVar

from vle_bench.bars import ByteBar
from vle_bench.canonical import sha256_file
from vle_bench.console import amount
from vle_bench.data_prep.damage import diagnose, look
from vle_bench.errors import DataProblem, MachineProblem, machine_errors
from vle_bench.records import Record
from vle_bench.shards.index import SampleRow, read_samples
from vle_bench.shards.layout import REPORT, SAMPLES
from vle_bench.shards.report import Report, ShardReport, read_report, seal_fits

T = TypeVar("T")

_MOST_PER_SHARD = 10
_THREADS = 8
_UNSEALED = (
    "its seal does not fit: it changed since it was written, or an older version wrote it. The "
    "vle-prep run that made it writes it anew and keeps every shard that is whole"
)


class Finding(Record, frozen=True, kw_only=True):
    """Something wrong: in which file below the dataset's folder, at which sample (""), what."""

    place: str
    key: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.place}: {self.key}: {self.reason}"
            if self.key
            else f"{self.place}: {self.reason}"
        )


class Verification(Record, frozen=True, kw_only=True):
    """The verdict on one dataset; it is sound when there are no findings."""

    dataset: str
    folder: str
    quick: bool
    shards: int
    samples: int
    findings: tuple[Finding, ...]
    unread: tuple[Finding, ...] = ()
    """What the machine would not let us read, so that nothing can be said of it."""


class _Shard(NamedTuple):
    """A shard as it must be, where it should lie, and its rows in the index."""

    place: str
    path: Path
    must: ShardReport
    rows: tuple[SampleRow, ...]


def dataset_folders(folder: Path) -> list[Path]:
    """`folder` if it is a prepared dataset, else the prepared datasets in it.

    Raises:
        DataProblem: There is none.
    """
    if (folder / REPORT).is_file():
        return [folder]
    with machine_errors(folder):
        inner = sorted(path.parent for path in folder.glob(f"*/{REPORT}"))
    if not inner:
        raise DataProblem(
            f"{folder}: no prepared dataset, {REPORT} is neither in it nor one folder below. "
            "Give the folder that vle-prep run made."
        )
    return inner


def verify(folder: Path, *, quick: bool = False) -> Verification:
    """Compares a prepared dataset with its report and index.

    Args:
        folder: The dataset's folder.
        quick: Look at sizes, headers and places only; flipped bits inside pictures and records
            are not seen then.

    Raises:
        DataProblem: The folder holds no report.
    """
    unread = _Unread()
    findings: list[Finding] = []
    report: Report | None = None
    try:
        with unread.noting(REPORT):
            report = read_report(folder)
            if not seal_fits(folder):
                findings.append(Finding(place=REPORT, key="", reason=_UNSEALED))
    except DataProblem as error:
        if not (folder / REPORT).is_file():
            raise
        findings.append(Finding(place=REPORT, key="", reason=f"damaged: {error}"))
    shards: list[_Shard] = []
    if report is not None:
        index = _index(folder, report, findings, unread)
        findings += _beside(folder, report, unread)
        shards = list(_shards(folder, report, index))
        findings += _index_findings(report, index)
        findings += _check_all(folder, shards, report, unread, quick=quick)
    return Verification(
        dataset=report.dataset if report else "",
        folder=str(folder),
        quick=quick,
        shards=len(shards),
        samples=sum(shard.must.samples for shard in shards),
        findings=tuple(findings),
        unread=tuple(sorted(unread.findings, key=lambda finding: finding.place)),
    )


class _Unread:
    """Files that could not be read; one of them does not keep the others from being looked at."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    @contextmanager
    def noting(self, place: str) -> Iterator[None]:
        """Notes that `place` could not be read where the block is refused by the machine."""
        try:
            with machine_errors(place):
                yield
        except MachineProblem as error:
            cause = error.__cause__
            reason = (isinstance(cause, OSError) and cause.strerror) or str(error)
            found = Finding(place=_told(place), key="", reason=f"cannot be read: {reason}")
            self.findings.append(found)

    def trying(self, place: str, read: Callable[[], T], *, or_else: T) -> T:
        """What `read` returns; where the machine refuses it, which is noted, `or_else`."""
        found = or_else
        with self.noting(place):
            found = read()
        return found  # noqa: RET504  # the block above may end early and go on here


def extra(place: str, owner: str = "") -> str:
    """What is wrong with a file that the report does not know; `owner` has the very bytes of it."""
    # A reader of `*.tar` would read it.
    what = "no shard of the report" if place.endswith(".tar") else "no file of the report"
    return f"extra, {what}; holds the very bytes of {owner}" if owner else f"extra, {what}"


def _index(
    folder: Path, report: Report, findings: list[Finding], unread: _Unread
) -> list[SampleRow] | None:
    if SAMPLES not in report.files:
        return []
    try:
        with unread.noting(SAMPLES):
            return read_samples(folder / SAMPLES)
    except DataProblem as error:
        reason = str(error).removeprefix(f"{folder / SAMPLES}: ")
        findings.append(Finding(place=SAMPLES, key="", reason=reason))
    return None


def _beside(folder: Path, report: Report, unread: _Unread) -> list[Finding]:
    findings: list[Finding] = []
    noted = {one.place for one in unread.findings}
    for name, digest in report.files.items():
        path = folder / name
        if name in noted:
            continue
        with unread.noting(name):
            if not path.is_file():
                if name != SAMPLES:
                    findings.append(Finding(place=name, key="", reason="missing"))
            elif sha256_file(path) != digest:
                findings.append(
                    Finding(place=name, key="", reason="is not the file that was written (sha256)")
                )
    return findings


def _shards(folder: Path, report: Report, index: Sequence[SampleRow] | None) -> Iterator[_Shard]:
    rows: dict[tuple[str, str], list[SampleRow]] = defaultdict(list)
    for row in index or ():
        rows[row.split, row.shard].append(row)
    for split, books in report.splits.items():
        for must in books.shards:
            place = f"{split}/{must.name}"
            yield _Shard(place, folder / place, must, tuple(rows[split, must.name]))


def _index_findings(report: Report, index: Sequence[SampleRow] | None) -> list[Finding]:
    """Rows of shards that the report does not know, keys that come twice, wrong counts."""
    if index is None:
        return []
    known = {
        (split, shard.name): shard.samples
        for split, books in report.splits.items()
        for shard in books.shards
    }
    counts = Counter((row.split, row.shard) for row in index)
    findings = [
        Finding(place=SAMPLES, key="", reason=f"names {split}/{name}, which the report does not")
        for split, name in sorted(counts.keys() - known.keys())
    ]
    findings += [
        Finding(
            place=SAMPLES,
            key="",
            reason=f"stale: {amount(counts[place], 'sample')} of {'/'.join(place)}, "
            f"the report has {samples}",
        )
        for place, samples in known.items()
        if counts[place] != samples
    ]
    twice = [key for key, count in Counter(row.key for row in index).items() if count > 1]
    findings += [
        Finding(place=SAMPLES, key=key, reason="the key comes twice")
        for key in twice[:_MOST_PER_SHARD]
    ]
    return findings


def _check_all(
    folder: Path, shards: Sequence[_Shard], report: Report, unread: _Unread, *, quick: bool
) -> list[Finding]:
    known = {*report.files, REPORT, *(shard.place for shard in shards)}
    extras = {place: path for place, path in _files_below(folder, unread) if place not in known}
    present = [shard for shard in shards if _is_there(shard, unread)]
    owners = {row.key: shard.place for shard in shards for row in shard.rows}
    by_digest = {shard.must.sha256: shard.place for shard in shards}
    sizes = {shard.must.bytes for shard in shards}
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        digests: dict[str, str] = {}
        if not quick:
            # A copy of a shard has its size, so nothing else that is extra needs to be read.
            copies = [(place, path) for place, path in extras.items() if _size(path) in sizes]
            # hashlib lets other threads run while it works.
            places = [*((one.place, one.path) for one in present), *copies]
            digests = _hashed(places, pool, unread)

        def checked(shard: _Shard) -> list[Finding]:
            digest = digests.get(shard.place)
            return unread.trying(
                shard.place, lambda: _check(shard, digest, by_digest, owners), or_else=[]
            )

        looked_at = present if quick else [one for one in present if one.place in digests]
        findings = list(chain.from_iterable(pool.map(checked, looked_at)))
    gone = {shard.place for shard in shards} - {shard.place for shard in present}
    gone -= {one.place for one in unread.findings}
    findings += _missing([shard for shard in shards if shard.place in gone], extras, digests)
    findings += [
        Finding(
            place=_told(place),
            key="",
            reason=extra(place, by_digest.get(digests.get(place, ""), "")),
        )
        for place in extras
    ]
    return sorted(findings, key=lambda finding: finding.place)


def _is_there(shard: _Shard, unread: _Unread) -> bool:
    return unread.trying(shard.place, shard.path.is_file, or_else=False)


def _size(path: Path) -> int:
    """Its size; -1 for what is no file or cannot be asked, as a broken link."""
    with suppress(OSError):
        return path.stat().st_size if path.is_file() else -1
    return -1


def _hashed(
    places: Sequence[tuple[str, Path]], pool: ThreadPoolExecutor, unread: _Unread
) -> dict[str, str]:
    """The sha256 of every file by its place; this is where the time goes, so a bar is shown."""

    def digest_of(one: tuple[str, Path]) -> str:
        return unread.trying(one[0], lambda: sha256_file(one[1]), or_else="")

    sizes = [max(_size(path), 0) for _, path in places]
    bar = ByteBar(sum(sizes), "verifying")
    digests: dict[str, str] = {}
    done = 0
    for (place, _), digest, size in zip(places, pool.map(digest_of, places), sizes, strict=True):
        if digest:
            digests[place] = digest
        done += size
        bar.reach(done)
    bar.close()
    return digests


def _files_below(folder: Path, unread: _Unread) -> Iterator[tuple[str, Path]]:
    """Every file by its place. A split may be a link to another disk; links further in are not."""
    waiting = [""]
    while waiting:
        inner = waiting.pop()
        entries: list[os.DirEntry[str]] = []
        with unread.noting(inner.rstrip("/") or "."), os.scandir(folder / inner) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            place = f"{inner}{entry.name}"
            if entry.name.startswith("."):
                continue
            if _is_folder(entry, follow=not inner):
                waiting.append(f"{place}/")
            else:
                yield place, Path(entry.path)


def _is_folder(entry: os.DirEntry[str], *, follow: bool) -> bool:
    with suppress(OSError):  # a link that leads to itself
        return entry.is_dir(follow_symlinks=follow)
    return False


def _missing(
    gone: Sequence[_Shard], extras: Iterable[str], digests: Mapping[str, str]
) -> Iterator[Finding]:
    renamed = {digests[place]: _told(place) for place in extras if place in digests}
    for shard in gone:
        other = renamed.get(shard.must.sha256)
        reason = f"missing, it lies under the name {other}" if other else "missing"
        yield Finding(place=shard.place, key="", reason=reason)


def _told(place: str) -> str:
    """A path as text: names on disk may be no UTF-8."""
    return place.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _check(
    shard: _Shard,
    digest: str | None,
    by_digest: Mapping[str, str],
    owners: Mapping[str, str],
) -> list[Finding]:
    """What is wrong with one shard that is there. `digest` is None in a quick look."""
    if digest is not None and digest != shard.must.sha256:
        owner = by_digest.get(digest)
        if owner is not None:
            reason = f"holds the very bytes of {owner} (swapped or renamed)"
            return [Finding(place=shard.place, key="", reason=reason)]
        found = list(diagnose(shard.path, shard.rows, owners, shard.place))
        if not found:
            found = [("", "its sha256 differs, though every sample is as the index says")]
    else:
        found = list(look(shard.path, shard.rows, owners, shard.place))
    size = shard.path.stat().st_size
    if size != shard.must.bytes:
        found.insert(0, ("", f"{size:,} bytes, {shard.must.bytes:,} expected"))
    findings = [
        Finding(place=shard.place, key=key, reason=reason)
        for key, reason in found[:_MOST_PER_SHARD]
    ]
    if len(found) > _MOST_PER_SHARD:
        reason = f"... and {len(found) - _MOST_PER_SHARD} more"
        findings.append(Finding(place=shard.place, key="", reason=reason))
    return findings
