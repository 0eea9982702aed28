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
import numpy.typing as npt

from vle_bench.data_prep.found_pictures import FoundPictures, Names
from vle_bench.data_prep.web_keys import Keys, LookUp, sorted_keys, url_key
from vle_bench.errors import machine_errors

_NAMED_BY_KEY = re.compile(
    r"(?P<key>[0-9a-f]{16})\.(?:jpe?g|png|webp|(?P<foreign>gif|bmp|tiff?))", re.IGNORECASE
)

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
    names = Names()
    where = found.keep(folder, is_tar=False, names=names)
    by_key = _ByKey(look_up, names)
    there = sorted_keys(map(by_key.seen, _files_below(folder)))
    for place, number in by_key.pictures(foreign=False):
        found.put(place, where, number)
    for place, name in _by_path(urls, there):
        if not found.has(place):
            found.put(place, where, names.add(name))
    for place, number in by_key.pictures(foreign=True):
        found.put(place, where, number)


class _ByKey:
    """The names that are keys of addresses, one of each address.

    Of several the first in the order of the alphabet counts, in whatever order the disk gives
    them; one that is of no format for shards counts where there is no other.
    """

    def __init__(self, look_up: LookUp, names: Names) -> None:
        self._look_up = look_up
        self._names = names
        # Twice the number of a name, one more for a foreign format; -1 for none.
        self._numbers: npt.NDArray[np.int64] = np.full(len(look_up.keys), -1, dtype=np.int64)

    def seen(self, name: str) -> str:
        """Takes a name, and gives it back."""
        match = _NAMED_BY_KEY.fullmatch(name)
        if match is not None and (place := self._look_up.place(int(match["key"], 16))) >= 0:
            foreign = match["foreign"] is not None
            before = int(self._numbers[place])
            if before < 0 or (foreign, name) < (before & 1, self._names[before >> 1]):
                self._numbers[place] = 2 * self._names.add(name) + foreign
        return name

    def pictures(self, *, foreign: bool) -> Iterator[tuple[int, int]]:
        """Place and number of each name of one sort."""
        chosen = (self._numbers >= 0) & (self._numbers & 1 == foreign)
        for place in np.flatnonzero(chosen).astype(np.int32).data:
            yield place, int(self._numbers[place]) >> 1


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
                if not entry.is_dir():
                    yield name
                elif not entry.is_symlink():
                    waiting.append(f"{name}/")
