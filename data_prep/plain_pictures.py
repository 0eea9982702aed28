"""Pictures of the web in a plain folder, named by the key or by the path of their address.

The folder may hold millions, so no list of its names is made: it is walked
through once, a name that is a key goes to its address at once, and of every name
eight bytes of its sha1 stay, by which names made from addresses are looked up.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from vle_bench.data_prep.entries import is_file, is_folder
from vle_bench.data_prep.found_pictures import FoundPictures, Names
from vle_bench.data_prep.web_keys import Keys, LookUp, sorted_keys, url_key
from vle_bench.errors import machine_errors

_NAMED_BY_KEY = re.compile(
    r"(?P<key>[0-9a-f]{16})\.(?:jpe?g|png|webp|(?P<foreign>gif|bmp|tiff?))", re.IGNORECASE
)
_BY_KEY, _BY_PATH, _FOREIGN = range(3)
"""Sorts of names, the best first; a key with the ending of a format that no shard takes is last."""

Urls = Callable[[], Iterable[tuple[int, str]]]


def find_plain(folder: Path, look_up: LookUp, urls: Urls, found: FoundPictures) -> None:
    """Notes in `found` the pictures that lie in a plain folder.

    Args:
        folder: The folder.
        look_up: Places of addresses by key.
        urls: Gives each address with its place, each time it is called.
        found: What is known already, which stays.

    Raises:
        MachineProblem: The folder cannot be read, or the disk refuses.
    """
    plain = _Plain(folder, look_up, found)
    there = sorted_keys(map(plain.seen, _files_below(folder)))
    for place, name in _by_path(urls, there):
        plain.put(place, name, _BY_PATH)


class _Plain:
    """Puts the pictures of a plain folder where they belong, the best name of each address.

    Of several names of one sort the first in the order of the alphabet counts, in whatever order
    the disk gives them.
    """

    def __init__(self, folder: Path, look_up: LookUp, found: FoundPictures) -> None:
        self._look_up = look_up
        self._found = found
        self._names = Names()
        self._where = found.keep(folder, is_tar=False, names=self._names)

    def seen(self, name: str) -> str:
        """Takes a name, which may be a key, and gives it back."""
        match = _NAMED_BY_KEY.fullmatch(name)
        if match is not None and (place := self._look_up.place(int(match["key"], 16))) >= 0:
            self.put(place, name, _FOREIGN if match["foreign"] else _BY_KEY)
        return name

    def put(self, place: int, name: str, sort: int) -> None:
        """Notes a name of an address, unless a better one is known."""
        before = self._found.number_in(place, self._where)
        if before is not None and (sort, name) < (before[0], self._names[before[1]]):
            self._found.drop(place)
        if not self._found.has(place):
            self._found.put(place, self._where, self._names.add(name), ending=sort)


def _by_path(urls: Urls, there: Keys) -> Iterator[tuple[int, str]]:
    """Places of addresses, and the names under which their pictures lie by host or path."""
    paths = sorted_keys(_parts(url)[1] for _, url in urls())
    several = np.unique(paths[1:][paths[1:] == paths[:-1]])
    del paths
    for place, url in urls():
        host, path = _parts(url)
        if not path:
            continue
        name = f"{host}/{path}"
        if _holds(there, name):
            yield place, name
        elif _holds(there, path) and not _holds(several, path):
            yield place, path


def _holds(keys: Keys, text: str) -> bool:
    key = url_key(text)
    at = int(np.searchsorted(keys, np.uint64(key)))
    return at < len(keys) and int(keys[at]) == key


def _parts(url: str) -> tuple[str, str]:
    """Host and path of an address; "" where they name no file by themselves."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return ("", "") if parts.query else (parts.netloc, parts.path.lstrip("/"))


def _files_below(folder: Path) -> Iterator[str]:
    """Paths of all files below a folder, in no order; links to folders are not followed."""
    waiting = [""]
    while waiting:
        inner = waiting.pop()
        with machine_errors(folder / inner), os.scandir(folder / inner) as entries:
            for entry in entries:
                name = f"{inner}{entry.name}"
                if is_file(entry):
                    yield name
                elif is_folder(entry) and not entry.is_symlink():
                    waiting.append(f"{name}/")
