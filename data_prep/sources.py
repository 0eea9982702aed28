"""Where raw files are: every layout in use is found, and nothing is moved or unpacked.

A file may lie at `RAW/coco/annotations/x.json`, at `RAW/annotations/x.json`
(the flat layout of the VLE code), at `RAW/x.json`, inside the official zip in
either folder, in a folder of that zip's name beside it, or as `x.json.gz` in any
of these places; where other datasets are offered the same zip, in their folders too.
Pictures are found by the number in their name, with one listing per folder: asking
for a hundred thousand names one by one takes minutes on a network disk.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeVar

from vle_bench.catalog.datasets import (
    DatasetManifest,
    Need,
    also_offering,
    load_dataset_manifest,
)
from vle_bench.data_prep.archives import ZipMember, read_table
from vle_bench.data_prep.base64_rows import Base64Cell
from vle_bench.data_prep.content import member_content
from vle_bench.data_prep.entries import is_file
from vle_bench.data_prep.parquet_cells import ParquetCell
from vle_bench.data_prep.tar_files import TarSlice
from vle_bench.data_prep.tar_gz import tar_gz_content
from vle_bench.errors import DataProblem, machine_errors
from vle_bench.inputs import decode_json
from vle_bench.inputs.collector import no_collector
from vle_bench.inputs.content import Content, file_content
from vle_bench.inputs.json_stream import JsonStream

T = TypeVar("T")

SAMPLE_WORLD = "sample_world.json"
"""Stands in a raw folder whose pictures are drawn; everything made from it says so."""

PART = ".part"
"""Behind the name of a download that is under way."""

_PICTURE_NAME = re.compile(
    r"(?:COCO_[a-z]+[0-9]{4}_)?(?P<id>[0-9]{1,18})\."
    r"(?:jpe?g|png|webp|(?P<foreign>gif|bmp|tiff?))",
    re.IGNORECASE,
)
"""Foreign formats are found too: such a picture is there, and what it is will be its reason."""
_ANNOTATIONS, _IMAGES = "annotations", "images"
_TAR_GZ = ".tar.gz"
SQUEEZED = (".gz", ".zst")
"""What a single file is called that somebody packed to save room."""


class Document:
    """An annotation file: its path below RAW and the digest of its bytes. It is never held whole.

    Attributes:
        name: Its path below RAW; of a member of a zip, with that.
        place: What to call it in messages.
        content: Its bytes.
    """

    def __init__(self, name: str, content: Content) -> None:
        self.name = name
        self.place = content.place
        self.content = content
        self._json = JsonStream(content)

    @property
    def sha256(self) -> str:
        """Digest of the file, or of the unpacked member."""
        return self.content.sha256

    @property
    def data(self) -> bytes:
        """All of it, unpacked: for small files alone."""
        return b"".join(self.content.pieces())

    def pieces(self) -> Iterator[bytes]:
        """All of it, unpacked, a megabyte at a time."""
        return self.content.pieces()

    def decoded(self, kind: type[T], expected: str) -> T:
        """The whole content as `kind`: for small files alone.

        Raises:
            DataProblem: Broken JSON, or values of other types.
        """
        with no_collector():
            return decode_json(self.data, kind, self.place, expected)

    def rows(
        self,
        field: str,
        kind: type[T],
        *,
        required: bool = True,
        expected: str = "",
        to_the_end: bool = True,
    ) -> Iterator[list[T]]:
        """The rows of one list in the document, in chunks and in order: see `JsonStream.rows`."""
        return self._json.rows(
            field, kind, required=required, expected=expected, to_the_end=to_the_end
        )


class PictureFile(NamedTuple):
    """A raw picture, not yet read: a file, a member of a zip or tar, or a cell of a table."""

    name: str
    path: str
    member: ZipMember | TarSlice | Base64Cell | ParquetCell | None = None


class NeedState(NamedTuple):
    """A file or folder of the manifest and where it was found below RAW ("" if nowhere).

    Where it was not, `unfinished` is the part of its download that lies there, "" if none does.
    """

    need: Need
    found: str
    unfinished: str = ""


class RawTree:
    """The user's folder of raw downloads.

    Args:
        root: The folder; it need not exist (then nothing is found).
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._tables: dict[Path, list[ZipMember]] = {}
        self._contents: dict[tuple[str, int, int], Content] = {}

    @cached_property
    def is_sample(self) -> bool:
        """Whether the folder is a sample world."""
        return (self.root / SAMPLE_WORLD).is_file()

    def state(self, manifest: DatasetManifest, need: Need) -> NeedState:
        """Where the path of `need` was found: a file, a folder, or an official zip."""
        owner = need.dataset or manifest.name
        for path in self._candidates(owner, need.path):
            if path.is_dir() if need.path.endswith("/") else path.is_file():
                return NeedState(need, self._below(path))
        archive = self._archive_of(owner, need.path)
        if archive is None or not self._may_hold(archive, need.path):
            archive = self._squeezed(owner, need.path)
        if archive is not None:
            return NeedState(need, self._below(archive))
        return NeedState(need, "", self._part_of(owner, need.path))

    def document(self, dataset: str, path: str) -> Document | None:
        """The bytes of an annotation file, unpacked or from its zip; None where it is nowhere.

        Args:
            dataset: Whose raw folder holds it.
            path: The path as the dataset's manifest has it.

        Raises:
            DataProblem: The file or the zip around it is damaged.
        """
        for found in self._candidates(dataset, path):
            if found.is_file():
                return self._file(found)
        archive = self._archive_of(dataset, path)
        if archive is not None and archive.name.endswith(_TAR_GZ):
            place = f"{archive}!{path}"
            content = self._once(archive, place, partial(tar_gz_content, archive, path))
            return Document(f"{self._below(archive)}!{path}", content)
        member = self._member(archive, path) if archive else None
        if archive is None or member is None:
            squeezed = self._squeezed(dataset, path)
            return self._file(squeezed) if squeezed else None
        content = self._once(archive, member.place, partial(member_content, member))
        return Document(f"{self._below(archive)}!{member.name}", content)

    def pictures(
        self, dataset: str, folders: Sequence[str], wanted: Iterable[int]
    ) -> dict[int, PictureFile]:
        """The picture file of each wanted id that has one.

        Unpacked folders are searched before zips, each in the order given; a zip is opened only
        when pictures are still missing.

        Args:
            dataset: Whose raw folder holds them.
            folders: Picture folders as in the manifest (`train2014/`), the likeliest first.
            wanted: Image ids.
        """
        missing = set(wanted)
        found: dict[int, PictureFile] = {}
        listings = self._listings(dataset, folders)
        # The next place is made only for pictures that are missing: it may be a zip cut short.
        while missing and (listing := next(listings, None)) is not None:
            here = missing.intersection(listing.keys())
            found.update((number, listing[number]) for number in here)
            missing -= here
        return found

    def folders(self, dataset: str, folder: str) -> list[Path]:
        """Every unpacked folder that may hold the files of `folder`, the likeliest first."""
        return [path for path in self._candidates(dataset, folder) if path.is_dir()]

    def members(self, dataset: str, folder: str) -> list[ZipMember]:
        """The files of the official zip that holds `folder`; none where it is absent."""
        archive = self._archive_of(dataset, folder)
        return self._table(archive) if archive else []

    def zips_beside(self, manifest: DatasetManifest, needs: Iterable[Need]) -> list[str]:
        """Names of the zips of pictures that lie there although their folder is unpacked too."""
        found: list[str] = []
        for owner, path in ((need.dataset or manifest.name, need.path) for need in needs):
            archive = self._archive_of(owner, path) if path.endswith("/") else None
            if archive is not None and self.folders(owner, path):
                found.append(archive.name)
        return list(dict.fromkeys(found))

    def _listings(
        self, dataset: str, folders: Sequence[str]
    ) -> Iterator[Mapping[int, PictureFile]]:
        for folder in folders:
            for path in self._candidates(dataset, folder):
                if path.is_dir():
                    yield _by_id(_files_in(path))
        for folder in folders:
            archive = self._archive_of(dataset, folder)
            if archive is not None:
                yield _by_id(_members_of(self._table(archive), folder))

    def _candidates(self, dataset: str, path: str) -> Iterator[Path]:
        """Every place where a path of the manifest may lie, the contract's own layout first."""
        plain = PurePosixPath(path)
        download = load_dataset_manifest(dataset).download_of(path)
        unpacked = _unpacked_into(download.file) if download else ""
        for base in self._bases(dataset, path):
            yield base / plain
            if path.endswith("/"):
                yield base / _IMAGES / plain
                yield base / plain / plain.name  # one of its name within it, as Kaggle packs some
            elif plain.parent.name == _ANNOTATIONS:
                yield base / plain.name
            else:
                yield base / _ANNOTATIONS / plain
            if unpacked:
                yield base / unpacked / plain

    def _file(self, path: Path) -> Document:
        # A sample world of few pictures has lists of none.
        read = partial(file_content, path, may_be_empty=self.is_sample)
        return Document(self._below(path), self._once(path, path, read))

    def _squeezed(self, dataset: str, path: str) -> Path | None:
        """A file that is nowhere by its own name and stands packed, alone, at one of its places."""
        places = () if path.endswith("/") else self._candidates(dataset, path)
        packed = (place.with_name(place.name + end) for place in places for end in SQUEEZED)
        return next((place for place in packed if place.is_file()), None)

    def _bases(self, dataset: str, path: str) -> Iterator[Path]:
        """The folders that may hold a path: the dataset's, RAW, and those of its download's others.

        One archive holds Karpathy's splits of COCO and of Flickr30k; whoever has it for the one
        has it for the other.
        """
        yield self.root / dataset
        yield self.root
        for other in also_offering(dataset, path):
            if os.access(self.root / other, os.R_OK | os.X_OK):  # not this dataset's own
                yield self.root / other

    def _archive_of(self, dataset: str, path: str) -> Path | None:
        download = load_dataset_manifest(dataset).download_of(path)
        # Out of a packed tar one file can be had, by walking through it, but not many pictures.
        readable = ".zip" if path.endswith("/") else (".zip", _TAR_GZ)
        if download is None or not download.file.endswith(readable):
            return None
        for base in self._bases(dataset, path):
            if (base / download.file).is_file():
                return base / download.file
        return None

    def _part_of(self, dataset: str, path: str) -> str:
        """What `vle-prep fetch`, or a browser, left of a download that was broken off."""
        download = load_dataset_manifest(dataset).download_of(path)
        if download is not None:
            for base in self._bases(dataset, path):
                part = base / f"{download.file}{PART}"
                if part.is_file():
                    return self._below(part)
        return ""

    def _once(self, file: Path, place: object, make: Callable[[], Content]) -> Content:
        """What `make` makes of a file, made again only when the file's look has changed.

        Several splits ask for the same documents; each is unpacked and hashed once.
        """
        with machine_errors(file):
            look = file.stat()
        key = (str(place), look.st_size, look.st_mtime_ns)
        if key not in self._contents:
            self._contents[key] = make()
        return self._contents[key]

    def _may_hold(self, archive: Path, path: str) -> bool:
        """Whether a file is in an archive.

        What cannot be judged quickly counts as there: whoever reads it says what is wrong.
        """
        if path.endswith("/") or archive.name.endswith(_TAR_GZ):
            return True
        try:
            return self._member(archive, path) is not None
        except DataProblem:
            return True

    def _member(self, archive: Path, path: str) -> ZipMember | None:
        name = PurePosixPath(path).name
        return next((m for m in self._table(archive) if PurePosixPath(m.name).name == name), None)

    def _table(self, archive: Path) -> list[ZipMember]:
        if archive not in self._tables:
            self._tables[archive] = read_table(archive)
        return self._tables[archive]

    def _below(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def _unpacked_into(file: str) -> str:
    """The folder that desktop programs unpack an archive into; "" for what is none.

    >>> _unpacked_into("images2.zip"), _unpacked_into("train.txt")
    ('images2', '')
    """
    return next((file.removesuffix(end) for end in (".zip", _TAR_GZ) if file.endswith(end)), "")


def _files_in(folder: Path) -> Iterator[PictureFile]:
    with machine_errors(folder), os.scandir(folder) as entries:
        for entry in entries:
            if is_file(entry):
                yield PictureFile(entry.name, entry.path)


def _members_of(table: Iterable[ZipMember], folder: str) -> Iterator[PictureFile]:
    wanted = folder.rstrip("/")
    for member in table:
        path = PurePosixPath(member.name)
        if path.parent.name in (wanted, ""):
            yield PictureFile(path.name, member.archive, member)


def _by_id(files: Iterable[PictureFile]) -> dict[int, PictureFile]:
    """Where two files claim one id, one of a usable format wins, then the official name."""
    found: dict[int, PictureFile] = {}
    for file in files:
        match = _PICTURE_NAME.fullmatch(file.name)
        if match is None:
            continue
        number = int(match["id"])
        rival = found.get(number)
        if rival is None or _rank(file) < _rank(rival):
            found[number] = file
    return found


def _rank(file: PictureFile) -> tuple[bool, bool, str]:
    match = _PICTURE_NAME.fullmatch(file.name)
    foreign = match is not None and match["foreign"] is not None
    return foreign, not file.name.startswith("COCO_"), file.name
