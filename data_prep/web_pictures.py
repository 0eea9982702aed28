"""Pictures of the web that were downloaded already, found by their address.

Two ways of keeping them are known, both below `RAW/<dataset>/`, and searched in this order:

1. What img2dataset or `vle-prep fetch` left: `NNNNN.parquet` with `url`, `key`,
   `status` and `error_message`, and the pictures `KEY.jpg` in `NNNNN.tar` or in the
   folder `NNNNN/`. Where a parquet is absent, `KEY.json` beside each picture gives
   its address. The shards lie in the dataset's folder or one folder deeper. Of
   pictures that failed, the table says why.
2. A plain folder `pictures/`: `<first 16 hex of sha1(address)>.jpg`, else
   `<host>/<path of the address>`, else `<path of the address>`; the last only
   where no other address of the list has the same path on another host, and
   neither of the last two for addresses with a `?`.

Layout: https://github.com/rom1504/img2dataset#output-format
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from vle_bench.console import amount, progress, verb
from vle_bench.data_prep.entries import is_file, is_folder
from vle_bench.data_prep.found_pictures import ENDINGS, FoundPictures
from vle_bench.data_prep.plain_pictures import find_plain
from vle_bench.data_prep.tar_files import TarSlice, read_slice, tar_members
from vle_bench.data_prep.web_keys import Keys, LookUp, url_key
from vle_bench.data_prep.web_reasons import SUCCESS
from vle_bench.data_prep.web_tables import note_failures, read_alone
from vle_bench.errors import machine_errors

PLAIN_FOLDER = "pictures"

_SHARD = re.compile(r"(?P<shard>[0-9]{5,})(?:\.(?:tar|parquet))?")
_PICTURE = re.compile(r"(?:.*/)?(?P<key>[0-9]{1,18})\.(?P<ending>jpe?g|png|webp)")
_MOST_JSON = 1 << 20


def find_pictures(
    folders: Sequence[Path], keys: Keys, urls: Callable[[], Iterable[tuple[int, str]]]
) -> FoundPictures:
    """The pictures that were downloaded.

    Args:
        folders: Folders of the dataset below RAW, the likeliest first.
        keys: `url_key` of each address; no two are the same.
        urls: Gives each address with its place in `keys`; asked where there is a plain folder.

    Raises:
        DataProblem: A parquet of img2dataset that cannot be read.
    """
    found = FoundPictures(len(keys))
    look_up = LookUp.of(keys)
    for folder in _shard_folders(folders):
        _from_img2dataset(folder, look_up, found)
    for folder in folders:
        if (folder / PLAIN_FOLDER).is_dir():
            find_plain(folder / PLAIN_FOLDER, look_up, urls, found)
    absent = found.absent()
    if absent:
        found.warnings.append(
            f"{amount(absent, 'picture')} that tables of img2dataset call downloaded "
            f"{verb(absent, 'is', 'are')} in no tar or folder: one was cut short, or not copied"
        )
    return found


class _Sidecar(msgspec.Struct, frozen=True):
    url: str
    status: str = SUCCESS


class _Listed(NamedTuple):
    """A picture of img2dataset and where it is."""

    ending: int
    offset: int
    length: int
    width: int


def _shard_folders(folders: Sequence[Path]) -> Iterator[Path]:
    """Folders that may hold shards: each itself and the folders in it."""
    for folder in folders:
        yield folder
        with machine_errors(folder), os.scandir(folder) as entries:
            inner = sorted(entry.name for entry in entries if is_folder(entry))
        for name in inner:
            if name != PLAIN_FOLDER and not _SHARD.fullmatch(name):
                yield folder / name


def _from_img2dataset(folder: Path, look_up: LookUp, found: FoundPictures) -> None:
    with machine_errors(folder), os.scandir(folder) as entries:
        names = {entry.name for entry in entries}
    bare = 0
    shards = {match["shard"] for name in names if (match := _SHARD.fullmatch(name))}
    for shard in progress(sorted(shards), total=len(shards), what=f"looking into {folder.name}"):
        parquet = folder / f"{shard}.parquet"
        kept = [name for name in (f"{shard}.tar", shard) if name in names]
        for name in kept:
            _from_shard(folder / name, parquet, look_up, found)
        if not kept and parquet.is_file():
            bare += read_alone(parquet, look_up, found)
    records = sum(name.endswith(".tfrecord") for name in names)
    if records or bare:
        unread = f"{amount(records, 'TFRecord file')} of img2dataset not read"
        lacking = f"{amount(bare, 'table')} of img2dataset without the pictures named there"
        found.warnings.append(
            f"{folder.name}: {unread if records else lacking}; download with "
            "--output_format webdataset, files or parquet"
        )


def _from_shard(path: Path, parquet: Path, look_up: LookUp, found: FoundPictures) -> None:
    is_tar = path.is_file()
    pictures, sidecars = _tar_listing(path) if is_tar else _folder_listing(path)
    by_width: dict[int, int] = {}
    if parquet.is_file():
        rows = note_failures(parquet, look_up, found)
    else:
        rows = list(_sidecar_rows(path, sidecars))
    for key, url in rows:
        listed = pictures.get(key)
        place = look_up.place(url_key(url))
        if place < 0:
            continue
        if listed is None:
            found.promise(place)
            continue
        if listed.width not in by_width:
            by_width[listed.width] = found.keep(path, is_tar=is_tar, width=listed.width)
        found.put(
            place,
            by_width[listed.width],
            key,
            ending=listed.ending,
            offset=listed.offset,
            length=listed.length,
        )


def _tar_listing(path: Path) -> tuple[dict[int, _Listed], dict[int, TarSlice | None]]:
    pictures: dict[int, _Listed] = {}
    sidecars: dict[int, TarSlice | None] = {}
    for name, place in tar_members(path):
        match = _PICTURE.fullmatch(name)
        stem, _, ending = name.rpartition("/")[2].partition(".")
        if match is not None:
            listed = _Listed(ENDINGS.index(match["ending"]), *place, len(match["key"]))
            pictures.setdefault(int(match["key"]), listed)
        elif ending == "json" and stem.isascii() and stem.isdigit() and len(stem) <= 18:
            sidecars.setdefault(int(stem), place)
    return pictures, sidecars


def _folder_listing(path: Path) -> tuple[dict[int, _Listed], dict[int, TarSlice | None]]:
    pictures: dict[int, _Listed] = {}
    sidecars: dict[int, TarSlice | None] = {}
    with machine_errors(path), os.scandir(path) as entries:
        names = sorted(entry.name for entry in entries if is_file(entry))
    for name in names:
        match = _PICTURE.fullmatch(name)
        if match is not None:
            listed = _Listed(ENDINGS.index(match["ending"]), 0, 0, len(match["key"]))
            pictures.setdefault(int(match["key"]), listed)
            sidecars.setdefault(int(match["key"]), None)
    return pictures, sidecars


def _sidecar_rows(path: Path, sidecars: Mapping[int, TarSlice | None]) -> Iterator[tuple[int, str]]:
    """Key and address by the JSON beside each picture; one that cannot be read tells nothing."""
    decoder = msgspec.json.Decoder(_Sidecar)
    names = {} if path.is_file() else _json_names(path)
    for key, place in sorted(sidecars.items()):
        if place is not None:
            data = read_slice(str(path), place) if place.length <= _MOST_JSON else b""
        elif key in names:
            with machine_errors(path), (path / names[key]).open("rb") as stream:
                data = stream.read(_MOST_JSON)
        else:
            continue
        try:
            known = decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if known.status == SUCCESS:
            yield key, known.url


def _json_names(folder: Path) -> dict[int, str]:
    with machine_errors(folder), os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    stems = ((name.removesuffix(".json"), name) for name in names if name.endswith(".json"))
    return {int(stem): name for stem, name in stems if stem.isdecimal()}
