"""Small copies of pictures for a page, of bounded size whatever the picture is.

They are made from the pixel matrix as stored and carry no EXIF, so a browser
does not turn them and boxes drawn over them lie where they belong.
"""

from __future__ import annotations

import base64
import io
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

LONGEST_SIDE = 640
MOST_BYTES = 64 << 10
_QUALITIES = (80, 65, 50, 35, 20)


class NoThumbnail(ValueError):
    """A picture that cannot be decoded; the text says why."""


def thumbnail(data: bytes, *, longest: int = LONGEST_SIDE, most_bytes: int = MOST_BYTES) -> bytes:
    """A JPEG of at most `longest` pixels a side and `most_bytes` bytes, in RGB.

    Args:
        data: The original bytes of the picture.
        longest: Pixels of the longer side; smaller pictures keep their size.
        most_bytes: Above it a lower quality, then fewer pixels are tried.

    Raises:
        NoThumbnail: The picture is damaged or has more pixels than a picture has.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "WEBP"]) as picture:
            if picture.width * picture.height > (Image.MAX_IMAGE_PIXELS or 0):
                raise NoThumbnail("too many pixels to be decoded")
            picture.draft("RGB", (longest, longest))
            plain = picture if picture.mode == "RGB" else _plain(picture)
            plain.thumbnail((longest, longest), Image.Resampling.BICUBIC)
            small = plain.copy()
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError) as error:
        raise NoThumbnail(str(error) or "not decodable") from error
    while True:
        for quality in _QUALITIES:
            stream = io.BytesIO()
            small.save(stream, "JPEG", quality=quality, optimize=True)
            if stream.tell() <= most_bytes:
                return stream.getvalue()
        small.thumbnail((max(small.width // 2, 1), max(small.height // 2, 1)))


def data_uri(jpeg: bytes) -> str:
    """The JPEG as an address that needs no network.

    >>> data_uri(b"abc")
    'data:image/jpeg;base64,YWJj'
    """
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"


def _plain(picture: Image.Image) -> Image.Image:
    """RGB; what is transparent is shown on white, as most viewers do."""
    from PIL import Image

    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, layer).convert("RGB")
    return picture.convert("RGB")
