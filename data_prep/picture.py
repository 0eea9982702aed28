"""What a picture file is, by its content, without decoding it.

A hundred thousand full decodes take minutes; the header, the end-of-image mark
and a digest catch what really happens to downloads: empty files, HTML pages
named .jpg, files cut short. Nothing but the digest catches a flipped bit inside
the compressed data: every decoder we know paints it without complaint.
JPEG: ITU-T T.81 annex B; EXIF orientation: CIPA DC-008, tag 0x0112.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from vle_bench.data_prep.archives import DamagedMember, ZipMember, read_member
from vle_bench.data_prep.base64_rows import Base64Cell, decoded
from vle_bench.data_prep.parquet_cells import DamagedTable, ParquetCell, read_cell
from vle_bench.data_prep.sources import PictureFile
from vle_bench.data_prep.tar_files import TarSlice, read_slice
from vle_bench.errors import machine_errors

Colours = Literal["rgb", "grey", "cmyk", "palette"]

MOST_PICTURE_BYTES = 256 << 20
MOST_PIXELS = 89_478_485
"""Above it Pillow warns of a decompression bomb, and every loader of ours would."""

_JPEG, _PNG, _RIFF, _WEBP = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"WEBP"
_END_OF_IMAGE, _START_OF_SCAN, _APP1 = b"\xff\xd9", 0xDA, 0xE1
# C4 (Huffman tables), C8 (reserved) and CC (arithmetic conditioning) are no frames.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_ORIENTATION = 0x0112
_SHORT = 3
_BY_COMPONENTS: Mapping[int, Colours] = {1: "grey", 4: "cmyk"}
_BY_COLOUR_TYPE: Mapping[int, Colours] = {0: "grey", 3: "palette", 4: "grey"}
_FOREIGN = (
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"\0\0\0\x0cjP", "jpeg 2000"),
    (b"\xff\x0a", "jpeg xl"),
    (b"\0\0\0\x0cJXL ", "jpeg xl"),
)
_BRANDS = {b"avif": "avif", b"avis": "avif"} | dict.fromkeys(
    (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "heic"
)
"""By the brand behind `ftyp`: what telephones and content networks give out."""


ROTATED = "picture that EXIF turns or mirrors"
OTHER_NAME = "picture named for another format"
ODD_COLOURS: Mapping[Colours, str] = MappingProxyType(
    {"grey": "picture in grey", "cmyk": "picture in CMYK", "palette": "picture with a palette"}
)
"""What is written as it is, and counted, because readers must know how to take it."""

_NAMED = {"jpg": "jpg", "jpeg": "jpg", "jpe": "jpg", "png": "png", "webp": "webp"}


class Probe(NamedTuple):
    """What the header says: `jpg`, `png` or `webp`, the stored matrix, EXIF orientation 1-8."""

    format: str
    width: int
    height: int
    orientation: int
    colours: Colours = "rgb"


class BadPicture(ValueError):
    """A file that is no usable picture; the text is the reason that the books give."""


class Mark(NamedTuple):
    """How a raw picture looked from outside: size, and mtime in ns (in a zip: the CRC-32).

    In a table or tar it is the length of its text or bytes, and the mtime of the whole.
    """

    size: int
    stamp: int


def mark_of(file: PictureFile) -> Mark:
    """The outside of a raw picture, to notice later that it was replaced.

    Raises:
        DataProblem: The file is gone.
    """
    if isinstance(file.member, ZipMember):
        return Mark(file.member.size, file.member.crc)
    with machine_errors(file.path):
        info = os.stat(file.path)  # noqa: PTH116  # once a picture; a Path takes thrice as long
    size = info.st_size if file.member is None else file.member.length
    return Mark(size, info.st_mtime_ns)


def read_picture(file: PictureFile) -> bytes:
    """The bytes of a raw picture.

    Raises:
        BadPicture: Too large to be a picture, damaged inside its zip or table, or no base64 text.
        MachineProblem: The file cannot be read.
    """
    if isinstance(file.member, ZipMember):
        try:
            return read_member(file.member, most_bytes=MOST_PICTURE_BYTES)
        except DamagedMember as error:
            raise BadPicture("picture damaged in its zip") from error
    if isinstance(file.member, TarSlice):
        if file.member.length > MOST_PICTURE_BYTES:
            raise BadPicture("picture file too large")
        return read_slice(file.path, file.member)
    if isinstance(file.member, ParquetCell):
        return _from_table(file.path, file.member)
    if file.member is not None:
        return _from_text(file.path, file.member)
    return _loose(file.path)


def _loose(path: str) -> bytes:
    with machine_errors(path):
        handle = os.open(path, os.O_RDONLY)
        try:
            size = os.fstat(handle).st_size
            if size > MOST_PICTURE_BYTES:
                raise BadPicture("picture file too large")
            return os.pread(handle, size, 0)
        finally:
            os.close(handle)


def _from_text(path: str, cell: Base64Cell) -> bytes:
    if cell.length > MOST_PICTURE_BYTES * 4 // 3:
        raise BadPicture("picture file too large")
    with machine_errors(path), Path(path).open("rb", buffering=0) as stream:
        text = os.pread(stream.fileno(), cell.length, cell.offset)
    try:
        return decoded(text)
    except ValueError as error:
        raise BadPicture("picture is no base64 text") from error


def _from_table(path: str, cell: ParquetCell) -> bytes:
    try:
        data = read_cell(path, cell)
    except DamagedTable as error:
        raise BadPicture("picture damaged in its table") from error
    if len(data) > MOST_PICTURE_BYTES:
        raise BadPicture("picture file too large")
    return data


def oddities(facts: Probe, file_name: str) -> tuple[str, ...]:
    """What is worth counting of a picture that is kept as it is.

    Args:
        facts: Its header.
        file_name: What it was called; the content decides the format, not the name.

    >>> oddities(Probe("png", 9, 9, 1, "grey"), "a.JPG")
    ('picture in grey', 'picture named for another format')
    """
    _, dot, ending = file_name.rpartition(".")
    named = _NAMED.get(ending.lower(), facts.format) if dot else facts.format
    return (
        *([ROTATED] if facts.orientation != 1 else ()),
        *([ODD_COLOURS[facts.colours]] if facts.colours in ODD_COLOURS else ()),
        *([OTHER_NAME] if named != facts.format else ()),
    )


def probe(data: bytes) -> Probe:
    """Format, size and orientation of a picture.

    Raises:
        BadPicture: Empty, an HTML page, of another format, cut short, broken, without a pixel,
            or of more pixels than a picture has.
    """
    if data.startswith(_JPEG):
        found = _jpeg(data)
    elif data.startswith(_PNG):
        found = _png(data)
    elif data.startswith(_RIFF) and data[8:12] == _WEBP:
        found = _webp(data)
    else:
        raise BadPicture(_what_else(data))
    if found.width < 1 or found.height < 1:
        raise BadPicture("picture without a pixel")
    if found.width * found.height > MOST_PIXELS:
        raise BadPicture("picture of too many pixels")
    return found


def _what_else(data: bytes) -> str:
    if not data:
        return "picture file empty"
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return "picture format svg not supported"
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml")):
        return "picture is an HTML page"
    for magic, name in _FOREIGN:
        if data.startswith(magic):
            return f"picture format {name} not supported"
    if data[4:8] == b"ftyp" and data[8:12] in _BRANDS:
        return f"picture format {_BRANDS[data[8:12]]} not supported"
    if len(data) < len(_PNG) and (_JPEG + _PNG + _RIFF).find(data) >= 0:
        return "picture cut short"
    return "not a picture"


def _jpeg(data: bytes) -> Probe:
    size: tuple[int, int] | None = None
    orientation = 1
    colours: Colours = "rgb"
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise BadPicture("picture header broken")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _ALONE:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _START_OF_SCAN:
            return _finished_jpeg(data, at, size)._replace(orientation=orientation, colours=colours)
        if marker in _FRAMES and at + 10 <= len(data):
            height, width, components = struct.unpack_from(">HHB", data, at + 5)
            size = (width, height)
            colours = _BY_COMPONENTS.get(components, "rgb")
        elif marker == _APP1 and data[at + 4 : at + 10] == b"Exif\0\0":
            orientation = _orientation(data[at + 10 : at + 2 + length])
        at += 2 + max(length, 2)
    raise BadPicture("picture cut short")


def _finished_jpeg(data: bytes, scan: int, size: tuple[int, int] | None) -> Probe:
    if size is None:
        raise BadPicture("picture header broken")
    # Inside a scan FF is always followed by 00 or a restart mark, so this is the true end;
    # cameras append things behind it, hence no look at the last two bytes only.
    if data.rfind(_END_OF_IMAGE, scan) < 0:
        raise BadPicture("picture cut short")
    return Probe("jpg", *size, 1)


def _png(data: bytes) -> Probe:
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise BadPicture("picture cut short" if len(data) < 33 else "picture header broken")
    width, height = struct.unpack_from(">LL", data, 16)
    orientation, at = 1, 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if at + 12 + length > len(data):
            break
        if kind == b"IEND":
            colours = _BY_COLOUR_TYPE.get(data[25], "rgb")
            return Probe("png", width, height, orientation, colours)
        if kind == b"eXIf":
            orientation = _orientation(data[at + 8 : at + 8 + length])
        at += 12 + length
    raise BadPicture("picture cut short")


def _webp(data: bytes) -> Probe:
    if len(data) < 8 + int.from_bytes(data[4:8], "little"):
        raise BadPicture("picture cut short")
    from PIL import Image, UnidentifiedImageError

    try:
        # Three ways to code a size and a container of chunks: rare enough to leave to Pillow.
        with Image.open(io.BytesIO(data), formats=["WEBP"]) as picture:
            width, height = picture.size
            orientation = picture.getexif().get(_ORIENTATION, 1)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error) as error:
        raise BadPicture("picture header broken") from error
    except Image.DecompressionBombError as error:
        raise BadPicture("picture of too many pixels") from error
    return Probe("webp", width, height, orientation if orientation in range(1, 9) else 1)


def _orientation(tiff: bytes) -> int:
    """Tag 0x0112 of the first directory; 1 (upright) where it is absent, odd or unreadable."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(tiff[:4]))
    if order is None or len(tiff) < 8:
        return 1
    (first,) = struct.unpack_from(f"{order}L", tiff, 4)
    if first + 2 > len(tiff):
        return 1
    (count,) = struct.unpack_from(f"{order}H", tiff, first)
    entry = struct.Struct(f"{order}HHLH")
    for number in range(count):
        at = first + 2 + 12 * number
        if at + entry.size > len(tiff):
            return 1
        tag, kind, _, value = entry.unpack_from(tiff, at)
        if tag == _ORIENTATION:
            return int(value) if kind == _SHORT and value in range(1, 9) else 1
    return 1
