"""Arrow columns from Python values, without pandas.

`pa.array` and `to_numpy` ask pandas about everything, and so import it wherever it
is installed: 45 MB and half a second for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa


def fixed(values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
    """A column of numbers whose type is just that of the array.

    >>> import pyarrow as pa
    >>> fixed(np.array([1, 2], dtype=np.int64), pa.int64()).to_pylist()
    [1, 2]
    """
    import pyarrow as pa

    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None, buffer])


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

    joined = "".join(values).encode("utf-8")
    lengths = list(map(len, values))
    if sum(lengths) != len(joined):
        lengths = [len(value.encode("utf-8")) for value in values]
    return pa.Array.from_buffers(
        pa.string(), len(values), [None, _ends(lengths), pa.py_buffer(joined)]
    )


def text_lists(values: Sequence[Sequence[str]], kind: pa.DataType) -> pa.Array:
    """A column of lists of texts.

    >>> import pyarrow as pa
    >>> text_lists([["a", "b"], []], pa.list_(pa.string())).to_pylist()
    [['a', 'b'], []]
    """
    import pyarrow as pa

    flat = list(chain.from_iterable(values))
    buffers = [None, _ends(list(map(len, values)))]
    return pa.Array.from_buffers(kind, len(values), buffers, children=[texts(flat)])


def _ends(lengths: list[int]) -> pa.Buffer:
    import pyarrow as pa

    ends = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=ends[1:], dtype=np.int32)
    return pa.py_buffer(ends)
