"""Where the catalogue's text files come from: the installed package, or a user's folder.

The folder `manifests/` is installed as `vle_bench.manifests`. Where that is no
folder but a part of a zip, `importlib.resources` reaches it, which takes as long
to import as ten manifests to read. Messages call the files by the name they have
in the repository.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from vle_bench.errors import DataProblem, machine_errors, needs_file

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

PACKAGE = "vle_bench.manifests"
LARGEST_TEXT = 16 << 20
"""Bytes; a hand-written manifest is a thousand times smaller."""


class CatalogFile(msgspec.Struct, frozen=True):
    """One text file and the name that messages give it."""

    place: str
    handle: Traversable

    @property
    def stem(self) -> str:
        """The file's name without its ending."""
        return _stem(self.handle)

    def read_text(self) -> str:
        """The whole file as text, line ends as they stand in it.

        Raises:
            DataProblem: the file is larger than 16 MiB or is not UTF-8.
        """
        with machine_errors(self.place), self.handle.open("rb") as stream:
            data = stream.read(LARGEST_TEXT + 1)
        if len(data) > LARGEST_TEXT:
            raise DataProblem(f"{self.place}: larger than {LARGEST_TEXT} bytes; not a manifest.")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise DataProblem(
                f"{self.place}:{line}: byte {error.start} is no UTF-8. Save the file as UTF-8."
            ) from error


def user_file(path: Path) -> CatalogFile:
    """A file of the user's; `DataProblem` where it is not there."""
    return CatalogFile(str(path), needs_file(path, "a manifest"))


def packaged_file(folder: str, name: str) -> CatalogFile:
    """`manifests/<folder>/<name>` as installed; where missing, a `DataProblem` names the others."""
    handle = _shelf().joinpath(folder, name)
    if not handle.is_file():
        suffix = "." + name.rpartition(".")[2]
        known = ", ".join(file.stem for file in packaged_files(folder, suffix)) or "none"
        raise DataProblem(f"manifests/{folder}/{name}: no such file. There are: {known}.")
    return CatalogFile(f"manifests/{folder}/{name}", handle)


def packaged_files(folder: str, suffix: str) -> tuple[CatalogFile, ...]:
    """The files of `manifests/<folder>` that end in `suffix`, sorted by name."""
    shelf = _shelf().joinpath(folder)
    found = (entry for entry in shelf.iterdir() if entry.name.endswith(suffix))
    return tuple(
        CatalogFile(f"manifests/{folder}/{entry.name}", entry) for entry in sorted(found, key=_stem)
    )


def user_files(folder: Path, suffix: str) -> tuple[CatalogFile, ...]:
    """The files of a user's folder that end in `suffix`, sorted by name; none is a problem."""
    if not folder.is_dir():
        raise DataProblem(f"{folder}: a folder of manifests expected, found none. Check the path.")
    with machine_errors(folder):
        found = [entry for entry in folder.iterdir() if entry.name.endswith(suffix)]
    if not found:
        raise DataProblem(f"{folder}: holds no file that ends in {suffix}. Check the path.")
    return tuple(CatalogFile(str(entry), entry) for entry in sorted(found, key=_stem))


def _shelf() -> Traversable:
    place = Path(import_module(PACKAGE).__path__[0])
    if place.is_dir():
        return place
    from importlib.resources import files

    return files(PACKAGE)


def _stem(entry: Traversable) -> str:
    """Sorts `a.toml` before `a-b.toml`, which whole names would not."""
    return entry.name.rpartition(".")[0]
