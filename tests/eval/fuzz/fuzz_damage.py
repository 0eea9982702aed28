"""Seeded damage to files: what disks, editors, scripts and broken models do to them.

Bytes are flipped, cut, doubled and moved; tokens become others of the file or what JSON, CSV and
Python disagree about; tables and arrays are written again, sound in form and wrong inside, for
checksums catch everything else.
"""

from __future__ import annotations

import gzip
import io
import random
import re
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|[a-z_]+[0-9]*|[\[\]{},:\n]')
SIGNS = b'"[]{},:\\\n\r\t 0123456789.eE-+_#;\x00\x0b\x1c\x7f\x85\xff\xef\xbb\xbf\xc2'
STRANGE = (
    b"NaN", b"Infinity", b"-Infinity", b"nan", b"inf", b"null", b"None", b"true", b"1e400", b"-0",
    b"1.0", b"1e0", b"007", b"9007199254740993", b"123456789012345678901234567890",
    b"9" * 5000, b'""', b'" "', b'"nan"', b'"\\ud800"', b'"\\u0000"', b"[]", b"{}", b"[[]]", b"[0]",
    b"1_0", b"0x10", "\u0661".encode(), "\uff11".encode(), b"-1", b"0", b"1", b"\xef\xbb\xbf", b"",
    b'{"a": 1}', b"," , b'"\\n"', b"\xe2\x80\xa8",
)  # fmt: skip

Whole = bytes
Change = Callable[[bytearray, random.Random], None]


def damaged_text(whole: bytes, draw: random.Random) -> bytes:
    """A text file with one to three wounds, now and then packed."""
    data = bytearray(whole)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        draw.choice((*_BYTES, *_TOKENS, *_TOKENS, *_LINES))(data, draw)
    return _packed(bytes(data), draw)


def damaged_bytes(whole: bytes, draw: random.Random) -> bytes:
    """A binary file with one to three wounds, every other one in its head or its tail."""
    data = bytearray(whole)
    for _ in range(draw.choice((1, 1, 2, 3))):
        draw.choice(_BYTES)(data, draw)
    return _packed(bytes(data), draw)


def damaged_array(whole: bytes, draw: random.Random) -> bytes:
    """An NPY file whose bytes are damaged, or whose array is another one."""
    if draw.random() < 0.6:
        return damaged_bytes(whole, draw)
    return _packed(npy_bytes(_other(np.load(io.BytesIO(whole)), draw)), draw)


