"""What a model could see of a picture: the frames that the page lays over it.

`stretch` is VLE's published rule, `center_crop` what CLIP's processor really
cuts, and `random_resized_crop` one cut as training draws them, turned by a coin.
The cut depends on the key and the seed and nothing else.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping

from vle_bench.patches.view import Rectangle, View, center_crop, random_resized_crop, stretch

STRETCH, CENTER_CROP, RANDOM_CROP = "stretch", "center_crop", "random_resized_crop"
NAMES = (STRETCH, CENTER_CROP, RANDOM_CROP)

LEAST_SHARE = 0.35
"""Of the picture's area that a random cut keeps; ours, smaller ones show little on a page."""
WIDEST = 4 / 3
"""Aspect of the widest cut, and one over it of the tallest, as torchvision has it."""

_DRAWS = 5


def views_of(
    key: str, width: int, height: int, *, image_size: int, seed: int
) -> Mapping[str, View]:
    """The frames of one picture by name.

    Args:
        key: The sample's key.
        width: Of the stored picture, at least 1.
        height: Likewise.
        image_size: Side of the model's square input.
        seed: Of the random cut.
    """
    share, aspect, across, down, coin = _draws(key, seed)
    cut = random_cut(width, height, (share, aspect, across, down))
    random = random_resized_crop(width, height, cut, image_size)
    return {
        STRETCH: stretch(width, height, image_size),
        CENTER_CROP: center_crop(width, height, image_size),
        RANDOM_CROP: random.mirrored() if coin < 0.5 else random,
    }


def random_cut(width: int, height: int, draws: tuple[float, float, float, float]) -> Rectangle:
    """A cut of the picture, of `LEAST_SHARE` of its area or more.

    Args:
        width: Of the picture.
        height: Likewise.
        draws: Numbers from 0 to 1 for the cut's area, aspect, and place across and down.

    >>> random_cut(640, 480, (0.0, 0.5, 0.0, 1.0))
    Rectangle(left=0, top=152, width=328, height=328)
    """
    share, aspect, across, down = draws
    area = width * height * (LEAST_SHARE + (1 - LEAST_SHARE) * share)
    wide = WIDEST ** (2 * aspect - 1)
    cut_width = min(max(round(math.sqrt(area * wide)), 1), width)
    cut_height = min(max(round(math.sqrt(area / wide)), 1), height)
    left, top = round((width - cut_width) * across), round((height - cut_height) * down)
    return Rectangle(left, top, cut_width, cut_height)


def _draws(key: str, seed: int) -> list[float]:
    """Numbers from 0 to below 1, four bytes each."""
    digest = hashlib.sha256(f"browse/cut/{seed}/{key}".encode()).digest()
    return [int.from_bytes(digest[4 * at : 4 * at + 4], "big") / (1 << 32) for at in range(_DRAWS)]
