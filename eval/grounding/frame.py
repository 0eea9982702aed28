"""Which patches a row of scores is about: geometry, size of the input, size of a patch.

576 scores may be 24 x 24 patches of 384/16 or of 336/14, of the whole picture
squeezed to a square or of the square cut out of its middle. The numbers do not
say it, so whoever scores must; a wrong guess moves every box.
"""

from __future__ import annotations

from typing import NamedTuple

from vle_bench.errors import UsageProblem
from vle_bench.eval.requests import GroundingRequest
from vle_bench.patches.grid import PatchGrid
from vle_bench.patches.view import View, center_crop, stretch

_MOST_PATCHES = 1 << 16


class Frame(NamedTuple):
    """How pictures become patches."""

    geometry: str
    image_size: int
    patch_size: int

    @property
    def grid(self) -> PatchGrid:
        """The patches of the model's input."""
        return PatchGrid.of(self.image_size, self.patch_size)

    @property
    def label(self) -> str:
        """The frame in a signature.

        >>> Frame("stretch", 384, 16).label
        'stretch-384-16'
        """
        return f"{self.geometry}-{self.image_size}-{self.patch_size}"

    def view(self, width: int, height: int) -> View:
        """What the model sees of a stored picture of that size.

        >>> Frame("center_crop", 32, 16).view(100, 50).width
        32
        """
        view = center_crop if self.geometry == "center_crop" else stretch
        return view(width, height, self.image_size)


def frame_of(request: GroundingRequest) -> Frame | None:
    """The frame that a request names; None where it names none.

    Raises:
        UsageProblem: Only a part of it is named, or no patch fits in.
    """
    named = (request.geometry, request.image_size, request.patch_size)
    if not any(named):
        return None
    if not all(named):
        raise UsageProblem(
            "--geometry, --image-size and --patch-size say together which patches are meant. "
            "Give all three."
        )
    frame = Frame(*named)
    if not 0 < frame.image_size // frame.patch_size <= frame.image_size:
        raise UsageProblem(
            f"no patch of {frame.patch_size} pixels fits into an input of {frame.image_size}."
        )
    if (frame.image_size // frame.patch_size) ** 2 > _MOST_PATCHES:
        raise UsageProblem(f"{frame.label}: more than {_MOST_PATCHES:,} patches of one picture.")
    return frame


def needed_frame(request: GroundingRequest) -> Frame:
    """The frame that scores of patches cannot do without.

    Raises:
        UsageProblem: The request names none.
    """
    frame = frame_of(request)
    if frame is None:
        raise UsageProblem(
            "scores of patches need to say which patches. Give --geometry stretch (the whole "
            "picture squeezed to a square) or center_crop (CLIP's processor), --image-size and "
            "--patch-size."
        )
    return frame