def damaged_archive(whole: bytes, draw: random.Random) -> bytes:
    """An NPZ file whose bytes are damaged, or whose members are, checksums right."""
    if draw.random() < 0.4:
        return damaged_bytes(whole, draw)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    names = list(members)
    name = draw.choice(names)
    rows: list[tuple[str, bytes]] = list(members.items())
    match draw.randrange(6):
        case 0:
            rows = [(one, damaged_bytes(data, draw) if one == name else data) for one, data in rows]
        case 1:
            rows.remove((name, members[name]))
        case 2:
            rows.append((name.removesuffix(".npy") if draw.random() < 0.5 else name, members[name]))
        case 3:
            other = draw.choice(names)
            rows = [(one, members[other] if one == name else data) for one, data in rows]
        case _:
            made = npy_bytes(_other(np.load(io.BytesIO(members[name])), draw))
            rows = [(one, made if one == name else data) for one, data in rows]
    stream = io.BytesIO()
    method = draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
    with zipfile.ZipFile(stream, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a name stands twice is meant
        for one, data in rows:
            archive.writestr(one, data)
    return stream.getvalue()


def damaged_parquet(whole: bytes, draw: random.Random) -> bytes:
    """A Parquet file whose bytes are damaged, or whose table is another one."""
    if draw.random() < 0.6:
        return damaged_bytes(whole, draw)
    table = pq.read_table(pa.BufferReader(whole))
    at = draw.randrange(table.num_columns)
    name, column = table.column_names[at], table.column(at)
    match draw.randrange(7):
        case 0:
            table = table.remove_column(at)
        case 1:
            other = draw.choice(table.column_names)
            table = table.append_column(other, table.column(at))
        case 2:
            table = pa.concat_tables([table, table.slice(draw.randrange(len(table)), 1)])
        case 3:
            table = table.slice(0, draw.randrange(len(table)))
        case 4:
            values = column.to_pylist()
            values[draw.randrange(len(values))] = None
            table = table.set_column(at, name, pa.array(values, column.type))
        case 5:
            values = column.to_pylist()
            values[draw.randrange(len(values))] = draw.choice(values)
            table = table.set_column(at, name, pa.array(values, column.type))
        case _:
            kind = draw.choice(
                (pa.large_string(), pa.binary(), pa.float64(), pa.int8(), pa.bool_())
            )
            try:
                table = table.set_column(at, name, column.cast(kind))
            except pa.ArrowException:
                table = table.rename_columns([*table.column_names[:-1], "other"])
    stream = io.BytesIO()
    pq.write_table(table, stream, row_group_size=draw.choice((1, 2, 1000)))
    return _packed(stream.getvalue(), draw)


def npy_bytes(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def npz_bytes(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def parquet_bytes(rows: list[dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


def _other(array: np.ndarray, draw: random.Random) -> np.ndarray:
    """Another array of the same kind of content: types, shapes, orders, values."""
    if array.dtype.kind == "U":
        array = array.copy()
        match draw.randrange(4):
            case 0:
                array[draw.randrange(len(array))] = draw.choice(["", "x", *array.tolist()])
            case 1:
                array.view(np.uint32)[draw.randrange(len(array))] = draw.choice(
                    (0, 0xD800, 0x110000, 0x7FFFFFFF)
                )
            case 2:
                return array.astype(draw.choice(("S8", object, ">U9")))
            case _:
                return array[draw.randrange(2) :]
        return array
    match draw.randrange(8):
        case 0:
            return array.astype(
                draw.choice(("<f2", ">f4", "<f4", "<f8", ">f8", "<i8", "<c16", "?"))
            )
        case 1:
            return np.asfortranarray(array)
        case 2:
            return np.ascontiguousarray(array.T)
        case 3:
            return array[draw.randrange(2) :]
        case 4:
            return array.astype(object)
        case 5:
            big = (array.astype(np.float64) * 1e18).astype(draw.choice(("<i8", "<u8")))
            return big | 1
        case 6:
            return np.round(array, 1)
        case _:
            changed = np.array(array, dtype=np.float64)
            flat = changed.reshape(-1)
            flat[draw.randrange(flat.size)] = draw.choice(
                (np.nan, np.inf, -np.inf, 1e300, -0.0, 1e-320, float(flat[0]))
            )
            return changed


def _packed(data: bytes, draw: random.Random) -> bytes:
    chance = draw.random()
    if chance > 0.08:
        return data
    packed = gzip.compress(data, mtime=0) if chance > 0.04 else pa.compress(
        data, codec="zstd", asbytes=True
    )  # fmt: skip
    if chance < 0.01 and len(packed) > 1:
        return packed[: draw.randrange(1, len(packed))]
    return packed


def _place(data: bytearray, draw: random.Random) -> int:
    """A place, every third one in the first or last 128 bytes, where headers are."""
    size = max(len(data), 1)
    match draw.randrange(6):
        case 0:
            return draw.randrange(min(size, 128))
        case 1:
            return size - 1 - draw.randrange(min(size, 128))
        case _:
            return draw.randrange(size)


def _slice(data: bytearray, draw: random.Random) -> slice:
    start = _place(data, draw)
    return slice(start, start + draw.choice((1, 1, 2, 4, 8, 30, 100)))


def _flip(data: bytearray, draw: random.Random) -> None:
    if data:
        data[_place(data, draw)] ^= 1 << draw.randrange(8)


def _set(data: bytearray, draw: random.Random) -> None:
    if data:
        data[_place(data, draw)] = (
            draw.choice(SIGNS) if draw.random() < 0.6 else draw.randrange(256)
        )


def _insert(data: bytearray, draw: random.Random) -> None:
    at = _place(data, draw)
    data[at:at] = bytes([draw.choice(SIGNS)])


def _delete(data: bytearray, draw: random.Random) -> None:
    del data[_slice(data, draw)]


def _double(data: bytearray, draw: random.Random) -> None:
    part = _slice(data, draw)
    data[part.start : part.start] = data[part]


def _move(data: bytearray, draw: random.Random) -> None:
    part = _slice(data, draw)
    moved = data[part]
    del data[part]
    at = _place(data, draw)
    data[at:at] = moved


def _truncate(data: bytearray, draw: random.Random) -> None:
    del data[_place(data, draw) :]


def _append(data: bytearray, draw: random.Random) -> None:
    data += draw.choice((b"\n", b" ", b"\x00" * 8, b"]", b"{}\n", b"\n\n", bytes(data[:40])))


def _token(data: bytearray, draw: random.Random) -> None:
    """A token becomes another of the file, or something strange."""
    found = list(TOKENS.finditer(data))
    if found:
        one = draw.choice(found)
        new = draw.choice(found)[0] if draw.random() < 0.5 else draw.choice(STRANGE)
        data[one.start() : one.end()] = bytes(new)


def _tokens_swapped(data: bytearray, draw: random.Random) -> None:
    found = list(TOKENS.finditer(data))
    if len(found) > 1:
        first, second = sorted(draw.sample(found, 2), key=lambda one: one.start())
        left, right = bytes(first[0]), bytes(second[0])
        data[second.start() : second.end()] = left
        data[first.start() : first.end()] = right


def _digit(data: bytearray, draw: random.Random) -> None:
    digits = [at for at, sign in enumerate(data) if 48 <= sign <= 57]
    if digits:
        data[draw.choice(digits)] = draw.choice(b"0123456789")


def _lines(data: bytearray, draw: random.Random, change: Callable[[list[bytes]], None]) -> None:
    lines = bytes(data).splitlines(keepends=True)
    if lines:
        change(lines)
    data[:] = b"".join(lines)


def _line_gone(data: bytearray, draw: random.Random) -> None:
    _lines(data, draw, lambda lines: lines.pop(draw.randrange(len(lines))) and None)


def _line_twice(data: bytearray, draw: random.Random) -> None:
    _lines(data, draw, lambda lines: lines.append(draw.choice(lines)))


def _lines_swapped(data: bytearray, draw: random.Random) -> None:
    def swap(lines: list[bytes]) -> None:
        first, second = (draw.randrange(len(lines)) for _ in range(2))
        lines[first], lines[second] = lines[second], lines[first]

    _lines(data, draw, swap)


def _line_ends(data: bytearray, draw: random.Random) -> None:
    data[:] = bytes(data).replace(b"\n", draw.choice((b"\r\n", b"\r", b"\n\n", b"\x0b", b" ")))


_BYTES: tuple[Change, ...] = (_flip, _set, _insert, _delete, _double, _move, _truncate, _append)
_TOKENS: tuple[Change, ...] = (_token, _token, _tokens_swapped, _digit)
_LINES: tuple[Change, ...] = (_line_gone, _line_twice, _lines_swapped, _line_ends)
