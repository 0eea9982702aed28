"""Ways a picture file can be spoiled: bytes in, bytes out, None for a file that is gone.

Some of them only look wrong: CMYK, grey and PNG-named-.jpg pictures can be read
and belong into the shards with their own bytes.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

Spoil = Callable[[bytes], bytes | None]

_QUALITY = 88
_ORIENTATION_TAG = 0x0112
_BOMB_SIDE = 60_000
_PAGE = b"""<!DOCTYPE html>
<html><head><title>404 Not Found</title></head>
<body><h1>Not Found</h1><p>The picture you asked for is no longer here.</p></body></html>
"""


def truncated(data: bytes) -> bytes:
    """A download that broke off."""
    return data[: int(len(data) * 0.55)]


def empty(data: bytes) -> bytes:
    """A download that never began."""
    return data[:0]


def page(data: bytes) -> bytes:
    """What a web server sends in place of a picture it no longer has."""
    return _PAGE + data[:0]


def gone(data: bytes) -> None:
    """A file that is not there."""
    del data


def cmyk(data: bytes) -> bytes:
    """A JPEG for printers: four channels."""
    return _jpeg(_opened(data).convert("CMYK"))


def grey(data: bytes) -> bytes:
    """A JPEG of one channel."""
    return _jpeg(_opened(data).convert("L"))


def png(data: bytes) -> bytes:
    """A PNG whatever its name says."""
    out = io.BytesIO()
    _opened(data).save(out, "PNG")
    return out.getvalue()


def bomb(data: bytes) -> bytes:
    """A PNG of a hundred bytes that promises 3.6 thousand million pixels."""
    header = struct.pack(">IIBBBBB", _BOMB_SIDE, _BOMB_SIDE, 8, 2, 0, 0, 0)
    body = zlib.compress(data[:0] + b"\0" * 64)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def turned(data: bytes, orientation: int) -> bytes:
    """The same picture to a viewer that honours EXIF, stored turned or mirrored.

    Args:
        data: A JPEG without orientation.
        orientation: EXIF orientation, 2 to 8.
    """
    from PIL import Image as Images

    undo = {
        2: Images.Transpose.FLIP_LEFT_RIGHT,
        3: Images.Transpose.ROTATE_180,
        4: Images.Transpose.FLIP_TOP_BOTTOM,
        5: Images.Transpose.TRANSPOSE,
        6: Images.Transpose.ROTATE_90,
        7: Images.Transpose.TRANSVERSE,
        8: Images.Transpose.ROTATE_270,
    }[orientation]
    exif = Images.Exif()
    exif[_ORIENTATION_TAG] = orientation
    out = io.BytesIO()
    _opened(data).transpose(undo).save(out, "JPEG", quality=_QUALITY, exif=exif)
    return out.getvalue()


SPOILS: MappingProxyType[str, Spoil] = MappingProxyType(
    {
        "truncated": truncated,
        "missing": gone,
        "html": page,
        "empty": empty,
        "cmyk": cmyk,
        "grey": grey,
        "png-named-jpg": png,
        "bomb": bomb,
    }
)


def _opened(data: bytes) -> Image:
    from PIL import Image as Images

    return Images.open(io.BytesIO(data))


def _jpeg(picture: Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)
