"""Is a prepared dataset still what was prepared, and if not, where exactly is it not?

Three witnesses are heard: the report (sha256 of every shard and file), the index
(place, digest and CRC of every sample) and the shards' own headers. A digest
says that a shard changed; the other two say at which sample. Shards under each
other's names are whole but wrong, and are found by their digests.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from vle_bench.bars import ByteBar
from vle_bench.canonical import sha256_file
from vle_bench.console import amount
from vle_bench.data_prep.damage import diagnose, look
from vle_bench.errors import DataProblem, machine_errors
from vle_bench.records import Record
from vle_bench.shards.index import SampleRow, read_samples
from vle_bench.shards.layout import REPORT, SAMPLES
from vle_bench.shards.report import Report, ShardReport, read_report, seal_fits

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
        MachineProblem: A file cannot be read.
    """
    try:
        report = read_report(folder)
    except DataProblem as error:
        if not (folder / REPORT).is_file():
            raise
        damaged = Finding(place=REPORT, key="", reason=f"damaged: {error}")
        return Verification(
            dataset="", folder=str(folder), quick=quick, shards=0, samples=0, findings=(damaged,)
        )
    index, findings = _index(folder, report)
    if not seal_fits(folder):
        findings.append(Finding(place=REPORT, key="", reason=_UNSEALED))
    findings += _beside(folder, report)
    shards = list(_shards(folder, report, index))
    findings += _index_findings(report, index)
    findings += _check_all(folder, shards, quick=quick)
    return Verification(
        dataset=report.dataset,
        folder=str(folder),
        quick=quick,
        shards=len(shards),
        samples=sum(shard.must.samples for shard in shards),
        findings=tuple(findings),
    )


def _index(folder: Path, report: Report) -> tuple[list[SampleRow] | None, list[Finding]]:
    if SAMPLES not in report.files:
        return [], []
    try:
        return read_samples(folder / SAMPLES), []
    except DataProblem as error:
        reason = str(error).removeprefix(f"{folder / SAMPLES}: ")
        return None, [Finding(place=SAMPLES, key="", reason=reason)]


def _beside(folder: Path, report: Report) -> list[Finding]:
    findings: list[Finding] = []
    for name, digest in report.files.items():
        path = folder / name
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


def _check_all(folder: Path, shards: Sequence[_Shard], *, quick: bool) -> list[Finding]:
    extras = _extras(folder, shards)
    present = [shard for shard in shards if shard.path.is_file()]
    owners = {row.key: shard.place for shard in shards for row in shard.rows}
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        digests: dict[str, str] = {}
        if not quick:
            # hashlib lets other threads run while it works.
            places = [*((one.place, one.path) for one in present), *extras.items()]
            digests = _hashed(places, pool)
        by_digest = {shard.must.sha256: shard.place for shard in shards}
        findings: list[Finding] = []
        for found in pool.map(
            lambda shard: _check(shard, digests.get(shard.place), by_digest, owners), present
        ):
            findings += found
    findings += _missing(shards, present, extras, digests)
    findings += [
        Finding(place=place, key="", reason=_extra(digests.get(place), by_digest))
        for place in extras
    ]
    return sorted(findings, key=lambda finding: finding.place)


def _hashed(places: Sequence[tuple[str, Path]], pool: ThreadPoolExecutor) -> dict[str, str]:
    """The sha256 of every file by its place; this is where the time goes, so a bar is shown."""
    sizes: list[int] = []
    for _, path in places:
        with machine_errors(path):
            sizes.append(path.stat().st_size)
    bar = ByteBar(sum(sizes), "verifying")
    digests: dict[str, str] = {}
    done = 0
    found = pool.map(sha256_file, [path for _, path in places])
    for (place, _), digest, size in zip(places, found, sizes, strict=True):
        digests[place] = digest
        done += size
        bar.reach(done)
    bar.close()
    return digests


def _extras(folder: Path, shards: Sequence[_Shard]) -> dict[str, Path]:
    """Tar files that the report does not know; a reader of `*.tar` would read them."""
    known = {shard.place for shard in shards}
    with machine_errors(folder):
        there = sorted((*folder.glob("*.tar"), *folder.glob("*/*.tar")))
    places = {path.relative_to(folder).as_posix(): path for path in there if path.is_file()}
    return {place: path for place, path in places.items() if place not in known}


def _missing(
    shards: Sequence[_Shard],
    present: Sequence[_Shard],
    extras: Mapping[str, Path],
    digests: Mapping[str, str],
) -> Iterator[Finding]:
    there = {shard.place for shard in present}
    renamed = {digests[place]: place for place in extras if place in digests}
    for shard in shards:
        if shard.place not in there:
            other = renamed.get(shard.must.sha256)
            reason = f"missing, it lies under the name {other}" if other else "missing"
            yield Finding(place=shard.place, key="", reason=reason)


def _extra(digest: str | None, by_digest: Mapping[str, str]) -> str:
    owner = by_digest.get(digest or "")
    reason = "extra, no shard of the report"
    return f"{reason}; holds the very bytes of {owner}" if owner else reason


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
