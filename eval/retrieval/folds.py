"""COCO 1K and its like: the gallery cut into folds, each scored alone, the scores averaged.

The numbers depend on which pictures share a fold, and files that hold the same
pictures hold them in different orders. So the folds are either consecutive
pictures of the references as they stand, or a file's; their digest is in the
signature. A text is asked in the one fold that has its pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from vle_bench.canonical import json_bytes, sha256_bytes
from vle_bench.errors import DataProblem
from vle_bench.eval.matching import Matching, named
from vle_bench.eval.retrieval.gold import NONE, Direction, Gold, Ints
from vle_bench.eval.retrieval.outcome import Outcome, outcomes_of_scores
from vle_bench.eval.retrieval.similarity import Flags, Similarity
from vle_bench.eval.retrieval.ties import TieRule
from vle_bench.identity import id_text
from vle_bench.inputs import open_source, read_json

COCO_1K = "coco-karpathy-1k"
"""What published rows call five folds of a thousand pictures of COCO's Karpathy test split."""
FOLDS_OF_1K, PICTURES_OF_1K = 5, 1000
_EXPECTED = "folds: a JSON list of lists of image ids"
_DIGITS = 12


class Folds(msgspec.Struct, frozen=True, eq=False):
    """Which fold each picture and each text belongs to.

    Attributes:
        count: Number of folds.
        images: Fold of each picture, shape [pictures].
        texts: Fold of each text, shape [texts].
        digest: Digest of the image ids, fold by fold.
        inputs: Digest of the file they were read from, by role.
    """

    count: int
    images: Ints
    texts: Ints
    digest: str
    inputs: dict[str, str]

    @property
    def name(self) -> str:
        """How many of how many pictures, and the digest's beginning: for the signature."""
        sizes = sorted(set(np.bincount(self.images).tolist()))
        size = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]}to{sizes[-1]}"
        return f"{self.count}x{size}-{self.digest[:_DIGITS]}"

    @property
    def as_coco_1k(self) -> bool:
        """Whether there are five folds of a thousand."""
        sizes: list[int] = np.bincount(self.images).tolist()
        return sizes == [PICTURES_OF_1K] * FOLDS_OF_1K

    def of(self, direction: Direction, queries: int) -> Ints:
        """Fold of each query."""
        return self.images[:queries] if direction == "i2t" else self.texts

    def galleries(self, queries: int) -> dict[Direction, Ints]:
        """How many candidates each query has; `queries` of the pictures ask."""
        pictures = np.bincount(self.images, minlength=self.count)
        texts = np.bincount(self.texts, minlength=self.count)
        return {"i2t": texts[self.images[:queries]], "t2i": pictures[self.texts]}


