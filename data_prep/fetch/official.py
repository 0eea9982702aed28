"""The official files of a dataset: which are wanted, which are there, which nobody may just take.

What is wanted follows from what `run` needs and does not find below RAW, in whatever
layout. An archive stays packed, for `run` reads it as it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from vle_bench.canonical import sha256_file
from vle_bench.catalog.datasets import DatasetManifest, Download, Need, load_dataset_manifest
from vle_bench.data_prep.archives import read_table
from vle_bench.data_prep.fetch.client import Client
from vle_bench.data_prep.fetch.ledger import CheckedBy, Ledger, Receipt
from vle_bench.data_prep.fetch.rules import Rules
from vle_bench.data_prep.fetch.transfer import Came, Heard, Wanted, transfer
from vle_bench.data_prep.plan import SPLIT_ALIASES
from vle_bench.data_prep.sources import RawTree
from vle_bench.errors import DataProblem, UsageProblem, machine_errors
from vle_bench.records import Record

State = Literal["present", "to fetch", "by hand", "fetched", "resumed", "failed"]

_MANIFEST = "the manifest"
_EARLIER = "the receipt of an earlier fetch"
_PLAIN = (".tsv", ".txt", ".json", ".jsonl")
_PAGE = (b"<!doctype", b"<html", b"<head")

Manifests = Callable[[str], DatasetManifest]


class FileLine(Record, frozen=True, kw_only=True):
    """One official file, before or after."""

    file: str
    dataset: str
    """Whose raw folder holds it."""
    state: State
    path: str = ""
    """Below RAW."""
    url: str = ""
    size: int = 0
    """0: not known."""
    sha256: str = ""
    checked_by: CheckedBy | Literal["not checked"] = "not checked"
    note: str = ""


class OfficialFile(NamedTuple):
    """A file, and what the needs that it fills are called."""

    owner: DatasetManifest
    download: Download
    found: tuple[str, ...]
    """Where everything that it would give lies already; () where something is missing."""


def official_files(
    manifest: DatasetManifest,
    raw: RawTree,
    *,
    splits: Sequence[str] = (),
    scheme: str = "",
    manifests: Manifests = load_dataset_manifest,
) -> list[OfficialFile]:
    """The official files of some splits, in the manifest's order.

    Args:
        manifest: The dataset's.
        raw: The raw folder.
        splits: Which splits; () is all that raw files exist for.
        scheme: The way of splitting; "" is the default.
        manifests: Gives the manifests of other datasets whose files are needed.

    Raises:
        UsageProblem: No such split or scheme.
    """
    if scheme and scheme not in manifest.schemes:
        known = ", ".join(manifest.schemes) or "none"
        raise UsageProblem(f"--scheme {scheme}: {manifest.name} has {known}.")
    there = manifest.prepared_splits(scheme)
    names = [SPLIT_ALIASES.get(name, name) for name in splits] or list(there)
    for name in names:
        if name not in there:
            raise UsageProblem(f"{manifest.name} has no split {name}. It has: {', '.join(there)}.")
    found: dict[tuple[str, str], list[str]] = {}
    files: dict[tuple[str, str], tuple[DatasetManifest, Download]] = {}
    for split in (name for name in there if name in names):
        needs = {need.path: need for need in manifest.needs_of(split, scheme=scheme)}
        for need in _first_choices(tuple(needs.values())):
            owner = manifests(need.dataset) if need.dataset else manifest
            download = owner.download_of(need.path)
            if download is not None:
                place = raw.state(manifest, need).found
                other = needs.get(need.instead)
                if not place and other is not None and other.instead == need.path:
                    place = raw.state(manifest, other).found  # two forms of the same thing
                key = (owner.name, download.file)
                files[key] = (owner, download)
                found.setdefault(key, []).append(place)
    return [
        OfficialFile(owner, download, _all_of(found[key]))
        for key, (owner, download) in files.items()
    ]


def named_files(
    manifest: DatasetManifest,
    names: Sequence[str],
    raw: RawTree,
    *,
    manifests: Manifests = load_dataset_manifest,
) -> list[OfficialFile]:
    """Official files by their names, also such as no split needs.

    Raises:
        UsageProblem: No such file.
    """
    owners = [manifest, *(manifests(one) for one in _others(manifest))]
    offered = {one.file: (owner, one) for owner in reversed(owners) for one in owner.downloads}
    for name in names:
        if name not in offered:
            raise UsageProblem(f"{manifest.name} has no file {name}. It has: {', '.join(offered)}.")
    files = (offered[name] for name in dict.fromkeys(names))
    return [
        OfficialFile(
            owner, one, (place,) if (raw.root / (place := _place(owner, one))).is_file() else ()
        )
        for owner, one in files
    ]


def line_before(file: OfficialFile) -> FileLine:
    """What would be done about a file."""
    owner, download, found = file
    page = download.agreement or owner.homepage
    if found:
        return FileLine(
            file=download.file, dataset=owner.name, state="present", path=", ".join(found)
        )
    note = ""
    state: State = "to fetch"
    if download.agreement:
        state, note = "by hand", f"agree to the terms on {page}, and get it there"
    elif not download.url:
        state, note = "by hand", f"see {page}: {download.note}"
    elif not download.sha256:
        note = "sha256 not known: what comes first is recorded"
    return FileLine(
        file=download.file,
        dataset=owner.name,
        state=state,
        path=_place(owner, download),
        url=download.url if state == "to fetch" else "",
        size=download.size,
        sha256=download.sha256,
        note=note,
    )


async def fetch_file(
    client: Client, file: OfficialFile, raw: Path, *, rules: Rules, heard: Heard
) -> FileLine:
    """Fetches one file, or judges the one that is there, and writes its receipt.

    Raises:
        Failure: The server does not give it.
        DataProblem: It is not the file that the manifest or the receipt describes.
        MachineProblem: The disk refuses.
    """
    owner, download, _ = file
    ledger = Ledger(raw, owner.name)
    wanted = _wanted(file, raw, ledger)
    line = line_before(file._replace(found=()))
    if wanted.path.is_file():
        receipt = _judged(wanted, ledger)
        return _after(line, receipt, "present")
    came = await transfer(client, wanted, ledger, rules=rules, heard=heard)
    try:
        _expect_content(wanted.path)
    except DataProblem:
        with machine_errors(wanted.path):
            wanted.path.replace(wanted.path.with_name(f"{download.file}.rejected"))
        raise
    receipt = _receipt(wanted, came, _checked_by(download))
    ledger.keep(receipt)
    return _after(line, receipt, "resumed" if came.resumed_at else "fetched")


def judge_present(file: OfficialFile, raw: Path) -> FileLine:
    """Compares a file that is there with the manifest, once; what lies unpacked is not judged.

    Raises:
        DataProblem: It is another file.
    """
    owner, download, found = file
    line = line_before(file)
    place = next((one for one in found if Path(one).name == download.file), "")
    if not place:
        return line
    ledger = Ledger(raw, owner.name)
    wanted = _wanted(file, raw, ledger)._replace(path=raw / place)
    try:
        return _after(line, _judged(wanted, ledger), "present")
    except DataProblem:
        if wanted.path.suffix not in _PLAIN or ledger.receipt(wanted.file) is not None:
            raise
        # A list of the user's own, a part of the official one say, is theirs to choose.
        note = f"not the file that {wanted.told_by} describes"
        return msgspec.structs.replace(line, note=note)


def _judged(wanted: Wanted, ledger: Ledger) -> Receipt:
    """The receipt of a file that is there; it is hashed where it looks different from outside."""
    known = ledger.receipt(wanted.file)
    with machine_errors(wanted.path):
        seen = wanted.path.stat()
    same = known is not None and (seen.st_size, seen.st_mtime_ns) == (known.size, known.mtime_ns)
    if known is not None and same and wanted.sha256 in ("", known.sha256):
        return known
    found = Came(seen.st_size, sha256_file(wanted.path), 0)
    if wanted.size not in (0, found.size) or wanted.sha256 not in ("", found.sha256):
        raise DataProblem(
            f"{wanted.path}: {found.size:,} bytes of sha256 {found.sha256}, {wanted.told_by} says "
            f"{wanted.size:,} bytes of {wanted.sha256 or 'no known digest'}. Move it away, and it "
            "is fetched again."
        )
    by_manifest = wanted.told_by == _MANIFEST and wanted.sha256
    receipt = _receipt(wanted, found, "manifest" if by_manifest else "first fetch")
    ledger.keep(receipt)
    return receipt


def _wanted(file: OfficialFile, raw: Path, ledger: Ledger) -> Wanted:
    owner, download, _ = file
    path = raw / _place(owner, download)
    known = ledger.receipt(download.file)
    if known is not None and not download.sha256:
        size = download.size or known.size
        return Wanted(download.file, download.url, path, size, known.sha256, _EARLIER)
    told = (download.size, download.sha256, _MANIFEST)
    return Wanted(download.file, download.url, path, *told)


def _receipt(wanted: Wanted, came: Came, checked_by: CheckedBy) -> Receipt:
    with machine_errors(wanted.path):
        mtime = wanted.path.stat().st_mtime_ns
    return Receipt(
        file=wanted.file,
        url=wanted.url,
        size=came.size,
        sha256=came.sha256,
        checked_by=checked_by,
        mtime_ns=mtime,
    )


def _checked_by(download: Download) -> CheckedBy:
    return "manifest" if download.sha256 else "first fetch"


def _after(line: FileLine, receipt: Receipt, state: State) -> FileLine:
    return msgspec.structs.replace(
        line,
        state=state,
        url=receipt.url,
        size=receipt.size,
        sha256=receipt.sha256,
        checked_by=receipt.checked_by,
        note="",
    )


def _expect_content(path: Path) -> None:
    """A page that says sorry, with status 200, is no archive.

    Raises:
        DataProblem: It is none.
    """
    if path.suffix == ".zip":
        read_table(path)
        return
    with machine_errors(path), path.open("rb") as stream:
        start = stream.read(512).lstrip().lower()
    if start.startswith(_PAGE):
        raise DataProblem(
            f"{path}: an HTML page came in place of the file; it is kept as {path.name}.rejected. "
            "The address may have moved: see the dataset's homepage."
        )


def _place(owner: DatasetManifest, download: Download) -> str:
    return f"{owner.name}/{download.file}"


def _all_of(found: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(found))) if all(found) else ()


def _first_choices(needs: Sequence[Need]) -> Iterator[Need]:
    """The needs that do not merely stand in for an earlier one."""
    earlier: set[str] = set()
    for need in needs:
        if need.instead not in earlier:
            yield need
        earlier.add(need.path)


def _others(manifest: DatasetManifest) -> Iterator[str]:
    yield from dict.fromkeys(need.dataset for need in manifest.needs if need.dataset)
