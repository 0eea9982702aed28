"""Annotations of a picture that EXIF turns: drawn on the picture as shown, or as stored.

Pictures are annotated here as they are shown. Where the annotators are to have
seen the stored matrix, their records are turned with it.
"""

from __future__ import annotations

from typing import Any

from vle_bench.boxes import Box, from_shown, from_xywh, shown_size, to_xywh

_DIGITS = 2

Json = dict[str, Any]


class Turn:
    """From the frame a viewer shows to the frame of the stored matrix.

    Args:
        size: Width and height as shown.
        orientation: EXIF orientation of the file, 2 to 8.
    """

    def __init__(self, size: tuple[int, int], orientation: int) -> None:
        self._orientation = orientation
        # Turning the shown size by the same quarter gives the stored one back.
        self.width, self.height = shown_size(*size, orientation)

    def box(self, box: Box) -> Box:
        """A box in the stored frame."""
        turned = from_shown(box, self.width, self.height, self._orientation)
        return Box(*(round(v, _DIGITS) for v in (turned.x0, turned.y0, turned.x1, turned.y1)))

    def xywh(self, values: list[float]) -> list[float]:
        """Corner and size in the stored frame."""
        return [round(v, _DIGITS) for v in to_xywh(self.box(from_xywh(*values)))]

    def polygon(self, flat: list[float]) -> list[float]:
        """A COCO polygon in the stored frame."""
        turned: list[float] = []
        for x, y in zip(flat[::2], flat[1::2], strict=True):
            point = self.box(Box(x, y, x, y))
            turned += [point.x0, point.y0]
        return turned


def turn_coco(document: Json, image_id: int, orientation: int) -> None:
    """Turns the image row and the annotations of one COCO picture, if it has polygons."""
    row = next(image for image in document["images"] if image["id"] == image_id)
    turn = Turn((row["width"], row["height"]), orientation)
    row["width"], row["height"] = turn.width, turn.height
    for annotation in document["annotations"]:
        if annotation["image_id"] == image_id and "bbox" in annotation:
            annotation["bbox"] = turn.xywh(annotation["bbox"])
            annotation["segmentation"] = [turn.polygon(p) for p in annotation["segmentation"]]


def turn_vcr(metadata: Json, orientation: int) -> None:
    """Turns the boxes and polygons of one VCR picture."""
    turn = Turn((metadata["width"], metadata["height"]), orientation)
    metadata["width"], metadata["height"] = turn.width, turn.height
    for box in metadata["boxes"]:
        moved = turn.box(Box(*box[:4]))
        box[:4] = [moved.x0, moved.y0, moved.x1, moved.y1]
    for polygons in metadata["segms"]:
        for polygon in polygons:
            polygon[:] = [_pixel(turn, point) for point in polygon]


def _pixel(turn: Turn, point: list[int]) -> list[int]:
    moved = turn.box(Box(*point, *point))
    return [round(moved.x0), round(moved.y0)]
