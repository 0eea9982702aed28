"""What the model sees of a picture: from stored pixels to model input, exactly.

CLIP's processor resizes the shortest edge and cuts the middle out, so of a
1920x797 frame the model sees a square of 797 pixels, and patch 0 is not the top
left of the picture. A `View` keeps that as two exact straight lines, one per
axis. Steps compose and undo each other without rounding: flipping twice gives
the very view one began with.

It starts from the pixel matrix as stored, as `PIL.Image.open` gives it. A reader
that rotates by EXIF needs boxes in the rotated frame and a view of that size.
Sources: get_resize_output_image_size and center_crop of transformers'
image_transforms (4.50.3); Resize and CenterCrop of torchvision's transforms.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import lcm
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from vle_bench.boxes import Box
from vle_bench.patches.grid import Floats, Ints, PatchGrid, closed_ranges, corner_array

CropRounding = Literal["clip", "torchvision"]
"""Whose middle: CLIP's processor rounds an odd margin down, torchvision to the even half."""


class Rectangle(NamedTuple):
    """A cut in whole pixels."""

    left: int
    top: int
    width: int
    height: int


class Axis(msgspec.Struct, frozen=True):
    """One axis of a view: stored pixel x lies at `scale * x + shift` of `size` pixels."""

    source: int
    size: int
    scale: Fraction = Fraction(1)
    shift: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if self.source < 1 or self.size < 1:
            raise ValueError(f"an axis of {self.source} pixels cannot become {self.size}")

    def resized(self, size: int) -> Axis:
        """The same content on `size` pixels."""
        factor = Fraction(size, self.size)
        return Axis(self.source, size, self.scale * factor, self.shift * factor)

    def cropped(self, start: int, size: int) -> Axis:
        """`size` pixels from `start` on; beyond the content, padding."""
        return Axis(self.source, size, self.scale, self.shift - start)

    def mirrored(self) -> Axis:
        """Read from the other end."""
        return Axis(self.source, self.size, -self.scale, self.size - self.shift)

    def forward(self, places: Floats) -> Floats:
        """Stored pixels to model input pixels, any shape.

        The one common denominator comes last, so that whole numbers stay exact on the way.
        """
        scale, shift, denominator = self._whole_numbers()
        return (places * scale + shift) / denominator

    def backward(self, places: Floats) -> Floats:
        """Model input pixels to stored pixels, any shape."""
        scale, shift, denominator = self._whole_numbers()
        return (places * denominator - shift) / scale

    def _whole_numbers(self) -> tuple[int, int, int]:
        denominator = lcm(self.scale.denominator, self.shift.denominator)
        return int(self.scale * denominator), int(self.shift * denominator), denominator


class View(msgspec.Struct, frozen=True):
    """A frame of model input pixels over a stored picture; every step gives a new view."""

    x: Axis
    y: Axis

    @classmethod
    def whole(cls, width: int, height: int) -> View:
        """The stored picture itself.

        >>> View.whole(4, 2).cropped(Rectangle(1, 0, 2, 2)).resized(8, 8).boxes([Box(1, 1, 2, 2)])
        array([[0., 4., 4., 8.]])
        """
        return cls(Axis(width, width), Axis(height, height))

    @property
    def width(self) -> int:
        """Width of the frame in model input pixels."""
        return self.x.size

    @property
    def height(self) -> int:
        """Height of the frame in model input pixels."""
        return self.y.size

    def resized(self, width: int, height: int) -> View:
        """The same content on `width` x `height` pixels."""
        return View(self.x.resized(width), self.y.resized(height))

    def cropped(self, cut: Rectangle) -> View:
        """Only `cut`, in pixels of this view; where it reaches out of the content, padding."""
        return View(self.x.cropped(cut.left, cut.width), self.y.cropped(cut.top, cut.height))

    def mirrored(self) -> View:
        """Left and right exchanged, as a horizontal flip does.

        >>> view = View.whole(10, 5)
        >>> view.mirrored().boxes([Box(1, 0, 4, 5)]).tolist(), view.mirrored().mirrored() == view
        ([[6.0, 0.0, 9.0, 5.0]], True)
        """
        return View(self.x.mirrored(), self.y)

    def boxes(self, boxes: Iterable[Box]) -> Floats:
        """Boxes in model input pixels, uncut, shape [boxes, 4]; a reversed box stays reversed.

        Raises:
            ValueError: A corner is NaN or infinite.
        """
        return self.to_input(corner_array(boxes))

    def visible(self, boxes: Iterable[Box]) -> Floats:
        """What of each box the model sees, shape [boxes, 4]; without area where it sees nothing.

        Cut at the picture's edge first (padding shows nothing), then at the frame's.

        Raises:
            ValueError: A corner is NaN or infinite.
        """
        return self.in_frame(self.to_input(self.in_picture(corner_array(boxes))))

    def in_picture(self, corners: Floats) -> Floats:
        """Rectangles of stored pixels, cut at the picture's edge, shape [rectangles, 4]."""
        return np.clip(corners, 0.0, [self.x.source, self.y.source] * 2)

    def in_frame(self, corners: Floats) -> Floats:
        """Rectangles of model input pixels, cut at the frame's edge, shape [rectangles, 4]."""
        return np.clip(corners, 0.0, [self.width, self.height] * 2)

    def to_input(self, corners: Floats) -> Floats:
        """Rectangles of stored pixels to model input pixels, uncut, shape [rectangles, 4]."""
        return _joined(self.x.forward(corners[:, 0::2]), self.y.forward(corners[:, 1::2]), self)

    def to_stored(self, corners: Floats) -> Floats:
        """Rectangles of model input pixels back to stored pixels, shape [rectangles, 4].

        >>> stretch(100, 60, 32).to_stored(PatchGrid.of(32, 8).corners())[-1].tolist()
        [75.0, 45.0, 100.0, 60.0]
        """
        return _joined(self.x.backward(corners[:, 0::2]), self.y.backward(corners[:, 1::2]), self)

    def patch_ranges(self, boxes: Iterable[Box], grid: PatchGrid) -> Ints:
        """VLE's rule in this frame: patch columns and rows of each box, shape [boxes, 4].

        Under `stretch` this is `stretch_ranges`, but for two things: a box that ends within a
        rounding error of a grid line, and a frame that is no whole number of patches, whose last
        pixels lie in no patch here (the model drops them) and in the last one there.

        Raises:
            ValueError: The grid is that of another frame, or a corner is not finite.
        """
        grid.check_frame(self.width, self.height)
        corners = self.boxes(boxes)
        return closed_ranges(
            corners, grid, patch_width=grid.patch_size, patch_height=grid.patch_size
        )

    def patch_ids(self, boxes: Iterable[Box], grid: PatchGrid) -> tuple[Ints, ...]:
        """VLE's rule in this frame: patch ids of each box; none for what is cut away.

        >>> view = center_crop(1920, 797, 224)
        >>> car = Box(1403.1, 282.2, 1542.4, 557.4)
        >>> [ids.tolist() for ids in view.patch_ids([car], PatchGrid.of(224, 16))]
        [[]]
        """
        return tuple(grid.ids(one) for one in self.patch_ranges(boxes, grid))


