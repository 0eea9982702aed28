"""One file out of an official `.tar.gz`, read where that lies.

A packed tar has no table of contents and no way to its middle, so it is walked
through once, up to the file that is asked for, and nothing else of it is kept:
names are compared and never become paths.
"""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from vle_bench.errors import DataProblem, MachineProblem
from vle_bench.inputs.bytes import MOST_BYTES
from vle_bench.inputs.content import Content
from vle_bench.scratch import scratch_file, write_whole

_PIECE = 1 << 20
_ADVICE = "Fetch the official file again."


def tar_gz_content(archive: Path, name: str, *, most_bytes: int = MOST_BYTES) -> Content:
    """The content of the first plain file of that name, in whatever folder it lies.

    Raises:
        DataProblem: No whole archive, no such file in it, or larger than `most_bytes`.
        MachineProblem: The archive cannot be read, or the disk is full.
    """
    kept, digest, size = scratch_file(), hashlib.sha256(), 0
    for piece in _pieces(archive, PurePosixPath(name).name):
        size += len(piece)
        if size > most_bytes:
            raise DataProblem(
                f"{archive}: {name} in it has more than {most_bytes:,} bytes. "
                "Unpack it yourself if it really is that large."
            )
        digest.update(piece)
        write_whole(kept, piece)
    return Content(kept, f"{archive}!{name}", digest.hexdigest())


def _pieces(archive: Path, name: str) -> Iterator[bytes]:
    try:
        with archive.open("rb") as file, tarfile.open(fileobj=file, mode="r|gz") as members:
            for member in members:
                stream = members.extractfile(member) if member.isreg() else None
                if stream is None or PurePosixPath(member.name).name != name:
                    continue
                left = member.size
                while left:
                    piece = stream.read(min(left, _PIECE))
                    if not piece:
                        raise EOFError(f"{left:,} bytes of {name} are missing")
                    left -= len(piece)
                    yield piece
                return
    except (tarfile.TarError, EOFError, zlib.error, TypeError) as error:
        # TypeError is what tarfile makes of a gzip header that is cut short.
        raise DataProblem(
            f"{archive}: no whole packed tar ({error}), {name} cannot be read. {_ADVICE}"
        ) from error
    except OSError as error:
        if error.errno is None:  # gzip's own complaints, such as a wrong checksum
            raise DataProblem(f"{archive}: damaged ({error}). {_ADVICE}") from error
        raise MachineProblem(f"{archive}: {error.strerror}. Check the permissions.") from error
    raise DataProblem(f"{archive}: no file {name} in it. {_ADVICE}")
