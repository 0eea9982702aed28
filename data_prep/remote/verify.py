"""Is a remote dataset still what was prepared? Every shard is read and hashed on its way.

A shard whose sha256 is the report's needs no further look: that the index fits
to it was proved when both were made, and the index has its own digest in the
report. Any other is fetched, so that the verdict names the very sample, as
`verify` does for a folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import msgspec

from vle_bench.data_prep.remote.store import Store, Stored, store_of
from vle_bench.data_prep.remote.urls import normal
from vle_bench.data_prep.verify import Finding, Verification, extra, verify
from vle_bench.errors import DataProblem
from vle_bench.shards.layout import REPORT
from vle_bench.shards.report import ShardReport, read_report

_THREADS = 4
_MOST_FETCHED = 20
"""Damaged shards that are fetched to find the sample; the rest is only named."""

_MISSING = "missing"


def remote_folders(url: str) -> list[str]:
    """The URL itself if it is a prepared dataset, else the prepared datasets in it.

    Raises:
        DataProblem: There is none.
    """
    url = normal(url)
    store = store_of(url)
    if store.stat(REPORT) is not None:
        return [url]
    places = (PurePosixPath(name) for name in store.find(""))
    inner = [
        f"{url}/{place.parent}"
        for place in places
        if place.name == REPORT and len(place.parts) == 2
    ]
    if not inner:
        raise DataProblem(
            f"{url}: no prepared dataset, {REPORT} is neither in it nor one folder below. "
            "Give the URL that vle-prep run wrote to."
        )
    return inner


def verify_remote(url: str, *, quick: bool = False) -> Verification:
    """Compares a remote dataset with its report and index.

    Args:
        url: The dataset's place.
        quick: Look at sizes only; hash no shard.

    Raises:
        DataProblem: No report is there.
        MachineProblem: The store refuses.
    """
    store = store_of(url)
    found = store.find("")
    with _scratch() as folder:
        if REPORT in found:
            store.download(REPORT, folder / REPORT)
        try:
            report = read_report(folder)
        except DataProblem:
            return _of(url, verify(folder, quick=quick), quick)
        for name in report.files.keys() & found.keys():
            store.download(name, folder / name)
        musts = {
            f"{split}/{one.name}": one
            for split, books in report.splits.items()
            for one in books.shards
        }
        proved, damaged = _looked_at(store, found, musts, quick=quick)
        for name in damaged[:_MOST_FETCHED]:
            store.download(name, folder / name)
        verdict = verify(folder, quick=quick)
        findings = [one for one in verdict.findings if not (one.place in proved and _gone(one))]
        findings += [
            Finding(place=name, key="", reason=extra(name))
            for name in sorted(found.keys() - {REPORT, *report.files, *proved, *damaged})
            if not any(part.startswith(".") for part in name.split("/"))
        ]
        only_named = set(damaged[_MOST_FETCHED:])
        findings = [one for one in findings if not (one.place in only_named and _gone(one))]
        findings += [
            Finding(place=name, key="", reason=_unlike(name, found[name], musts.get(name)))
            for name in sorted(only_named)
        ]
    return _of(url, msgspec.structs.replace(verdict, findings=tuple(findings)), quick)


def _looked_at(
    store: Store, found: Mapping[str, Stored], musts: Mapping[str, ShardReport], *, quick: bool
) -> tuple[set[str], list[str]]:
    """The shards that are as the report says, and the tar files that are anything else."""
    tars = [name for name in found if name.endswith(".tar") and name.count("/") <= 1]

    def sound(name: str) -> bool:
        must = musts.get(name)
        if must is None or found[name].bytes != must.bytes:
            return False
        return quick or store.sha256(name) == must.sha256

    with ThreadPoolExecutor(_THREADS) as pool:
        verdicts = dict(zip(tars, pool.map(sound, tars), strict=True))
    return {name for name in tars if verdicts[name]}, [name for name in tars if not verdicts[name]]


def _unlike(name: str, found: Stored, must: ShardReport | None) -> str:
    """Why a shard is damaged, as far as that shows without fetching it."""
    if must is None:
        return extra(name)
    if found.bytes != must.bytes:
        return f"{found.bytes:,} bytes, the report has {must.bytes:,}"
    return "its sha256 is not the report's"


def _gone(finding: Finding) -> bool:
    """Whether the finding says only that the shard was not fetched."""
    return finding.reason.startswith(_MISSING)


def _of(url: str, verdict: Verification, quick: bool) -> Verification:
    return msgspec.structs.replace(verdict, folder=url, quick=quick)


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vle-bench-") as folder:
        yield Path(folder)
