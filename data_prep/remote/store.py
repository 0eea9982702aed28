"""A remote folder as this package needs it: whole objects, their sizes and stamps, clear words.

Everything goes through fsspec (https://filesystem-spec.readthedocs.io), so any
store it knows will do; what each does to appear whole is in `upload`. What
stores raise is of a dozen unrelated classes; here they become our problems.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from vle_bench.atomic import replacing
from vle_bench.canonical import sha256_file
from vle_bench.data_prep.remote.upload import etag_of, kinds_of, publish
from vle_bench.errors import DataProblem, MachineProblem, UsageProblem

_PIECE = 8 << 20

_FOREIGN = (
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("aiohttp", "ClientError"),
    ("gcsfs.retry", "HttpError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("azure.core.exceptions", "AzureError"),
)
"""Base classes of what the libraries behind fsspec raise that is no OSError."""


class Stored(NamedTuple):
    """An object: its size, and what changes whenever its bytes do ("" where a store has none)."""

    bytes: int
    stamp: str


class Store:
    """What lies below one URL; names are relative to it, with slashes.

    Args:
        url: The URL, in normal form.

    Raises:
        UsageProblem: No library for such URLs is installed.
        MachineProblem: The store cannot be used.
    """

    def __init__(self, url: str) -> None:
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise UsageProblem(_install(url)) from error
        self.url = url
        try:
            with self._told(""):
                # A listing that is remembered is a listing of before.
                self._fs, self._root = url_to_fs(url, use_listings_cache=False)
        except ImportError as error:
            raise UsageProblem(_install(url)) from error
        except ValueError as error:
            raise UsageProblem(f"{url}: {error}.") from error
        self._root = self._root.rstrip("/")

    @property
    def alone(self) -> bool:
        """Whether only this very process sees the store."""
        return "memory" in kinds_of(self._fs)

    def stat(self, name: str) -> Stored | None:
        """Size and stamp of an object, or None where there is none."""
        with self._told(name):
            try:
                info = self._fs.info(self._path(name))
            except FileNotFoundError:
                return None
        return _stored(info) if info["type"] == "file" else None

    def find(self, folder: str) -> dict[str, Stored]:
        """Every object below a folder by name, sorted."""
        with self._told(folder):
            try:
                found = self._fs.find(self._path(folder), detail=True)
            except FileNotFoundError:
                return {}
        names = {self._name(path): _stored(info) for path, info in found.items()}
        return dict(sorted(names.items()))

    def names(self, folder: str) -> set[str]:
        """Names of the objects in a folder, without those of folders in it."""
        with self._told(folder):
            try:
                rows = self._fs.ls(self._path(folder), detail=True)
            except FileNotFoundError:
                return set()
        return {PurePosixPath(row["name"]).name for row in rows if row["type"] == "file"}

    def read(self, name: str) -> bytes | None:
        """All bytes of a small object, or None where there is none."""
        with self._told(name):
            try:
                data: bytes = self._fs.cat_file(self._path(name))
            except FileNotFoundError:
                return None
        return data

    def write(self, name: str, data: bytes) -> None:
        """Puts a small object, whole."""
        with self._told(name):
            self._fs.pipe_file(self._path(name), data)

    def upload(self, name: str, source: Path, sha256: str = "") -> Stored:
        """Puts a file under a name by one completed upload, and proves that it arrived.

        Args:
            name: Where.
            source: The file.
            sha256: Its digest, where it is known already.

        Raises:
            MachineProblem: The store refuses, or holds other bytes afterwards; those are removed.
        """
        path = self._path(name)
        with self._told(name):
            expected = publish(self._fs, path, source)
        stored = self.stat(name)
        if stored is not None and stored.bytes == source.stat().st_size:
            if expected and stored.stamp == expected:
                return stored
            if self.sha256(name) == (sha256 or sha256_file(source)):
                return stored
        self.remove(name)
        raise MachineProblem(
            f"{self.url}/{name}: the store does not hold the bytes that were sent; they were "
            "removed. Run the same command again."
        )

    def same(self, name: str, stored: Stored, source: Path) -> bool:
        """Whether an object holds the bytes of a file, read only where its stamp cannot tell."""
        if stored.bytes != source.stat().st_size:
            return False
        if stored.stamp == etag_of(source):
            return True
        return self.sha256(name) == sha256_file(source)

    def download(self, name: str, target: Path) -> str:
        """Writes an object to a file, whole or not at all; returns the sha256."""
        digest = hashlib.sha256()
        with replacing(target) as stream:
            for piece in self._pieces(name):
                stream.write(piece)
                digest.update(piece)
        return digest.hexdigest()

    def sha256(self, name: str) -> str:
        """The sha256 of an object's bytes, all of them read."""
        digest = hashlib.sha256()
        for piece in self._pieces(name):
            digest.update(piece)
        return digest.hexdigest()

    def remove(self, name: str) -> bool:
        """Removes an object; says whether it was there."""
        with self._told(name):
            try:
                there: bool = self._fs.isfile(self._path(name))
                if there:
                    self._fs.rm_file(self._path(name))
            except FileNotFoundError:
                return False
        return there

    def modified(self, name: str) -> datetime | None:
        """When an object was last written, by the store's own clock; None where there is none."""
        with self._told(name):
            try:
                when: datetime = self._fs.modified(self._path(name))
            except FileNotFoundError:
                return None
        return when

    def unfinished(self, folder: str) -> list[tuple[str, str]]:
        """Uploads below a folder that were begun and not completed: name and token of each.

        Only S3 can be asked; other stores forget them by themselves.
        """
        if "s3" not in kinds_of(self._fs):
            return []
        bucket, _, prefix = self._path(folder).partition("/")
        with self._told(folder):
            found = self._fs.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=f"{prefix}/")
        return [
            (self._name(f"{bucket}/{one['Key']}"), one["UploadId"])
            for one in found.get("Uploads", [])
        ]

    def give_up(self, name: str, token: str) -> None:
        """Ends an upload that nobody will complete."""
        bucket, _, key = self._path(name).partition("/")
        with self._told(name):
            try:
                self._fs.call_s3("abort_multipart_upload", Bucket=bucket, Key=key, UploadId=token)
            except FileNotFoundError:
                return

    def _pieces(self, name: str) -> Iterator[bytes]:
        with self._told(name), self._fs.open(self._path(name), "rb", block_size=_PIECE) as stream:
            while piece := stream.read(_PIECE):
                yield piece

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    def _name(self, path: str) -> str:
        name = path.removeprefix(f"{self._root}/")
        if ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
            raise DataProblem(f"{self.url}: holds {path}, which leads out of it. Remove it.")
        return name

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """What stores raise, in our words."""
        place = f"{self.url}/{name}" if name else self.url
        try:
            yield
        except FileNotFoundError as error:
            raise DataProblem(
                f"{place}: {_reason(error)}. Check the URL; a bucket must be there."
            ) from error
        except PermissionError as error:
            raise MachineProblem(
                f"{place}: the store refuses: {_reason(error)}. Check the credentials and their "
                "rights (list, get, put, delete, abort uploads)."
            ) from error
        except _refusals() as error:
            raise MachineProblem(f"{place}: {_reason(error)}. {_advice(error)}") from error


@lru_cache(maxsize=8)
def store_of(url: str) -> Store:
    """The store of a URL, one in a process."""
    return Store(url)


def _stored(info: dict[str, Any]) -> Stored:
    return Stored(int(info["size"]), str(info.get("ETag") or info.get("etag") or "").strip('"'))


def _refusals() -> tuple[type[Exception], ...]:
    """What a store may raise: OSError, and the foreign classes whose library is loaded."""
    loaded = ((sys.modules.get(module), name) for module, name in _FOREIGN)
    return (OSError, *(getattr(module, name) for module, name in loaded if hasattr(module, name)))


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text.rstrip(".")


def _advice(error: Exception) -> str:
    if "redential" in type(error).__name__ or "redential" in str(error):
        return (
            "Give credentials in the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            "AWS_PROFILE; GOOGLE_APPLICATION_CREDENTIALS for gs://)."
        )
    return "Run the same command again: what is finished is kept."


def _install(url: str) -> str:
    scheme = url.partition("://")[0]
    return (
        f"{url}: no library for {scheme}:// is installed: pip install 'vle-bench[remote]' has "
        "fsspec and s3://; gs:// needs gcsfs, abfs:// needs adlfs beside it."
    )
