"""Patch-box classification: which patches a text is about.

VLE's README says that the model decides which patches are related to the
caption, and no more; how the pairs were made is unpublished. Our design: a phrase is
about its own boxes (Visual Genome's regions, Flickr30k's phrases), a caption
about the boxes whose class it names (COCO), and every other patch is not
related. A text that shows in no patch has no target: all patches negative would
teach that nothing is there. docs/design/008-patch-targets.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, get_args

import msgspec
import numpy as np

from vle_bench.boxes import from_xywh
from vle_bench.labels.mentions import MentionFinder
from vle_bench.labels.vocabulary import ClassVocabulary
from vle_bench.patches.coverage import Bools, coverage
from vle_bench.patches.grid import Ints, PatchGrid
from vle_bench.patches.labels import IGNORE
from vle_bench.patches.view import View
from vle_bench.records import BoxAnnotation, Caption

CrowdUse = Literal["ignore", "related"]


class PbcRule(msgspec.Struct, frozen=True, kw_only=True):
    """Every choice behind the targets.

    Attributes:
        minimum_coverage: Share of a patch that a box must cover (`Coverage.members`).
        crowds: What a caption that names a crowd's class says of the crowd's patches: `ignore`
            (a crowd's box holds much that is no crowd), or `related`.
    """

    minimum_coverage: float = 0.5
    crowds: CrowdUse = "ignore"

    def __post_init__(self) -> None:
        if self.crowds not in get_args(CrowdUse):
            raise ValueError(
                f"no use {self.crowds!r} of crowds, only {', '.join(get_args(CrowdUse))}"
            )


class PbcTarget(msgspec.Struct, frozen=True, eq=False):
    """One text and its patches.

    Attributes:
        text_id: Id of the caption, or of the first box of a phrase.
        text: The caption or phrase.
        boxes: Positions of the boxes it is about.
        related: 1 related, 0 not, `IGNORE` undecided, shape [patches]; somewhere 1.
    """

    text_id: str
    text: str
    boxes: tuple[int, ...]
    related: Ints


class PbcTargets(NamedTuple):
    """Targets, and the ids of texts without: no box at all, or none that shows in a patch."""

    targets: tuple[PbcTarget, ...]
    without_box: tuple[str, ...]
    without_patch: tuple[str, ...]


class _Text(NamedTuple):
    id: str
    text: str
    boxes: tuple[int, ...]
    undecided: tuple[int, ...] = ()


def phrase_targets(
    boxes: Sequence[BoxAnnotation],
    *,
    view: View,
    grid: PatchGrid,
    rule: PbcRule | None = None,
    together: bool = False,
) -> PbcTargets:
    """The targets of the phrases that boxes carry: Visual Genome's regions, Flickr30k's phrases.

    Args:
        boxes: Of one picture, in stored pixels; only regions with a phrase count.
        view: What the model sees of the picture.
        grid: The patches of the model's input.
        rule: The choices; None for the defaults.
        together: Whether boxes with the same phrase are one text's (Flickr30k Entities: "two men"
            has two boxes), or each its own (Visual Genome: two annotators wrote "a man").

    Raises:
        ValueError: A grid of another frame, a share or a corner that is none.

    >>> from vle_bench.patches.view import stretch
    >>> region = BoxAnnotation(id="7", xywh=(0, 0, 50, 60), phrase="a red door", kind="region")
    >>> found = phrase_targets([region], view=stretch(100, 60, 32), grid=PatchGrid.of(32, 16))
    >>> found.targets[0].text, found.targets[0].related.tolist()
    ('a red door', [1, 0, 1, 0])
    """
    groups: dict[object, list[int]] = {}
    for place, box in enumerate(boxes):
        if box.kind == "region" and box.phrase.strip():
            groups.setdefault(box.phrase if together else place, []).append(place)
    texts = [
        _Text(boxes[places[0]].id, boxes[places[0]].phrase, tuple(places))
        for places in groups.values()
    ]
    return _targets(texts, boxes, view, grid, rule=rule or PbcRule())


def caption_targets(
    captions: Iterable[Caption],
    boxes: Sequence[BoxAnnotation],
    *,
    vocabulary: ClassVocabulary,
    finder: MentionFinder,
    view: View,
    grid: PatchGrid,
    rule: PbcRule | None = None,
) -> PbcTargets:
    """The targets of captions: the boxes of the classes that each one names.

    Args:
        captions: Of one picture.
        boxes: Of the same picture, in stored pixels; objects and crowds count.
        vocabulary: The classes of the boxes.
        finder: Made of the same vocabulary by `mention_finder`.
        view: What the model sees of the picture.
        grid: The patches of the model's input.
        rule: The choices; None for the defaults.

    Raises:
        ValueError: A grid of another frame, a share or a corner that is none.

    >>> from vle_bench.labels.mentions import mention_finder
    >>> from vle_bench.labels.vocabulary import coco_vocabulary
    >>> from vle_bench.patches.view import stretch
    >>> dog = BoxAnnotation(id="1", xywh=(0, 30, 50, 30), label="dog")
    >>> found = caption_targets([Caption(id="c", text="Puppies sleep.")], [dog],
    ...     vocabulary=coco_vocabulary(), finder=mention_finder(coco_vocabulary()),
    ...     view=stretch(100, 60, 32), grid=PatchGrid.of(32, 16))
    >>> found.targets[0].related.tolist()
    [0, 0, 1, 0]
    """
    rule = rule or PbcRule()
    things = [
        (place, box.kind == "crowd" and rule.crowds == "ignore", vocabulary.label_of(box.label))
        for place, box in enumerate(boxes)
        if box.kind != "region"
    ]
    texts = []
    for caption in captions:
        named = finder.labels_in(caption.text)
        about = [(place, undecided) for place, undecided, label in things if label in named]
        texts.append(
            _Text(
                caption.id,
                caption.text,
                boxes=tuple(place for place, undecided in about if not undecided),
                undecided=tuple(place for place, undecided in about if undecided),
            )
        )
    return _targets(texts, boxes, view, grid, rule=rule)


def _targets(
    texts: Sequence[_Text],
    boxes: Sequence[BoxAnnotation],
    view: View,
    grid: PatchGrid,
    *,
    rule: PbcRule,
) -> PbcTargets:
    # A picture of Visual Genome has as many boxes that no text is about: those cost nothing here.
    used = sorted({place for text in texts for place in (*text.boxes, *text.undecided)})
    rows = {place: row for row, place in enumerate(used)}
    shares = coverage((from_xywh(*boxes[place].xywh) for place in used), view, grid)
    members = shares.members(rule.minimum_coverage)

    def shown(places: tuple[int, ...]) -> Bools:
        return np.asarray(members[[rows[place] for place in places]].any(axis=0), dtype=np.bool_)

    targets: list[PbcTarget] = []
    without_box: list[str] = []
    without_patch: list[str] = []
    for text in texts:
        if not text.boxes:
            without_box.append(text.id)
            continue
        related = shown(text.boxes)
        if not related.any():
            without_patch.append(text.id)
            continue
        marks = related.astype(np.int64)
        if text.undecided:
            marks[shown(text.undecided) & ~related] = IGNORE
        targets.append(PbcTarget(text.id, text.text, text.boxes, marks))
    return PbcTargets(tuple(targets), tuple(without_box), tuple(without_patch))
