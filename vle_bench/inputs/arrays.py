"""NumPy arrays from users: never pickled, never larger than the file can hold."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.typing as npt

from vle_bench.errors import DataProblem
from vle_bench.inputs.bytes import MOST_BYTES, Source

Array = npt.NDArray[Any]

# What NumPy's header parser lets through on damaged input, besides its own ValueError.
_DAMAGE = (ValueError, EOFError, OSError, SyntaxError, TypeError, TokenError)


def read_array(source: Source, expected: str) -> Array:
    """The one array of an NPY file.

    Raises:
        DataProblem: Not NPY, cut short, or holding Python objects (which would be pickle).
    """
    if source.kind != "npy":
        raise DataProblem(f"{source.path}: a {source.kind} file, expected {expected} (NPY).")
    return _load(source.data, str(source.path), expected)


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
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise DataProblem(f"{source.path}: unpacks to more than {MOST_BYTES:,} bytes.")
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                arrays[name] = _load(archive.read(member), f"{source.path}[{name}]", expected)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DataProblem(f"{source.path}: damaged NPZ ({error}). Expected {expected}.") from error
    return arrays


def _load(data: bytes, place: str, expected: str) -> Array:
    try:
        _refuse_lying_header(data)
        loaded = np.load(io.BytesIO(data), allow_pickle=False)
    except _DAMAGE as error:
        raise DataProblem(f"{place}: no plain array ({error}). Expected {expected}.") from error
    if not isinstance(loaded, np.ndarray):
        raise DataProblem(f"{place}: an archive, not one array. Expected {expected}.")
    return loaded


def _refuse_lying_header(data: bytes) -> None:
    """NumPy allocates what the header promises before it reads; a lie would take the memory."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        return  # version 3.0 only adds Unicode field names, and np.load reads it
    shape, _, dtype = read_header(stream)
    promised = math.prod(shape) * dtype.itemsize
    if promised > len(data):
        raise ValueError(f"the header promises {promised:,} bytes, the file has {len(data):,}")
