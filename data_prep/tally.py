"""What is in prepared shards, counted: sizes, boxes, labels, lengths, kinds of questions.

Every value is kept as a whole number with how often it came (a box's side to
the pixel, an aspect to the hundredth), so that medians over millions of boxes
are exact to that step and memory does not grow with the data.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from vle_bench.data_prep.prepared import AnySample, Prepared
from vle_bench.records import Record
from vle_bench.shards.read import iter_samples

T = TypeVar("T", str, tuple[str, str])

_DOUBLING = (0, 1, 2, 3, 5, 9, 17, 33, 65, 129)
_PIXELS = (0, 8, 16, 32, 64, 96, 128, 256, 512, 1024, 2048)
_PER_HUNDRED = 100


class Shape(Record, frozen=True, kw_only=True):
    """How one histogram is cut: `edges` are the lower ends of its bins, in units of 1/`scale`."""

    name: str
    unit: str
    edges: tuple[int, ...]
    scale: int = 1


SHAPES = (
    Shape(
        name="longer side of a picture",
        unit="pixels",
        edges=(0, 128, 256, 384, 512, 640, 800, 1024, 2048, 4096),
    ),
    Shape(
        name="aspect of a picture",
        unit="width / height",
        edges=(0, 50, 67, 75, 90, 111, 134, 150, 200),
        scale=_PER_HUNDRED,
    ),
    Shape(name="boxes of a picture", unit="boxes", edges=_DOUBLING),
    Shape(name="side of a box", unit="pixels, root of the area", edges=_PIXELS),
    Shape(
        name="area of a box",
        unit="% of its picture",
        edges=(0, 10, 100, 500, 1000, 2500, 5000, 7500),
        scale=_PER_HUNDRED,
    ),
    Shape(name="captions of a picture", unit="captions", edges=_DOUBLING),
    Shape(
        name="length of a caption",
        unit="words (Chinese: characters)",
        edges=(0, 1, 5, 8, 10, 12, 15, 20, 30, 50, 100),
    ),
    Shape(name="length of a phrase", unit="words", edges=(0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20)),
    Shape(name="questions of a picture", unit="questions", edges=_DOUBLING),
)


class Bin(Record, frozen=True, kw_only=True):
    """Values from `low` on and below `high`; the last bin has no end."""

    low: float
    high: float | None
    count: int


class Histogram(Record, frozen=True, kw_only=True):
    """How often values came; empty bins at both ends are left out."""

    name: str
    unit: str
    step: float
    """Values are whole multiples of it."""
    n: int
    least: float
    median: float
    mean: float
    most: float
    bins: tuple[Bin, ...]


class Named(Record, frozen=True, kw_only=True):
    """How often a name came, and in how many pictures."""

    name: str
    count: int
    pictures: int


class Reason(Record, frozen=True, kw_only=True):
    """What the books say was left out or changed, and how often."""

    what: str
    """Its kind, `image`, `question`, `caption` or `box`; "" where the reason says it."""
    why: str
    count: int


class SplitTally(Record, frozen=True, kw_only=True):
    """What one split holds."""

    split: str
    pictures: int
    captions: int
    objects: int
    regions: int
    crowds: int
    questions: int
    items: int


class Tally(Record, frozen=True, kw_only=True):
    """What one prepared dataset holds."""

    dataset: str
    sample: bool
    splits: tuple[SplitTally, ...]
    histograms: tuple[Histogram, ...]
    labels: tuple[Named, ...]
    question_types: tuple[Named, ...]
    answer_types: tuple[Named, ...]
    licences: tuple[Named, ...]
    """Of the pictures; "" where their source names none."""
    left_out: tuple[Reason, ...]
    adjusted: tuple[Reason, ...]
    """Written, but changed or worth knowing: captions that repeat, boxes that were clipped."""


def tally(dataset: Prepared, *, step: Callable[[], None] = lambda: None) -> Tally:
    """Counts a prepared dataset in one pass over its records; no picture is read.

    Args:
        dataset: Its folder and the splits to count.
        step: Called after every sample.

    Raises:
        DataProblem: A shard is missing or damaged.
    """
    counting = _Counting(dataset.splits)
    for split in dataset.splits:
        for sample in iter_samples(dataset.folder, split, AnySample):
            counting.add(sample)
            step()
    return Tally(
        dataset=dataset.report.dataset,
        sample=dataset.report.sample,
        splits=tuple(_split(split, counting.sums[split]) for split in dataset.splits),
        histograms=tuple(
            histogram(shape, counting.values[shape.name])
            for shape in SHAPES
            if counting.values[shape.name]
        ),
        labels=counting.labels.ranked(),
        question_types=counting.question_types.ranked(),
        answer_types=counting.answer_types.ranked(),
        licences=counting.licences.ranked(),
        left_out=_left_out(dataset),
        adjusted=_adjusted(dataset),
    )


def histogram(shape: Shape, values: Counter[int]) -> Histogram:
    """Bins and summary of values that came so and so often.

    >>> made = histogram(Shape(name="x", unit="", edges=(0, 2, 4)), Counter({1: 2, 3: 1, 9: 1}))
    >>> [(one.low, one.high, one.count) for one in made.bins], made.median, made.mean
    ([(0.0, 2.0, 2), (2.0, 4.0, 1), (4.0, None, 1)], 2.0, 3.5)
    """
    n = values.total()
    ordered = sorted(values.items())
    counts = [0] * len(shape.edges)
    for value, count in ordered:
        counts[bisect_right(shape.edges, value) - 1] += count
    ends: list[float | None] = [edge / shape.scale for edge in shape.edges[1:]]
    bins = [
        Bin(low=low / shape.scale, high=high, count=count)
        for low, high, count in zip(shape.edges, [*ends, None], counts, strict=True)
    ]
    filled = [at for at, one in enumerate(bins) if one.count]
    return Histogram(
        name=shape.name,
        unit=shape.unit,
        step=1 / shape.scale,
        n=n,
        least=ordered[0][0] / shape.scale,
        median=(_at(ordered, (n - 1) // 2) + _at(ordered, n // 2)) / 2 / shape.scale,
        mean=sum(value * count for value, count in ordered) / n / shape.scale,
        most=ordered[-1][0] / shape.scale,
        bins=tuple(bins[filled[0] : filled[-1] + 1]),
    )


def words(text: str) -> int:
    """Words between blanks; a Chinese, Japanese or Korean wide character counts as one each.

    >>> words("A dog, running."), words("一只狗 runs"), words("  ")
    (3, 4, 0)
    """
    wide = sum(unicodedata.east_asian_width(char) == "W" and char.isalpha() for char in text)
    if not wide:
        return len(text.split())
    plain = "".join(" " if unicodedata.east_asian_width(char) in "WF" else char for char in text)
    return wide + len(plain.split())


class _Names:
    """Names with how often they came, and in how many pictures."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._pictures: Counter[str] = Counter()

    def add(self, names: list[str]) -> None:
        self._counts.update(names)
        self._pictures.update(set(names))

    def ranked(self) -> tuple[Named, ...]:
        return tuple(
            Named(name=name, count=count, pictures=self._pictures[name])
            for name, count in _ranked(self._counts)
        )


