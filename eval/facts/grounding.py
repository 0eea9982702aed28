"""What is asked of patches, boxes and pairs: in words, and as rectangles in the picture.

Their item tables hold places and ids: a patch counted row by row, a box of a
sample, a picture with a text. What those are stands in the shards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from vle_bench.boxes import Box, from_xywh
from vle_bench.eval.facts.captions import Captions, read_captions
from vle_bench.eval.facts.item import Facts, Rectangle
from vle_bench.eval.grounding.frame import Frame, needed_frame
from vle_bench.eval.grounding.queries import PatchQuery, query_name, read_queries
from vle_bench.eval.grounding.shards import read_split
from vle_bench.eval.requests import GroundingRequest, RetrievalRequest
from vle_bench.records import Sample
from vle_bench.results import ResultDocument

_DIGITS = 4
_MOST_DIGITS = 9


@dataclass(frozen=True)
class PatchFacts(Facts):
    """Texts with their boxes, and patches of a frame."""

    frame: Frame
    queries: Mapping[str, PatchQuery]
    note: str = field(default="", init=False)

    def words(self, prediction: str, group: str) -> str:
        """Row and column, from 1, of the patch that was pointed at."""
        del group
        patch = self._patch(prediction)
        if patch is None:
            return ""
        row, column = divmod(patch, self.frame.grid.columns)
        return f"patch in row {row + 1}, column {column + 1}"

    def marks(self, name: str, group: str) -> list[Rectangle]:
        """The boxes that the text is about."""
        del group
        query = self.queries.get(name)
        if query is None:
            return []
        return [_share(from_xywh(*box.xywh), query.size) for box in query.boxes]

    def spot(self, name: str, prediction: str) -> Rectangle | None:
        """The patch that was pointed at."""
        query, patch = self.queries.get(name), self._patch(prediction)
        if query is None or patch is None:
            return None
        corners = self.frame.grid.corners()[[patch]]
        return _share(Box(*self.frame.view(*query.size).to_stored(corners)[0].tolist()), query.size)

    def _patch(self, prediction: str) -> int | None:
        """The patch that a stored prediction names; None where there is none or it is no patch."""
        if not (prediction.isascii() and prediction.isdigit()):
            return None
        patch = int(prediction[:_MOST_DIGITS])
        return patch if patch < len(self.frame.grid) else None


@dataclass(frozen=True)
class BoxFacts(Facts):
    """Boxes whose class was hidden."""

    boxes: Mapping[str, Rectangle]
    note: str = field(default="", init=False)

    def question(self, name: str, group: str) -> str:
        """The box that is asked for; its id is the part behind the sample's key."""
        del group
        return f"Which class is box {name.partition(' ')[2]}?"

    def marks(self, name: str, group: str) -> list[Rectangle]:
        """The box."""
        del group
        return [self.boxes[name]] if name in self.boxes else []


@dataclass(frozen=True)
class PairFacts(Facts):
    """Texts that were shown with a picture."""

    captions: Captions
    note: str = field(default="", init=False)

    def question(self, name: str, group: str) -> str:
        """The text beside the picture, or its id where nobody knows the words."""
        del group
        text = name.partition(" ")[2]
        return f"Do they belong together? {self.captions.words.get(text) or f'Text {text}'}"

    def words(self, prediction: str, group: str) -> str:
        """The score, to as many digits as one reads."""
        del group
        try:
            return f"score {float(prediction):.4g}"
        except ValueError:
            return ""


class DetectionFacts(Facts):
    """Classes of detections: average precision is a number of a class, over all pictures."""

    def question(self, name: str, group: str) -> str:
        """The class."""
        del name
        return f"Where is every {group}?"

    def words(self, prediction: str, group: str) -> str:
        """How many were found."""
        del group
        return "1 box found" if prediction == "1" else f"{prediction} boxes found"


def read_patches(document: ResultDocument) -> tuple[Facts, str]:
    """Facts of scores of patches.

    Raises:
        DataProblem: The shards are gone or damaged.
    """
    request = msgspec.convert(document.request, GroundingRequest)
    frame = needed_frame(request)
    asked = read_queries(request, frame)
    return PatchFacts(frame, {one.name: one for one in asked.queries}), asked.facts.sha256


def read_boxes(document: ResultDocument) -> tuple[Facts, str]:
    """Facts of boxes with classes; raises as `read_patches`."""
    request = msgspec.convert(document.request, GroundingRequest)
    boxes, facts, _ = read_split(request, _rectangles)
    return BoxFacts(boxes), facts.sha256


def read_classes(document: ResultDocument) -> tuple[Facts, str]:
    """Facts of detections."""
    return DetectionFacts(), document.references.sha256


def read_pairs(document: ResultDocument) -> tuple[Facts, str]:
    """Facts of pairs: captions of the shards, where those said what belongs together.

    Raises:
        DataProblem: The shards are gone or damaged.
    """
    request = msgspec.convert(document.request, GroundingRequest)
    if not request.split:
        return PairFacts(Captions({}, {}, {})), document.references.sha256
    asked = RetrievalRequest(dataset=request.dataset, split=request.split, data=request.data)
    captions, digest = read_captions(asked)
    return PairFacts(captions), digest


def _rectangles(samples: Iterable[Sample]) -> dict[str, Rectangle]:
    return {
        query_name(sample.key, box.id): _share(
            from_xywh(*box.xywh), (sample.image.width, sample.image.height)
        )
        for sample in samples
        for box in sample.boxes
    }


def _share(box: Box, size: tuple[int, int]) -> Rectangle:
    """A box of stored pixels as shares of its picture.

    >>> _share(Box(20, 0, 40, 10), (80, 40))
    (0.25, 0.0, 0.25, 0.25)
    """
    width, height = size
    shares = (box.x0 / width, box.y0 / height, box.width / width, box.height / height)
    left, top, across, down = (round(share, _DIGITS) for share in shares)
    return left, top, across, down
