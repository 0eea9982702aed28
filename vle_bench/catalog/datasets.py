"""What is known of a dataset before a byte of it is read: files, licences, counts, id lists.

Nothing here is invented: a size or hash nobody has told us is 0 or "", and
every address, licence and count says whether it was read in a primary source
("yes"), in a secondary one, or is only recalled ("no"). A new dataset is one
more file in `manifests/datasets`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import msgspec

from vle_bench.catalog.files import CatalogFile, packaged_file, packaged_files, user_file
from vle_bench.catalog.strict_toml import read_toml
from vle_bench.errors import DataProblem, UsageProblem

FOLDER = "datasets"

Verified = Literal["yes", "secondary", "no"]
"""Read in a primary source, read in a secondary one, or recalled from memory."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SCHEMES = ("http://", "https://")


class Licence(msgspec.Struct, frozen=True, kw_only=True):
    """The terms of one part of a dataset."""

    covers: str
    """`annotations`, `pictures`, ..."""
    name: str
    verified: Verified
    url: str = ""
    source: str = ""
    note: str = ""


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """One paper to cite."""

    text: str
    url: str = ""


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """One official file as its publisher offers it."""

    file: str
    verified: Verified
    """Whether the address was read somewhere, or is recalled."""
    url: str = ""
    """"" where there is no public address; `note` says how to get the file."""
    source: str = ""
    """Where the address was read."""
    size: int = 0
    """Bytes; 0 is unknown."""
    sha256: str = ""
    """"" is unknown."""
    checksum_source: str = ""
    holds: tuple[str, ...] = ()
    """The needed files and folders inside an archive; folders end in a slash."""
    note: str = ""
    agreement: str = ""
    """The page whose terms must be agreed to first; "" where anybody may download it."""

    def __post_init__(self) -> None:
        for name, address in (("url", self.url), ("agreement", self.agreement)):
            if address and not address.startswith(_SCHEMES):
                raise ValueError(f'{name} is "{address}", an http or https address was expected')
        if not _FILE_NAME.fullmatch(self.file):
            raise ValueError(f'file is "{self.file}", a plain file name was expected')
        if self.verified != "no" and not self.source:
            raise ValueError("a verified address needs its source")
        if self.size < 0:
            raise ValueError("size may not be negative; 0 is unknown")
        if self.sha256 and not _SHA256.fullmatch(self.sha256):
            raise ValueError('sha256 must be 64 lower-case hex digits; "" is unknown')
        if (self.size or self.sha256) and not self.checksum_source:
            raise ValueError("a size or sha256 needs its checksum_source")


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder that the raw data must, or may, hold."""

    path: str
    """Below `RAW/<dataset>/`; a folder ends in a slash."""
    gives: str
    """What is lost without it: `pictures`, `questions`, `captions`, `boxes`, ..."""
    splits: tuple[str, ...]
    required: bool = True
    dataset: str = ""
    """Another dataset whose raw folder holds the path; "" is this one."""
    scheme: str = ""
    """The splitting scheme it belongs to; "" is every one."""
    instead: str = ""
    """The path of another need of the same splits that will do where this one is absent."""

    def __post_init__(self) -> None:
        if self.path.startswith("/") or ".." in self.path.split("/"):
            raise ValueError(f'path is "{self.path}", a path below the raw folder was expected')


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """One split; its answers are hidden where only a server can score it."""

    name: str
    scheme: str = ""
    part_of: str = ""
    """The split whose pictures or questions contain this one's."""
    hidden: bool = False
    note: str = ""


class ExpectedCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many there should be of one kind in one split."""

    split: str
    kind: str
    """`images`, `questions`, `captions`, `boxes`, `answers`, ..."""
    count: int
    verified: Verified
    source: str
    scheme: str = ""

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("count may not be negative")


class IdList(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of a split, by count and digest; the list itself is in the user's raw files."""

    name: str
    split: str
    ids: str
    """What the ids name: `cocoid`, `flickr photo id`, `question_id`, ..."""
    count: int
    sha256: str
    """`id_list_digest` of the ids."""
    source: str
    scheme: str = ""

    def __post_init__(self) -> None:
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError("sha256 must be 64 lower-case hex digits")


