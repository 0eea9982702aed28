"""What is asked of patches: a text of a picture, and the patches it is about.

Flickr30k asks each phrase (all its boxes together), Visual Genome each region,
every other dataset each caption, about the boxes of the classes it names: just
the targets that `vle_bench.patches.pbc` makes for training, in the frame of the
model that is scored. A text without a box, or whose boxes show in no patch (cut
away, or a sliver of them left), has no right answer: it is counted and not
scored, and a prediction for it is let through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from vle_bench.errors import DataProblem
from vle_bench.eval.grounding.frame import Frame
from vle_bench.eval.grounding.shards import read_split
from vle_bench.eval.matching import unique_ids
from vle_bench.eval.requests import GroundingRequest
from vle_bench.eval.scored import ReferenceFacts
from vle_bench.labels.mentions import MentionFinder, mention_finder
from vle_bench.labels.vocabulary import ClassVocabulary, coco_vocabulary
from vle_bench.patches.grid import Ints
from vle_bench.patches.pbc import PbcRule, PbcTargets, caption_targets, phrase_targets
from vle_bench.records import BoxAnnotation, Sample

_ASKED = {"flickr30k": "phrase", "vg": "region"}
CAPTION = "caption"


class PatchQuery(msgspec.Struct, frozen=True, eq=False):
    """One text that has patches.

    Attributes:
        key: Key of the picture's sample.
        query_id: Id of the caption, or of the first box of the phrase.
        text: What is looked for.
        image_id: The picture, which intervals resample.
        size: Width and height of the stored picture.
        boxes: What the text is about, in stored pixels.
        related: 1 where a patch shows it, 0 where not, `IGNORE` undecided, shape [patches].
    """

    key: str
    query_id: str
    text: str
    image_id: str
    size: tuple[int, int]
    boxes: tuple[BoxAnnotation, ...]
    related: Ints

    @property
    def name(self) -> str:
        """The query's id over the whole split."""
        return query_name(self.key, self.query_id)


class QuerySet(msgspec.Struct, frozen=True, eq=False):
    """The queries of a split.

    Attributes:
        kind: `phrase`, `region` or `caption`.
        queries: Those with patches, in the order of the shards.
        without_box: Names of texts that no box belongs to.
        without_patch: Names of texts whose boxes show in no patch of the frame.
        facts: What the references are.
        notes: What a reader of the number must know of them.
    """

    kind: str
    queries: tuple[PatchQuery, ...]
    without_box: tuple[str, ...]
    without_patch: tuple[str, ...]
    facts: ReferenceFacts
    notes: tuple[str, ...]


def query_name(key: str, query_id: str) -> str:
    """Key and query id as one name; a key holds no space, so two never meet.

    >>> query_name("vg-1", "77")
    'vg-1 77'
    """
    return f"{key} {query_id}"


def read_queries(request: GroundingRequest, frame: Frame) -> QuerySet:
    """The queries of `--dataset` and `--split` under `--data`, as `frame` shows them.

    Raises:
        DataProblem: No such split, damaged shards, an id twice, or no text with a patch.
        UsageProblem: Dataset or split are not named.
    """
    kind = _ASKED.get(request.dataset, CAPTION)
    maker = _Maker(kind, frame)
    queries, facts, notes = read_split(request, lambda samples: tuple(maker.queries(samples)))
    place = facts.path
    if not queries:
        raise DataProblem(
            f"{place}: no {kind} with a box that shows in a patch ({len(maker.without_box):,} "
            f"without a box, {len(maker.without_patch):,} outside the patches), so there is "
            "nothing to look for. Prepare a split with boxes."
        )
    names = [query.name for query in queries]
    everything = (*names, *maker.without_box, *maker.without_patch)
    unique_ids(((place, name) for name in everything), what="key and query_id", file=place)
    return QuerySet(
        kind, queries, tuple(maker.without_box), tuple(maker.without_patch), facts, notes
    )


class _Maker:
    """Queries of sample after sample; keeps the names of those that cannot be asked."""

    def __init__(self, kind: str, frame: Frame) -> None:
        self._kind = kind
        self._frame = frame
        self._vocabulary: ClassVocabulary = coco_vocabulary()
        self._finder: MentionFinder = mention_finder(self._vocabulary)
        self.without_box: list[str] = []
        self.without_patch: list[str] = []

    def queries(self, samples: Iterable[Sample]) -> Iterator[PatchQuery]:
        for sample in samples:
            found = self._targets(sample)
            self.without_box += [query_name(sample.key, one) for one in found.without_box]
            self.without_patch += [query_name(sample.key, one) for one in found.without_patch]
            for target in found.targets:
                yield PatchQuery(
                    key=sample.key,
                    query_id=target.text_id,
                    text=target.text,
                    image_id=sample.image.id,
                    size=(sample.image.width, sample.image.height),
                    boxes=tuple(sample.boxes[place] for place in target.boxes),
                    related=target.related.astype("int16"),
                )

    def _targets(self, sample: Sample) -> PbcTargets:
        view = self._frame.view(sample.image.width, sample.image.height)
        if self._kind != CAPTION:
            return phrase_targets(
                sample.boxes, view=view, grid=self._frame.grid, together=self._kind == "phrase"
            )
        return caption_targets(
            sample.captions,
            sample.boxes,
            vocabulary=self._vocabulary,
            finder=self._finder,
            view=view,
            grid=self._frame.grid,
        )


COVERAGE = PbcRule().minimum_coverage
"""Share of a patch that a box must cover to be in it (`Coverage.members`)."""
