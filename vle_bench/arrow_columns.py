"""Arrow columns from Python values, without pandas.

`pa.array` and `to_numpy` ask pandas about everything, and so import it wherever it
is installed: 45 MB and half a second for nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence, Sized
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

_Sized = TypeVar("_Sized", bound=Sized)


def fixed(values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
    """A column of numbers whose type is just that of the array.

    >>> import pyarrow as pa
    >>> fixed(np.array([1, 2], dtype=np.int64), pa.int64()).to_pylist()
    [1, 2]
    """
    import pyarrow as pa

    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None, buffer])


def floats(values: Sequence[float]) -> pa.Array:
    """A column of 64-bit floats. Packed in one go: NumPy would ask every one for its type.

    >>> floats([0.5, 2.0]).to_pylist()
    [0.5, 2.0]
    """
    import pyarrow as pa

    packed = struct.pack(f"{len(values)}d", *values)
    return pa.Array.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(packed)])


def int64s(column: pa.Array) -> npt.NDArray[np.int64]:
    """The numbers of a column of 64-bit integers without nulls, not copied.

    >>> import pyarrow as pa
    >>> int64s(fixed(np.array([1, 2, 3]), pa.int64()).slice(1)).tolist()
    [2, 3]
    """
    values = np.frombuffer(column.buffers()[1], dtype=np.int64)
    return values[column.offset : column.offset + len(column)]


def texts(values: Sequence[str]) -> pa.Array:
    """A column of texts.

    >>> texts(["a", "\u4e00", ""]).to_pylist()
    ['a', '\u4e00', '']
    """
    import pyarrow as pa

    joined = "".join(values)
    data = joined.encode("utf-8")
    bytes_of = len if len(data) == len(joined) else _bytes_of
    ends = _ends(values, bytes_of)
    return pa.Array.from_buffers(pa.string(), len(values), [None, ends, pa.py_buffer(data)])


def text_lists(values: Sequence[Sequence[str]], kind: pa.DataType) -> pa.Array:
    """A column of lists of texts.

    >>> import pyarrow as pa
    >>> text_lists([["a", "b"], []], pa.list_(pa.string())).to_pylist()
    [['a', 'b'], []]
    """
    import pyarrow as pa

    flat = list(chain.from_iterable(values))
    ends = _ends(values, len)
    return pa.Array.from_buffers(kind, len(values), [None, ends], children=[texts(flat)])


def _bytes_of(value: str) -> int:
    return len(value.encode("utf-8"))


def _ends(values: Sequence[_Sized], length: Callable[[_Sized], int]) -> pa.Buffer:
    """Where each value ends when they stand behind each other, after a 0 for the first's begin."""
    import pyarrow as pa

    ends = np.zeros(len(values) + 1, dtype=np.int32)
    if any(values):
        lengths = np.fromiter(map(length, values), np.int32, len(values))
        np.cumsum(lengths, dtype=np.int32, out=ends[1:])
    return pa.py_buffer(ends)