class ResultName(msgspec.Struct, frozen=True, kw_only=True):
    """What published rows call a result on one split of this dataset."""

    name: str
    split: str
    whole: bool
    """Whether a result on the whole split is such a result; False for other ways to score it."""
    what: str


class DatasetManifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known of one dataset."""

    name: str
    title: str
    summary: str
    homepage: str
    licences: tuple[Licence, ...]
    citations: tuple[Citation, ...]
    downloads: tuple[Download, ...]
    needs: tuple[Need, ...]
    splits: tuple[Split, ...]
    counts: tuple[ExpectedCount, ...]
    schemes: tuple[str, ...] = ()
    """Ways to split the same pictures, the default first; () where there is one only."""
    id_lists: tuple[IdList, ...] = ()
    result_names: tuple[ResultName, ...] = ()

    def __post_init__(self) -> None:
        known = {split.name for split in self.splits}
        named = {
            *(split.part_of for split in self.splits if split.part_of),
            *(name for need in self.needs for name in need.splits),
            *(count.split for count in self.counts),
            *(ids.split for ids in self.id_lists),
            *(result.split for result in self.result_names),
        }
        if named - known:
            raise ValueError(f"no such split: {', '.join(sorted(named - known))}")
        schemes = {
            *(split.scheme for split in self.splits),
            *(need.scheme for need in self.needs),
            *(count.scheme for count in self.counts),
            *(ids.scheme for ids in self.id_lists),
        }
        lost = {need.instead for need in self.needs} - {"", *(need.path for need in self.needs)}
        if lost:
            raise ValueError(f"no such path among the needs: {', '.join(sorted(lost))}")
        foreign = schemes - {"", *self.schemes}
        if foreign:
            raise ValueError(f"no such scheme: {', '.join(sorted(foreign))}")

    @property
    def default_scheme(self) -> str:
        """The scheme that is meant where none is named; "" where there is one only."""
        return self.schemes[0] if self.schemes else ""

    def split_names(self, scheme: str = "") -> tuple[str, ...]:
        """The splits of a scheme, in the manifest's order."""
        wanted = scheme or self.default_scheme
        return tuple(split.name for split in self.splits if split.scheme in ("", wanted))

    def prepared_splits(self, scheme: str = "") -> tuple[str, ...]:
        """The splits of a scheme that raw files exist for; the others are parts of these."""
        return tuple(
            name for name in self.split_names(scheme) if self.needs_of(name, scheme=scheme)
        )

    def needs_of(self, split: str, *, scheme: str = "") -> tuple[Need, ...]:
        """The raw files that `split` needs or can use, in the manifest's order."""
        wanted = scheme or self.default_scheme
        return tuple(
            need
            for need in self.needs
            if split in need.splits and (not need.scheme or need.scheme == wanted)
        )

    def download_of(self, path: str) -> Download | None:
        """The official file that is, or holds, the raw path; None where nobody offers it."""
        for download in self.downloads:
            if path == download.file or path in download.holds:
                return download
        return None

    def expected(self, split: str, kind: str, *, scheme: str = "") -> ExpectedCount | None:
        """The expected count; None where the manifest states none."""
        wanted = scheme or self.default_scheme
        for entry in self.counts:
            fits = entry.scheme in ("", wanted)
            if fits and entry.split == split and entry.kind == kind:
                return entry
        return None

    def enclosing(self, split: str) -> tuple[str, ...]:
        """`split` and every split that contains it, nearest first.

        >>> load_dataset_manifest("vqav2").enclosing("minival")
        ('minival', 'val')
        """
        outer = {entry.name: entry.part_of for entry in self.splits}
        chain: list[str] = []
        while split and split not in chain:
            chain.append(split)
            split = outer.get(split, "")
        return tuple(chain)


@cache
def dataset_names() -> tuple[str, ...]:
    """Every dataset with a packaged manifest, sorted by name."""
    return tuple(file.stem for file in packaged_files(FOLDER, ".toml"))


@cache
def load_dataset_manifest(name: str) -> DatasetManifest:
    """The packaged manifest of a dataset.

    Raises:
        UsageProblem: There is no dataset of that name.
        DataProblem: The manifest is malformed.
    """
    if name not in dataset_names():
        raise UsageProblem(f"{name}: no such dataset. Known: {', '.join(dataset_names())}.")
    return _read(packaged_file(FOLDER, f"{name}.toml"))


