"""A picture as 32 x 32 grey values, nearly the same however it was stored, scaled or compressed.

The surprising fact: what spoils such thumbnails is not compression but shrinking
in two steps that differ between copies. A JPEG decoder's own scaling is a box
filter, so it may go down to four times the thumbnail at most; the rest is one
triangle filter, whatever the format. Figures: docs/design/011.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vle_bench.data_prep.picture import MOST_PIXELS

if TYPE_CHECKING:
    from PIL import Image

SIDE = 32
"""Pixels of a thumbnail's side; its aspect is not kept, so squeezed copies are alike too."""

_DECODED = 4 * SIDE
_FORMATS = ("JPEG", "PNG", "WEBP")
_DEEP_TO_EIGHT_BITS = 257
_WHITE = (255, 255, 255, 255)

Thumbnail = npt.NDArray[np.uint8]
"""Shape [32, 32]; from white 255 to black 0, of the pixel matrix as stored."""


class NoThumbnail(ValueError):
    """A picture that cannot be decoded; the text says why."""


def grey_thumbnail(data: bytes) -> Thumbnail:
    """The grey thumbnail of a picture, shape [32, 32].

    Grey is luma (ITU-R BT.601, what JPEG stores). What is transparent is shown on white, of an
    animation the first frame counts, and EXIF's orientation is left alone.

    Args:
        data: The bytes of a JPEG, PNG or WebP that `probe` has accepted.

    Raises:
        NoThumbnail: The picture is damaged.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:  # a second header, which `probe` skips
                raise NoThumbnail("too many pixels to be decoded")
            picture.draft("L", (_DECODED, _DECODED))
            small = _grey(picture).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
    ) as error:
        raise NoThumbnail(str(error) or "not decodable") from error
    return np.asarray(small, dtype=np.uint8)


def turned(thumbnail: Thumbnail, orientation: int) -> Thumbnail:
    """The thumbnail as a viewer shows it that follows EXIF's orientation (1 to 8).

    >>> corner = np.zeros((32, 32), np.uint8)
    >>> corner[0, 0] = 255
    >>> int(turned(corner, 6)[0, 31])  # 6: the first row is the right side
    255
    """
    if orientation in {5, 6, 7, 8}:
        thumbnail = thumbnail.T
    if orientation in {2, 3, 6, 7}:
        thumbnail = thumbnail[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        thumbnail = thumbnail[::-1]
    return thumbnail


def _grey(picture: Image.Image) -> Image.Image:
    from PIL import Image

    if picture.mode == "L" and "transparency" not in picture.info:
        return picture
    if picture.mode.startswith("I"):  # 16 bits a pixel, which Pillow would cut off at 255
        deep = np.asarray(picture).astype(np.int64) // _DEEP_TO_EIGHT_BITS
        return Image.fromarray(np.clip(deep, 0, 255).astype(np.uint8))
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, _WHITE), layer).convert("L")
    if picture.mode == "P":
        picture = picture.convert("RGB")
    return picture.convert("L")