def stretch(width: int, height: int, image_size: int) -> View:
    """The whole picture squeezed to a square: the frame of VLE's published patch ids.

    >>> stretch(1920, 797, 384).boxes([Box(960, 0, 1920, 797)]).tolist()
    [[192.0, 0.0, 384.0, 384.0]]
    """
    return View.whole(width, height).resized(image_size, image_size)


def shortest_edge_size(width: int, height: int, shortest: int) -> tuple[int, int]:
    """Width and height after the shortest edge was resized; the other is rounded down.

    >>> shortest_edge_size(1920, 797, 576)
    (1387, 576)
    """
    short, long = sorted((width, height))
    other = int(shortest * long / short)  # in this order: it decides the rounding
    return (shortest, other) if width <= height else (other, shortest)


def center_crop(
    width: int,
    height: int,
    image_size: int,
    *,
    shortest_edge: int | None = None,
    rounding: CropRounding = "clip",
) -> View:
    """CLIP's preprocessing: resize the shortest edge, cut a square out of the middle.

    Args:
        width: Width of the stored picture.
        height: Its height.
        image_size: Side of the square, the processor's `crop_size`.
        shortest_edge: The processor's `size["shortest_edge"]` where it is another.
        rounding: `clip` as transformers' CLIPImageProcessor, `torchvision` as METER.

    Raises:
        ValueError: A size below 1 pixel.

    >>> center_crop(1920, 797, 576).boxes([Box(560.5, 0, 1359.2, 797)]).round(1).tolist()
    [[-0.1, 0.0, 576.9, 576.0]]
    """
    if min(width, height, image_size) < 1:
        raise ValueError(f"cannot cut {image_size} pixels out of {width} x {height}")
    resized = shortest_edge_size(width, height, shortest_edge or image_size)
    starts = (_middle(side, image_size, rounding) for side in resized)
    cut = Rectangle(next(starts), next(starts), image_size, image_size)
    return View.whole(width, height).resized(*resized).cropped(cut)


def random_resized_crop(width: int, height: int, cut: Rectangle, image_size: int) -> View:
    """A rectangle of the stored picture, resized to a square; whoever cropped knows which.

    Args:
        width: Width of the stored picture.
        height: Its height.
        cut: The rectangle that was drawn, in stored pixels.
        image_size: Side of the square.

    Raises:
        ValueError: The rectangle is empty or reaches out of the picture.

    >>> view = random_resized_crop(640, 480, Rectangle(100, 50, 200, 100), 224)
    >>> view.visible([Box(200, 0, 640, 100)]).tolist()
    [[112.0, 0.0, 224.0, 112.0]]
    """
    across = 0 <= cut.left < cut.left + cut.width <= width
    down = 0 <= cut.top < cut.top + cut.height <= height
    if not (across and down):
        raise ValueError(f"{cut} does not lie inside a picture of {width} x {height} pixels")
    return View.whole(width, height).cropped(cut).resized(image_size, image_size)


def _middle(side: int, crop: int, rounding: CropRounding) -> int:
    """Where the cut begins; negative where the side is shorter than the cut and is padded."""
    if rounding == "clip":
        return (side - crop) // 2
    return round((side - crop) / 2) if side >= crop else -((crop - side) // 2)


def _joined(across: Floats, down: Floats, view: View) -> Floats:
    # A mirrored axis hands out x1 before x0; which corner is the first is no matter of direction.
    if view.x.scale < 0:
        across = across[:, ::-1]
    return np.stack([across[:, 0], down[:, 0], across[:, 1], down[:, 1]], axis=1)
