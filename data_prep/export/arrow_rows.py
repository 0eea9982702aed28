"""What a row of METER's and ViLT's tables holds, dataset by dataset.

A picture without a caption (or phrase, or question with a class) has no row
there: their loaders would find nothing to train on. Each is counted.
Source: https://github.com/dandelin/ViLT (vilt/utils/write_*.py)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from vle_bench.data_prep.prepared import AnySample, Prepared, answer_names
from vle_bench.errors import DataProblem, UsageProblem, needs_file
from vle_bench.records import Question

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_TABLE = 100_000
"""Rows of a numbered table (`sbu_0`, `sbu_1`, ...)."""

_TEST, _TEST_DEV = "test", "test-dev"


class Row(NamedTuple):
    """One row and the name of the table it belongs to."""

    table: str
    values: dict[str, Any]


class Tables(Protocol):
    """The tables of one dataset."""

    left_out: Counter[str]
    """Why pictures have no row."""

    def schema(self) -> pa.Schema:
        """Columns of every table."""

    def always(self, split: str) -> tuple[str, ...]:
        """Tables that are there even when they have no row."""

    def rows(self, sample: AnySample, picture: bytes) -> Iterator[Row]:
        """The rows of one picture."""


def tables_of(dataset: Prepared) -> Tables:
    """The tables that METER and ViLT read of this dataset.

    Raises:
        UsageProblem: They read no such dataset, or no such splitting of it.
    """
    name = dataset.report.dataset
    scheme = dataset.report.parameters.get("scheme") or "karpathy"
    if name in ("coco", "flickr30k") and scheme != "karpathy":
        raise UsageProblem(
            f"{dataset.folder}: the tables of METER are named after Karpathy's splits of {name}, "
            f"this is split by {scheme}. Prepare it with --scheme karpathy."
        )
    if name not in _TABLES:
        raise UsageProblem(
            f"{name}: METER and ViLT read no table of it, only of {', '.join(sorted(_TABLES))}. "
            "Choose another --format."
        )
    return _TABLES[name](dataset)


class CaptionTables:
    """One picture with its captions: COCO, Flickr30k, CC3M, SBU."""

    def __init__(self, pattern: str) -> None:
        self.left_out: Counter[str] = Counter()
        self._pattern = pattern
        self._rows: Counter[str] = Counter()

    def schema(self) -> pa.Schema:
        """Columns image, caption, image_id, split."""
        import pyarrow as pa

        texts = pa.list_(pa.string())
        return pa.schema(
            {"image": pa.binary(), "caption": texts, "image_id": pa.string(), "split": pa.string()}
        )

    def always(self, split: str) -> tuple[str, ...]:
        """The first table."""
        return (self._pattern.format(split=split, number=0),)

    def rows(self, sample: AnySample, picture: bytes) -> Iterator[Row]:
        """One row, if there is a caption."""
        captions = [caption.text for caption in sample.captions]
        if not captions:
            self.left_out["picture without a caption"] += 1
            return
        number = self._rows[sample.split] // ROWS_PER_TABLE
        self._rows[sample.split] += 1
        values = {
            "image": picture,
            "caption": captions,
            "image_id": PurePosixPath(sample.image.file_name).name or sample.key,
            "split": sample.split,
        }
        yield Row(self._pattern.format(split=sample.split, number=number), values)


class RegionTables:
    """One picture with its region phrases and their boxes: Visual Genome."""

    def __init__(self) -> None:
        self.left_out: Counter[str] = Counter()

    def schema(self) -> pa.Schema:
        """Columns image, caption, width, height, x, y (parallel lists), image_id."""
        import pyarrow as pa

        numbers = pa.list_(pa.int64())
        return pa.schema(
            {
                "image": pa.binary(),
                "caption": pa.list_(pa.string()),
                "width": numbers,
                "height": numbers,
                "x": numbers,
                "y": numbers,
                "image_id": pa.string(),
            }
        )

    def always(self, split: str) -> tuple[str, ...]:  # noqa: ARG002  # the one table of all splits
        """`vg`."""
        return ("vg",)

    def rows(self, sample: AnySample, picture: bytes) -> Iterator[Row]:
        """One row, if there is a region."""
        regions = [box for box in sample.boxes if box.kind == "region" and box.phrase]
        if not regions:
            self.left_out["picture without a region"] += 1
            return
        sides = {"x": 0, "y": 1, "width": 2, "height": 3}
        values = {name: [round(box.xywh[at]) for box in regions] for name, at in sides.items()}
        texts = {"caption": [box.phrase for box in regions], "image_id": sample.image.id}
        yield Row("vg", {"image": picture, **values, **texts})


class VqaTables:
    """One picture with its questions: VQAv2, whose val is also cut in two."""

    def __init__(self, dataset: Prepared) -> None:
        self.left_out: Counter[str] = Counter()
        self._names = answer_names(dataset.folder)
        self._rest = _lines(dataset.folder / "splits/rest_val.txt", dataset)

    def schema(self) -> pa.Schema:
        """Columns image, questions, answers, answer_labels, answer_scores, ids, split."""
        import pyarrow as pa

        def lists(kind: pa.DataType) -> pa.DataType:
            return pa.list_(pa.list_(kind))

        return pa.schema(
            {
                "image": pa.binary(),
                "questions": pa.list_(pa.string()),
                "answers": lists(pa.string()),
                "answer_labels": lists(pa.int64()),
                "answer_scores": lists(pa.float64()),
                "image_id": pa.int64(),
                "question_id": pa.list_(pa.int64()),
                "split": pa.string(),
            }
        )

    def always(self, split: str) -> tuple[str, ...]:
        """The tables of a split: those of val are three, those of test two."""
        more = {"val": ("vqav2_trainable_val", "vqav2_rest_val"), _TEST: ("vqav2_test-dev",)}
        return (f"vqav2_{split}", *more.get(split, ()))

    def rows(self, sample: AnySample, picture: bytes) -> Iterator[Row]:
        """The rows of a picture in each of its tables."""
        if sample.split == _TEST:
            yield from self._row(sample, picture, list(sample.questions), _TEST)
            dev = [one for one in sample.questions if one.test_dev]
            if dev:
                yield from self._row(sample, picture, dev, _TEST_DEV)
            return
        kept = [one for one in sample.questions if one.labels]
        self.left_out["question without a class"] += len(sample.questions) - len(kept)
        for row in self._row(sample, picture, kept, sample.split):
            yield row
            if sample.split == "val":
                part = "rest_val" if sample.image.id in self._rest else "trainable_val"
                yield Row(f"vqav2_{part}", row.values)

    def _row(
        self, sample: AnySample, picture: bytes, questions: list[Question], split: str
    ) -> Iterator[Row]:
        if not questions:
            self.left_out[f"picture without a question ({split})"] += 1
            return
        known = [] if split in {_TEST, _TEST_DEV} else questions
        values = {
            "image": picture,
            "questions": [one.question for one in questions],
            "answers": [[self._name(label) for label in one.labels] for one in known],
            "answer_labels": [list(one.labels) for one in known],
            "answer_scores": [list(one.scores) for one in known],
            "image_id": _number(sample),
            "question_id": [one.question_id for one in questions],
            "split": split,
        }
        yield Row(f"vqav2_{split}", values)

    def _name(self, label: int) -> str:
        if not 0 <= label < len(self._names):
            raise DataProblem(
                f"label {label} has no answer among the {len(self._names):,} of "
                "answers/label2answer.json. Run vle-prep run again."
            )
        return self._names[label]


_TABLES: dict[str, Callable[[Prepared], Tables]] = {
    "coco": lambda _: CaptionTables("coco_caption_karpathy_{split}"),
    "flickr30k": lambda _: CaptionTables("f30k_caption_karpathy_{split}"),
    "cc3m": lambda _: CaptionTables("conceptual_caption_{split}_{number}"),
    "sbu": lambda _: CaptionTables("sbu_{number}"),
    "vg": lambda _: RegionTables(),
    "vqav2": VqaTables,
}


def _number(sample: AnySample) -> int:
    identity = sample.image.id
    if not (identity.isascii() and identity.isdigit()):
        raise DataProblem(f"{sample.key}: image id {identity!r}, a number was expected.")
    return int(identity)


def _lines(path: Path, dataset: Prepared) -> frozenset[str]:
    if "val" not in dataset.splits:
        return frozenset()
    return frozenset(needs_file(path, "the held-out pictures").read_text("utf-8").split())