class _Counting:
    """Counters of everything, fed sample by sample; a split without samples counts too."""

    def __init__(self, splits: Iterable[str]) -> None:
        self.values: dict[str, Counter[int]] = {shape.name: Counter() for shape in SHAPES}
        self.sums: dict[str, Counter[str]] = {split: Counter() for split in splits}
        self.labels, self.question_types, self.answer_types = _Names(), _Names(), _Names()
        self.licences = _Names()

    def add(self, sample: AnySample) -> None:
        sums = self.sums[sample.split]
        sums.update(pictures=1, captions=len(sample.captions))
        sums.update(questions=len(sample.questions), items=len(sample.items))
        sums.update(f"{box.kind}s" for box in sample.boxes)
        for name, value in _values(sample):
            self.values[name][value] += 1
        self.labels.add([box.label for box in sample.boxes if box.label])
        self.question_types.add([one.question_type for one in sample.questions])
        self.answer_types.add([one.answer_type for one in sample.questions])
        self.licences.add([sample.image.licence])


def _values(sample: AnySample) -> Iterator[tuple[str, int]]:
    width, height = sample.image.width, sample.image.height
    yield "longer side of a picture", max(width, height)
    if min(width, height) > 0:
        yield "aspect of a picture", round(_PER_HUNDRED * width / height)
    yield "boxes of a picture", len(sample.boxes)
    yield "captions of a picture", len(sample.captions)
    if sample.questions:
        yield "questions of a picture", len(sample.questions)
    for caption in sample.captions:
        yield "length of a caption", words(caption.text)
    for box in sample.boxes:
        area = max(box.xywh[2], 0.0) * max(box.xywh[3], 0.0)
        yield "side of a box", int(math.sqrt(area))
        if width * height > 0:
            share = area / (width * height)
            yield "area of a box", int(share * _PER_HUNDRED * _PER_HUNDRED)
        if box.phrase:
            yield "length of a phrase", words(box.phrase)


def _split(name: str, sums: Counter[str]) -> SplitTally:
    kinds = ("pictures", "captions", "objects", "regions", "crowds", "questions", "items")
    return SplitTally(split=name, **{kind: sums[kind] for kind in kinds})


def _left_out(dataset: Prepared) -> tuple[Reason, ...]:
    found: Counter[tuple[str, str]] = Counter()
    for split in dataset.splits:
        for kind, counts in dataset.report.splits[split].counts.items():
            found.update({(kind, why): count for why, count in counts.skipped.items()})
    return tuple(Reason(what=kind, why=why, count=n) for (kind, why), n in _ranked(found) if n)


def _adjusted(dataset: Prepared) -> tuple[Reason, ...]:
    found: Counter[str] = Counter()
    for split in dataset.splits:
        found.update(dataset.report.splits[split].adjusted)
    return tuple(Reason(what="", why=why, count=n) for why, n in _ranked(found) if n)


def _ranked(found: Counter[T]) -> list[tuple[T, int]]:
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def _at(ordered: list[tuple[int, int]], place: int) -> int:
    """The value at `place` (from 0) among all values in order."""
    for value, count in ordered:
        place -= count
        if place < 0:
            return value
    raise IndexError(place)