def read_folds(asked: str, gold: Gold) -> Folds:
    """The folds that `--folds` names.

    Args:
        asked: A number of pictures, for consecutive folds of that size; else a JSON file.
        gold: The references.

    Raises:
        DataProblem: Pictures in no fold or in two, a text whose pictures are in two, or a fold in
            which nothing is asked.
    """
    if asked.isascii() and asked.isdigit():
        size, total = int(asked), len(gold.image_ids)
        if not size or total % size:
            raise DataProblem(
                f"--folds {asked}: {total:,} pictures do not make whole folds of {asked}. "
                "Give another size, or a file of folds."
            )
        return _folds(np.arange(total) // size, gold, inputs={})
    source = open_source(Path(asked), "folds")
    lists = _names(read_json(source, list[list[int | str]], _EXPECTED), asked)
    matching = Matching(gold.image_ids, what="image_id", file=asked)
    images = np.full(len(gold.image_ids), NONE, dtype=np.int64)
    for fold, ids in enumerate(lists):
        for at, name in enumerate(ids):
            place = matching.place(name, f"{asked}: fold {fold}, {at}")
            if place is not None:
                images[place] = fold
    matching.check(missing="whole")
    if not all(lists):
        raise DataProblem(f"{asked}: a fold without pictures. Expected {_EXPECTED}.")
    return _folds(images, gold, inputs={"folds": source.sha256})


def _names(lists: list[list[int | str]], place: str) -> list[list[str]]:
    try:
        return [[id_text(name) for name in ids] for ids in lists]
    except ValueError as error:
        raise DataProblem(f"{place}: {error}. Expected {_EXPECTED}.") from error


def _folds(images: Ints, gold: Gold, *, inputs: dict[str, str]) -> Folds:
    alone = [name for name, first in zip(gold.text_ids, gold.first_image, strict=True) if first < 0]
    if alone:
        raise DataProblem(f"{len(alone):,} texts without picture are in no fold: {named(alone)}.")
    texts = images[gold.first_image]
    apart = images[gold.pairs[:, 0]] != texts[gold.pairs[:, 1]]
    if apart.any():
        torn = [gold.text_ids[at] for at in sorted(set(gold.pairs[apart, 1].tolist()))]
        raise DataProblem(
            f"{len(torn):,} texts belong to pictures of different folds: {named(torn)}. "
            "Put the pictures of a text into one fold."
        )
    count = int(images.max()) + 1
    asked = np.bincount(images[: gold.captioned], minlength=count)
    if not asked.all():
        silent = ", ".join(map(str, np.flatnonzero(asked == 0).tolist()))
        raise DataProblem(
            f"folds {silent} (from 0) hold no picture with a text, so that nothing is asked there. "
            "Put pictures with texts into every fold."
        )
    lists = [[gold.image_ids[at] for at in np.flatnonzero(images == fold)] for fold in range(count)]
    return Folds(count, images, texts, sha256_bytes(json_bytes(lists)), inputs)


def folded_outcomes(
    similarity: Similarity,
    gold: Gold,
    folds: Folds,
    *,
    rule: TieRule,
    present: dict[Direction, Flags],
) -> tuple[Outcome, ...]:
    """Ranks every query in the gallery of its fold alone; places of `top` are those of the whole.

    Args:
        similarity: The scores of everything.
        gold: The references.
        folds: The folds.
        rule: What decides among ties.
        present: Whether each query has scores.
    """
    parts: list[tuple[tuple[Ints, Ints], tuple[Outcome, ...]]] = []
    for fold in range(folds.count):
        images, texts = np.flatnonzero(folds.images == fold), np.flatnonzero(folds.texts == fold)
        there: dict[Direction, Flags] = {
            "i2t": present["i2t"][images[images < gold.captioned]],
            "t2i": present["t2i"][texts],
        }
        part = outcomes_of_scores(
            similarity.select(images, texts), _part(gold, images, texts), rule=rule, present=there
        )
        parts.append(((images, texts), part))
    return tuple(
        _joined([(places, part[at]) for places, part in parts], gold) for at in range(len(present))
    )


def refuse_lists_beyond_folds(outcomes: Sequence[Outcome], gold: Gold, folds: Folds) -> None:
    """A list over the whole gallery is no list of a fold.

    Raises:
        DataProblem: A list names what its query's fold does not hold.
    """
    for outcome in outcomes:
        queries, _ = gold.ids(outcome.direction)
        own = folds.of(outcome.direction, len(queries))
        other = folds.texts if outcome.direction == "i2t" else folds.images
        foreign = (outcome.top != NONE) & (other[outcome.top] != own[:, None])
        if foreign.any():
            wrong = [queries[at] for at in np.flatnonzero(foreign.any(axis=1)).tolist()]
            raise DataProblem(
                f"{len(wrong):,} lists name what is in another fold than who asks: {named(wrong)}. "
                "Rank each fold by itself, or give scores or features."
            )


def _part(gold: Gold, images: Ints, texts: Ints) -> Gold:
    image_at = np.full(len(gold.image_ids), NONE, dtype=np.int64)
    image_at[images] = np.arange(len(images))
    text_at = np.full(len(gold.text_ids), NONE, dtype=np.int64)
    text_at[texts] = np.arange(len(texts))
    inside = text_at[gold.pairs[:, 1]] != NONE
    pairs = gold.pairs[inside]
    return Gold(
        image_ids=tuple(gold.image_ids[at] for at in images.tolist()),
        text_ids=tuple(gold.text_ids[at] for at in texts.tolist()),
        captioned=int(np.count_nonzero(images < gold.captioned)),
        pairs=np.column_stack([image_at[pairs[:, 0]], text_at[pairs[:, 1]]]),
        first_image=image_at[gold.first_image[texts]],
    )


def _joined(parts: Sequence[tuple[tuple[Ints, Ints], Outcome]], gold: Gold) -> Outcome:
    """One outcome of the outcomes of all folds, every query at its own place."""
    direction = parts[0][1].direction
    own, other = (0, 1) if direction == "i2t" else (1, 0)
    size = len(gold.ids(direction)[0])
    order = np.concatenate([places[own][: len(part.ranks)] for places, part in parts])
    back = np.empty(size, dtype=np.int64)
    back[order] = np.arange(size)

    def top() -> Ints:
        found = [np.where(part.top < 0, NONE, places[other][part.top]) for places, part in parts]
        return np.concatenate(found)[back]

    return Outcome(
        direction=direction,
        hits={
            at: np.concatenate([part.hits[at] for _, part in parts])[back]
            for at in parts[0][1].hits
        },
        ranks=np.concatenate([part.ranks for _, part in parts])[back],
        complete=True,
        find_top=top,
        present=np.concatenate([part.present for _, part in parts])[back],
        rule_matters=sum(part.rule_matters or 0 for _, part in parts),
    )
