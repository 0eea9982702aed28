"""How a file appears in a store: by one completed upload, never by what an exception leaves.

Leaving `with fs.open(..., "wb")` by an exception closes the file, and closing
publishes what was written so far: a torn object under its final name. So
objects are put in one request, or in parts that an explicit commit joins and an
explicit discard forgets; where a store is a file system, they are written aside
and renamed.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

PIECE = 16 << 20
"""Bytes of a part; S3 takes 10,000 parts of at least 5 MiB."""

_COMMITTING = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"})
"""Object stores whose files fsspec can commit and discard."""


def kinds_of(fs: Any) -> frozenset[str]:
    """The protocols that a file system of fsspec answers to."""
    return frozenset({fs.protocol} if isinstance(fs.protocol, str) else fs.protocol)


def publish(fs: Any, path: str, source: Path) -> str:
    """Puts the bytes of `source` under `path`, all of them at one moment.

    Returns:
        The ETag that S3 gives to these bytes put in this way (unless it encrypts them by KMS);
        other stores have their own.
    """
    kinds = kinds_of(fs)
    if not kinds & _COMMITTING and "memory" not in kinds:
        _aside(fs, path, source)
        return ""
    if source.stat().st_size <= PIECE or "memory" in kinds:
        fs.pipe_file(path, source.read_bytes())
    else:
        _in_parts(fs, path, source)
    return etag_of(source)


def etag_of(source: Path) -> str:
    """The ETag of S3 for a file that `publish` put there: of one request, or of its parts.

    What AWS says of it: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    digests: list[bytes] = []
    with source.open("rb") as stream:
        while piece := stream.read(PIECE):
            digests.append(_md5(piece).digest())
    if source.stat().st_size <= PIECE:
        return (digests[0] if digests else _md5(b"").digest()).hex()
    return f"{_md5(b''.join(digests)).hexdigest()}-{len(digests)}"


def _in_parts(fs: Any, path: str, source: Path) -> None:
    whole = False
    target = fs.open(path, "wb", block_size=PIECE, autocommit=False)
    try:
        with source.open("rb") as stream:
            while piece := stream.read(PIECE):
                target.write(piece)  # as long as a block, so it is a part of its own
        target.close()
        target.commit()
        whole = True
    finally:
        if not whole:
            _forget(target)


def _forget(target: Any) -> None:
    """Ends an upload that failed; what cannot be told to the store now, the next run tells it."""
    target.closed = True  # or its finalizer would go on uploading
    with suppress(OSError):
        target.discard()


def _aside(fs: Any, path: str, source: Path) -> None:
    place = PurePosixPath(path)
    aside = str(place.with_name(f".{place.name}.tmp"))
    fs.makedirs(str(place.parent), exist_ok=True)
    whole = False
    try:
        fs.put_file(str(source), aside)
        fs.mv(aside, path)
        whole = True
    finally:
        if not whole:
            with suppress(OSError):
                fs.rm_file(aside)


def _md5(data: bytes) -> Any:
    return hashlib.md5(data, usedforsecurity=False)
