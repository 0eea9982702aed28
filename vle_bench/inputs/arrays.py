"""NumPy arrays from users: never pickled, never larger than the file can hold."""

from __future__ import annotations

import io
import math
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.typing as npt

from vle_bench.errors import DataProblem
from vle_bench.inputs.bytes import Source

Array = npt.NDArray[Any]

# What NumPy's header parser lets through on damaged input, besides its own ValueError. It hands
# the text to Python's own parser, which answers thousands of brackets with a MemoryError.
_DAMAGE = (
    ValueError, EOFError, OSError, SyntaxError, TypeError, TokenError, MemoryError, RecursionError,
)  # fmt: skip
_LONGEST_HEADER = 1 << 17
"""More than NumPy agrees to parse."""
_WIDEST, _MOST_EXACT = 8, 1 << 53
_LAST_SIGN, _HALF_SIGNS = 0x10FFFF, (0xD800, 0xDFFF)


def read_array(source: Source, expected: str) -> Array:
    """The one array of an NPY file.

    Raises:
        DataProblem: Not NPY, cut short, or holding Python objects (which would be pickle).
    """
    if source.kind != "npy":
        raise DataProblem(f"{source.path}: a {source.kind} file, expected {expected} (NPY).")
    return load(source.data, str(source.path), expected)


def load(data: bytes | memoryview, place: str, expected: str) -> Array:
    """The array that the bytes of an NPY file hold; `DataProblem` at `place` where they do not."""
    try:
        return _view(data)
    except _DAMAGE as error:
        raise DataProblem(f"{place}: no plain array ({error}). Expected {expected}.") from error


def _view(data: bytes | memoryview) -> Array:
    """A read-only view of the file's bytes: a score matrix is not copied to be read.

    The header is held against the size of the file; one that lies about it is refused before
    anything is allocated. More bytes than it promises are no array either: one damaged letter
    makes 32-bit numbers of 64-bit ones, and half the file is left over.
    """
    stream = io.BytesIO(data[:_LONGEST_HEADER])
    version = np.lib.format.read_magic(stream)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise ValueError(f"NPY version {version[0]}.{version[1]}, 1.0 or 2.0 was expected")
    shape, column_order, dtype = read_header(stream)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, numbers or texts were expected")
    if any(side < 0 for side in shape):
        raise ValueError(f"shape {list(shape)}")
    count = math.prod(shape)
    promised, found = count * dtype.itemsize, len(data) - stream.tell()
    if promised != found:
        raise ValueError(f"the header promises {promised:,} bytes, the file has {found:,}")
    if promised == 0:
        return np.empty(shape, dtype=dtype)
    flat: Array = np.frombuffer(data, dtype=dtype, count=count, offset=stream.tell())
    if dtype.kind == "U":
        _refuse_no_text(flat)
    return flat.reshape(shape, order="F" if column_order else "C")


def rounded_by_floats(array: Array) -> bool:
    """Whether 64-bit floats do not hold every number, so that two that differ could become equal.

    >>> rounded_by_floats(np.array([2**53])), rounded_by_floats(np.array([2**53 + 1]))
    (False, True)
    """
    if array.dtype.kind == "f":
        return array.dtype.itemsize > _WIDEST
    if array.dtype.itemsize < _WIDEST or not array.size:
        return False
    return int(array.max()) > _MOST_EXACT or int(array.min()) < -_MOST_EXACT


def _refuse_no_text(flat: Array) -> None:
    """NumPy makes texts of any 32 bits; Python dies of some and cannot print others."""
    signs = flat.view(flat.dtype.byteorder.replace("|", "=") + "u4")
    if ((signs > _LAST_SIGN) | ((signs >= _HALF_SIGNS[0]) & (signs <= _HALF_SIGNS[1]))).any():
        raise ValueError("a text of it holds signs that Unicode does not have")