@cache
def also_offering(dataset: str, path: str) -> tuple[str, ...]:
    """Other datasets whose publisher offers the very file that is, or holds, a raw path.

    >>> also_offering("flickr30k", "dataset_flickr30k.json"), also_offering("coco", "val2014/")
    (('coco',), ())
    """
    download = load_dataset_manifest(dataset).download_of(path)
    if download is None or not download.url:
        return ()
    return tuple(
        file.stem
        for file in packaged_files(FOLDER, ".toml")
        if file.stem != dataset
        and download.url in file.read_text()  # most manifests need not be parsed for it
        and any(one.url == download.url for one in load_dataset_manifest(file.stem).downloads)
    )


def read_dataset_manifest(path: Path) -> DatasetManifest:
    """A manifest of the user's own; its file is called like the dataset.

    Raises:
        DataProblem: The file is missing or malformed.
    """
    return _read(user_file(path))


def dataset_of_result(name: str) -> str:
    """The dataset behind a result's dataset name: `coco-karpathy-5k` is scored on `coco`.

    >>> dataset_of_result("coco-karpathy-5k"), dataset_of_result("vcr")
    ('coco', 'vcr')
    """
    result = _result(name)
    return result[0] if result else name


def result_name(name: str) -> ResultName | None:
    """What a result's dataset name stands for; None where it is simply a dataset's name.

    >>> result_name("coco-karpathy-1k").whole
    False
    """
    result = _result(name)
    return result[1] if result else None


def names_of_results(dataset: str) -> tuple[str, ...]:
    """Every name that results on a dataset have, its own included, sorted.

    >>> names_of_results("coco")
    ('coco', 'coco-karpathy-1k', 'coco-karpathy-5k')
    """
    if dataset not in dataset_names():
        return (dataset,)
    results = load_dataset_manifest(dataset).result_names
    return tuple(sorted({dataset, *(result.name for result in results)}))


def expected_count(
    dataset: str, split: str, kind: str, *, scheme: str = ""
) -> ExpectedCount | None:
    """How many `kind` the split should have; None where no manifest says so.

    Args:
        dataset: A dataset's name, or the name its results have in published rows.
        split: The split as it is stored (`val`, not `dev`).
        kind: `images`, `questions`, `captions`, ...
        scheme: The way the pictures are split; "" is the dataset's default.

    >>> expected_count("vqav2", "val", "questions").count
    214354
    """
    owner = dataset if dataset in dataset_names() else _whole_splits().get(dataset)
    return load_dataset_manifest(owner).expected(split, kind, scheme=scheme) if owner else None


def id_list_digest(ids: Iterable[int]) -> str:
    """The sha256 of the ids as decimal numbers, sorted by value, one a line.

    >>> id_list_digest([10, 9]) == id_list_digest([9, 10])
    True
    """
    lines = "".join(f"{number}\n" for number in sorted(ids))
    return hashlib.sha256(lines.encode("ascii")).hexdigest()


def _result(name: str) -> tuple[str, ResultName] | None:
    """The dataset and meaning of a result's name; None where it is a dataset's, or nobody's."""
    # A run on a dataset under its own name, as most are, reads no other's manifest.
    return None if name in dataset_names() else _results().get(name)


@cache
def _results() -> Mapping[str, tuple[str, ResultName]]:
    """Each result name with the dataset it is scored on; manifests that have none stay unread."""
    return MappingProxyType(
        {
            result.name: (file.stem, result)
            for file in packaged_files(FOLDER, ".toml")
            if "result_names" in file.read_text()
            for result in load_dataset_manifest(file.stem).result_names
        }
    )


def _whole_splits() -> dict[str, str]:
    return {name: owner for name, (owner, result) in _results().items() if result.whole}


def _read(file: CatalogFile) -> DatasetManifest:
    manifest = read_toml(file, DatasetManifest).record
    if manifest.name != file.stem:
        raise DataProblem(
            f"{file.place}: describes {manifest.name}; call the file {manifest.name}.toml."
        )
    return manifest
