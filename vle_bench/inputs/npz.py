"""NumPy archives from users: as careful as with single arrays, and never unpacked without bound."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from vle_bench.errors import DataProblem
from vle_bench.inputs.arrays import Array, load
from vle_bench.inputs.bytes import Source, most_unpacked

_ARCHIVE_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error,
    EOFError, NotImplementedError, ValueError, OSError,
)  # fmt: skip
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1


def read_arrays(source: Source, expected: str) -> dict[str, Array]:
    """The named arrays of an NPZ file.

    Raises:
        DataProblem: Not NPZ, damaged, too large when unpacked, or holding Python objects.
    """
    if source.kind != "npz":
        raise DataProblem(f"{source.path}: a {source.kind} file, expected {expected} (NPZ).")
    arrays: dict[str, Array] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            most = most_unpacked(len(source.data))
            if sum(member.file_size for member in archive.infolist()) > most:
                raise DataProblem(f"{source.path}: unpacks to more than {most:,} bytes.")
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if name in arrays:
                    raise DataProblem(f"{source.path}: two arrays are called {name}. Keep one.")
                if member.compress_type not in _METHODS or member.flag_bits & _ENCRYPTED:
                    raise zipfile.BadZipFile(f"{name} is encrypted or packed as NumPy never does")
                arrays[name] = load(archive.read(member), f"{source.path}[{name}]", expected)
    except _ARCHIVE_DAMAGE as error:
        raise DataProblem(f"{source.path}: damaged NPZ ({error}). Expected {expected}.") from error
    return arrays
