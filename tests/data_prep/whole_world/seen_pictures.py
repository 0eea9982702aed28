"""A second reading of raw pictures and boxes, by Pillow and arithmetic of its own.

Nothing here is taken from the code under test: pictures are decoded, and what EXIF does to a
corner is measured on a picture of numbers that Pillow turns.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections import Counter
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps

Json = dict[str, Any]
_FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
_COLOURS = {"L": "picture in grey", "CMYK": "picture in CMYK", "P": "picture with a palette"}
_TAG = 0x0112


class Look(NamedTuple):
    """A picture as decoded, or the reason why it is none."""

    reason: str
    facts: Json
    oddities: list[str]


def look(data: bytes, name: str) -> Look:
    """What there is to say of the bytes of a picture called `name`."""
    if not data:
        return Look("picture file empty", {}, [])
    if data.lstrip().lower().startswith(b"<!doctype html"):
        return Look("picture is an HTML page", {}, [])
    try:
        picture = Image.open(io.BytesIO(data))
        picture.load()
    except Image.DecompressionBombError:
        return Look("picture of too many pixels", {}, [])
    except Image.UnidentifiedImageError:
        return Look("picture is no base64 text", {}, [])
    except OSError:
        return Look("picture cut short", {}, [])
    kind = _FORMATS[str(picture.format)]
    turn = Image.open(io.BytesIO(data)).getexif().get(_TAG, 1)
    odd = [_COLOURS[picture.mode]] if picture.mode in _COLOURS else []
    odd += ["picture that EXIF turns or mirrors"] if turn != 1 else []
    odd += ["picture named for another format"] if name.endswith(".jpg") and kind != "jpg" else []
    facts = {
        "width": picture.width,
        "height": picture.height,
        "orientation": turn,
        "sha256": hashlib.sha256(data).hexdigest(),
        "format": kind,
    }
    return Look("", facts, odd)


class Fitted(NamedTuple):
    """Boxes as they must stand in the record, those that must not, and rules applied."""

    kept: list[Json]
    lost: list[tuple[str, str]]
    rules: Counter[str]


def fitted(boxes: list[Json], seen: Json, declared: tuple[int, int] | None) -> Fitted:
    """The boxes of one picture after every rule of docs/reasons.md."""
    width, height, turn = seen["width"], seen["height"], seen["orientation"]
    as_shown = turn >= 5 and width != height and declared == (height, width)
    kept: list[Json] = []
    lost: list[tuple[str, str]] = []
    rules: Counter[str] = Counter()
    for box in boxes:
        x, y, w, h = box["xywh"]
        corners = np.array([[x, y], [x + w, y + h]], dtype=float)
        if not all(map(math.isfinite, corners.ravel())):
            lost.append((box["id"], "box not finite"))
            continue
        turned = w < 0 or h < 0
        if as_shown:
            corners = corners @ _affine(turn, width, height)[:2] + _affine(turn, width, height)[2]
        low, high = corners.min(axis=0), corners.max(axis=0)
        if np.prod(high - low) == 0:
            lost.append((box["id"], "box without area"))
            continue
        inside = np.clip([low, high], 0, (width, height))
        if np.prod(inside[1] - inside[0]) == 0:
            lost.append((box["id"], "box outside the picture"))
            continue
        rules["box turned"] += turned
        rules["box mapped back"] += as_shown
        rules["box clipped"] += bool((inside != [low, high]).any())
        x, y, w, h = map(float, (*inside[0], *(inside[1] - inside[0])))
        kept.append({**box, "xywh": [x, y, w, h]})
    return Fitted(kept, lost, rules)


@cache
def _affine(turn: int, width: int, height: int) -> np.ndarray:
    """Rows: what one step right and one step down as shown are as stored, then the corner."""
    numbers = Image.fromarray(np.arange(width * height, dtype=np.int32).reshape(height, width))
    exif = numbers.getexif()
    exif[_TAG] = turn
    stream = io.BytesIO()
    numbers.save(stream, "TIFF", exif=exif)
    shown = np.asarray(ImageOps.exif_transpose(Image.open(stream)))
    centre, right, down = (
        np.array([value % width, value // width], dtype=float) + 0.5
        for value in map(int, (shown[0, 0], shown[0, 1], shown[1, 0]))
    )
    steps = np.array([right - centre, down - centre])
    return np.vstack([steps, centre - np.array([0.5, 0.5]) @ steps])
