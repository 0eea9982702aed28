r"""One row of Chinese-CLIP's `pairs`: a pickled tuple, written and read without `pickle`.

Loading a pickle runs whatever it says, so a database from somewhere else must
never be loaded. Its rows need eight instructions of some seventy; here they are
written byte for byte as Python does it, and read by a machine that knows no more.
Source: https://github.com/python/cpython/blob/main/Lib/pickletools.py
"""

from __future__ import annotations

import pickletools
import struct
from typing import NamedTuple

_PROTOCOL, _FRAME, _MEMOIZE, _TUPLE3, _STOP = b"\x80\x04", b"\x95", b"\x94", b"\x87", b"."
_BYTE, _SHORT, _INT, _LONG = b"K", b"M", b"J", b"\x8a"
_SHORT_TEXT, _TEXT = b"\x8c", b"X"
_NUMBERS = frozenset({"BININT", "BININT1", "BININT2", "LONG1"})
_TEXTS = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"})
_NOTHING = frozenset({"PROTO", "FRAME", "STOP"})
_KEEPS, _FETCHES = frozenset({"BINPUT", "LONG_BINPUT"}), frozenset({"BINGET", "LONG_BINGET"})
_MOST_BYTES = 1 << 20


class PairRow(NamedTuple):
    """A text and the picture it belongs to."""

    image_id: int | str
    text_id: int | str
    text: str


class UnsafeRow(ValueError):
    """A value that is no plain tuple of two ids and a text; the text says what it holds."""


def encode_row(image_id: int, text_id: int, text: str) -> bytes:
    r"""What `pickle.dumps((image_id, text_id, text), 4)` gives for texts below 64 KiB.

    >>> encode_row(1, 300, "a")
    b'\x80\x04\x95\x0c\x00\x00\x00\x00\x00\x00\x00K\x01M,\x01\x8c\x01a\x94\x87\x94.'
    """
    data = text.encode("utf-8")
    if len(data) <= 0xFF:
        told = _SHORT_TEXT + struct.pack("<B", len(data)) + data
    else:
        told = _TEXT + struct.pack("<I", len(data)) + data
    inside = b"".join(
        (_number(image_id), _number(text_id), told, _MEMOIZE, _TUPLE3, _MEMOIZE, _STOP)
    )
    return _PROTOCOL + _FRAME + struct.pack("<Q", len(inside)) + inside


def decode_row(data: bytes) -> PairRow:
    """Reads a row; nothing in it is ever run.

    Raises:
        UnsafeRow: Damaged, or more than a tuple of (id, id, text).

    >>> decode_row(encode_row(7, 70, "a dog"))
    PairRow(image_id=7, text_id=70, text='a dog')
    """
    if len(data) > _MOST_BYTES:
        raise UnsafeRow(f"{len(data):,} bytes, a row has at most {_MOST_BYTES:,}")
    stack: list[object] = []
    memo: dict[int, object] = {}
    try:
        for operation, argument, _ in pickletools.genops(data):
            _step(operation.name, argument, stack, memo)
    except (ValueError, KeyError, IndexError, struct.error) as error:
        raise UnsafeRow(str(error) or "damaged") from error
    row = stack[-1] if len(stack) == 1 else None
    if not isinstance(row, tuple) or len(row) != len(PairRow._fields):
        raise UnsafeRow("no tuple of three values")
    image_id, text_id, text = row
    if not (isinstance(image_id, int | str) and isinstance(text_id, int | str)):
        raise UnsafeRow("ids that are neither numbers nor texts")
    if not isinstance(text, str):
        raise UnsafeRow("a third value that is no text")
    return PairRow(image_id, text_id, text)


def _step(name: str, argument: object, stack: list[object], memo: dict[int, object]) -> None:
    if name in _NUMBERS or name in _TEXTS:
        stack.append(argument)
    elif name == "MEMOIZE":
        memo[len(memo)] = stack[-1]
    elif name in _KEEPS and isinstance(argument, int):
        memo[argument] = stack[-1]
    elif name in _FETCHES and isinstance(argument, int):
        stack.append(memo[argument])
    elif name == "TUPLE3" and len(stack) >= len(PairRow._fields):
        stack[-3:] = [tuple(stack[-3:])]
    elif name not in _NOTHING:
        raise UnsafeRow(f"the instruction {name}, which no row needs")


def _number(value: int) -> bytes:
    r"""The shortest form, as Python chooses it.

    >>> _number(255), _number(256), _number(-1), _number(1 << 31)
    (b'K\xff', b'M\x00\x01', b'J\xff\xff\xff\xff', b'\x8a\x05\x00\x00\x00\x80\x00')
    """
    if 0 <= value <= 0xFF:
        return _BYTE + struct.pack("<B", value)
    if 0 <= value <= 0xFFFF:
        return _SHORT + struct.pack("<H", value)
    if -(1 << 31) <= value < 1 << 31:
        return _INT + struct.pack("<i", value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    if len(data) > 1 and value < 0 and data[-1] == 0xFF and data[-2] & 0x80:
        data = data[:-1]
    return _LONG + struct.pack("<B", len(data)) + data
