"""What becomes of boxes that do not fit their picture. One rule each, and all are counted.

| what | rule | counted as |
|---|---|---|
| a corner is NaN or infinite | left out | skipped: box not finite |
| negative width or height | the corners are put in order | adjusted: box turned |
| no width or no height | left out | skipped: box without area |
| wholly outside the picture | left out | skipped: box outside the picture |
| partly outside | cut at the picture's edge | adjusted: box clipped |
| drawn on the picture as shown | mapped to the matrix as stored | adjusted: box mapped back |
| drawn for a picture of another size | the rules above, no scaling | adjusted: picture of another |
| | | size than its annotations say |

The last needs care: EXIF may turn a picture by a quarter, and an annotator who
saw it turned drew boxes in swapped axes. That is concluded from sizes only: the
annotations declare the swapped size, or, where they declare none, some box fits
the swapped size only. Half turns and mirrors cannot be told from outside.
Pictures that somebody resized keep the boxes of the originals; how they were
resized, cut or turned is not known here, so that is told and not guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from vle_bench.boxes import SIDEWAYS, Box, from_shown, from_xywh, shown_size, to_xywh
from vle_bench.data_prep.picture import Probe
from vle_bench.records import BoxAnnotation

NOT_FINITE = "box not finite"
NO_AREA = "box without area"
OUTSIDE = "box outside the picture"
TURNED = "box turned"
CLIPPED = "box clipped"
MAPPED_BACK = "box mapped back"
OTHER_SIZE = "picture of another size than its annotations say"

_DIGITS = 6
"""Decimals kept where a rule computes a corner anew: far below a pixel, above float noise."""


class FittedBoxes(NamedTuple):
    """Boxes that lie inside the stored picture, those left out with reasons, rules applied."""

    boxes: tuple[BoxAnnotation, ...]
    skipped: tuple[tuple[BoxAnnotation, str], ...]
    adjusted: Counter[str]


def fit(
    boxes: Sequence[BoxAnnotation], picture: Probe, declared: tuple[int, int] | None
) -> FittedBoxes:
    """Applies the rules to the boxes of one picture.

    Args:
        boxes: As the source has them.
        picture: Size of the stored matrix and EXIF orientation.
        declared: Width and height that the annotations were made for, None where not said.
    """
    turned_picture = drawn_as_shown((box.xywh for box in boxes), picture, declared)
    if not turned_picture and _are_sound(boxes, picture):
        return FittedBoxes(tuple(boxes), (), Counter())
    kept: list[BoxAnnotation] = []
    skipped: list[tuple[BoxAnnotation, str]] = []
    adjusted: Counter[str] = Counter()
    for annotation in boxes:
        box = from_xywh(*annotation.xywh)
        if not box.is_finite():
            skipped.append((annotation, NOT_FINITE))
            continue
        rules: list[str] = []
        if box.width < 0 or box.height < 0:
            box = Box(min(box.x0, box.x1), min(box.y0, box.y1), max(box.x0, box.x1),
                      max(box.y0, box.y1))  # fmt: skip
            rules.append(TURNED)
        if turned_picture:
            box = from_shown(box, picture.width, picture.height, picture.orientation)
            rules.append(MAPPED_BACK)
        if box.area == 0:
            skipped.append((annotation, NO_AREA))
            continue
        if not box.is_within(picture.width, picture.height):
            box = box.clipped(picture.width, picture.height)
            rules.append(CLIPPED)
        if box.area == 0:
            skipped.append((annotation, OUTSIDE))
            continue
        moved = _moved(annotation, box) if rules else annotation
        if 0 in moved.xywh[2:]:  # a sliver, which the rounding takes away
            skipped.append((annotation, OUTSIDE if CLIPPED in rules else NO_AREA))
            continue
        adjusted.update(rules)
        kept.append(moved)
    return FittedBoxes(tuple(kept), tuple(skipped), adjusted)


def has_other_size(picture: Probe, declared: tuple[int, int] | None) -> bool:
    """Whether annotations were made for another picture than this, turned by EXIF or not.

    >>> turned, halved = Probe("jpg", 10, 6, 6), Probe("jpg", 5, 3, 1)
    >>> has_other_size(turned, (6, 10)), has_other_size(halved, (10, 6))
    (False, True)
    """
    stored = (picture.width, picture.height)
    shown = shown_size(*stored, picture.orientation)
    return declared is not None and declared not in (stored, shown)


def drawn_as_shown(
    boxes: Iterable[tuple[float, float, float, float]],
    picture: Probe,
    declared: tuple[int, int] | None,
) -> bool:
    """Whether annotations were drawn on the picture as a viewer turns it by EXIF.

    >>> drawn_as_shown([(0, 0, 5, 9)], Probe("jpg", 10, 6, 6), None)
    True
    >>> drawn_as_shown([(0, 0, 5, 9)], Probe("jpg", 10, 6, 1), None)
    False
    """
    if picture.orientation not in SIDEWAYS or picture.width == picture.height:
        return False
    if declared is not None and declared != (picture.width, picture.height):
        return declared == (picture.height, picture.width)
    if declared is not None:
        return False
    corners = [from_xywh(*box) for box in boxes]
    fits_stored = all(box.is_within(picture.width, picture.height) for box in corners)
    fits_shown = all(box.is_within(picture.height, picture.width) for box in corners)
    return fits_shown and not fits_stored


def _are_sound(boxes: Iterable[BoxAnnotation], picture: Probe) -> bool:
    """Whether no rule has anything to say of any box, as is so in nearly every picture."""
    width, height = picture.width, picture.height
    for box in boxes:
        x0, y0, w, h = box.xywh
        x1, y1 = x0 + w, y0 + h
        inside = 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height  # of NaN nothing is true
        if not inside or not (x1 - x0) * (y1 - y0) > 0:
            return False
    return True


def _moved(annotation: BoxAnnotation, box: Box) -> BoxAnnotation:
    x, y, w, h = (round(float(value), _DIGITS) for value in to_xywh(box))
    return msgspec.structs.replace(annotation, xywh=(x, y, w, h))
