"""Which rows stand in one table: only what is measured the same way stands on equal terms.

Results of one task, dataset, split, protocol, setting and training splits make
a group, and those whose signatures name the same folds, positives, labels and
vocabulary and, of a known split, as many captions. Every published score of
that dataset joins it, marked comparable or not, with the reason. Scores of
different sources stay separate rows, even for one model: nobody here decides
which source is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from vle_bench.catalog.datasets import dataset_of_result, expected_count
from vle_bench.eval.published import captions_of, published_lines
from vle_bench.eval.show import is_detail, shown
from vle_bench.results import Metric, PublishedLine, ResultDocument, signature_parts

MAIN_METRIC = {"vqa": "accuracy", "vcr": "q2ar", "retrieval": "rsum", "grounding": "patch_ap"}
SHOWN_METRICS = {
    "vqa": ("accuracy", "accuracy[yes/no]", "accuracy[number]", "accuracy[other]"),
    "vcr": ("q2a", "qa2r", "q2ar"),
    "grounding": ("patch_ap", "pointing", "patch_iou"),
    "retrieval": (
        *(f"i2t_r{k}" for k in (1, 5, 10)),
        *(f"t2i_r{k}" for k in (1, 5, 10)),
        "rsum",
        "mean_recall",
        *(f"{way}_mean_recall" for way in ("i2t", "t2i")),
        *(f"{way}_{name}" for name in ("map_r", "r_precision") for way in ("i2t", "t2i")),
    ),
}
_OF_ONE_DIRECTION = ("t2i_mean_recall", "i2t_mean_recall")
"""The main metric of MUGE and its like, which ask one way; beside both ways a column too many."""

_RULES = ("folds", "positives", "labels", "vocabulary")
"""Parts of a signature that make another measurement and that no field of a document holds."""

_Placed = tuple[int, ResultDocument]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table: a stored result of ours, or a published one."""

    model: str
    ours: bool
    split: str
    setting: str
    values: dict[str, str]
    """Metric to digits: ours rounded to two decimals, published as printed."""
    source: str
    verified: str = ""
    measured: dict[str, Metric] = {}
    """Ours alone: the metrics with their n and interval."""
    comparable: bool = True
    why: str = ""
    note: str = ""
    signature: str = ""
    place: int | None = None
    """Ours alone: the place of its document among those the tables were made of."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One table."""

    task: str
    dataset: str
    split: str
    protocol: str
    setting: str
    trained_on: tuple[str, ...]
    part: str
    sample: bool
    rules: tuple[str, ...]
    """What else was the same for all, as their signatures say it: "labels normalised"."""
    metrics: tuple[str, ...]
    main: str
    """The metric that orders the table and whose interval Markdown shows."""
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """What all of our rows in this table have in common."""
        parts = [f"{self.dataset} {self.split}".strip(), f"protocol {self.protocol}"]
        if self.setting:
            parts.append(self.setting)
        if self.trained_on:
            parts.append(f"trained on {'+'.join(self.trained_on)}")
        if self.part:
            parts.append(self.part)
        parts += self.rules
        if self.sample:
            parts.append("sample world, not real data")
        return f"{self.task}: {', '.join(parts)}"


def groups_of(documents: Iterable[ResultDocument]) -> list[Group]:
    """The tables of a leaderboard, in the order of task, dataset, split, protocol, setting."""
    together: defaultdict[tuple[object, ...], list[_Placed]] = defaultdict(list)
    for place, document in enumerate(documents):
        together[same_terms(document)].append((place, document))
    return [_group(together[terms]) for terms in sorted(together, key=repr)]


def same_terms(document: ResultDocument) -> tuple[object, ...]:
    """What two results must share to stand in one table."""
    return (
        document.task,
        document.dataset,
        document.split,
        document.protocol,
        document.setting,
        document.trained_on,
        document.part,
        document.sample,
        _rules(document),
    )


def _rules(document: ResultDocument) -> tuple[str, ...]:
    parts = signature_parts(document.signature)
    return (*(f"{key} {parts[key]}" for key in _RULES if key in parts), *_other_captions(document))


def _other_captions(document: ResultDocument) -> tuple[str, ...]:
    """Captions that are not as many as the split's: another gallery, of the same pictures."""
    known = expected_count(dataset_of_result(document.dataset), document.split, "captions")
    found = captions_of(document)
    if document.sample or known is None or found in {0, known.count}:
        return ()
    return (f"captions {found:,}",)


def _group(placed: Sequence[_Placed]) -> Group:
    documents = [document for _, document in placed]
    first = documents[0]
    wanted = SHOWN_METRICS.get(first.task)
    # The lines depend on the metrics a run has: one may ask for texts, the next for pictures.
    every = {name: one for document in documents for name, one in document.metrics.items()}
    lines = published_lines(msgspec.structs.replace(first, metrics=every))
    found = tuple(name for name in every if not is_detail(name))
    metrics = tuple(name for name in wanted if name in found) if wanted else found
    printed = {line.metric for line in lines}
    if "mean_recall" in metrics:
        metrics = tuple(
            name for name in metrics if name not in _OF_ONE_DIRECTION or name in printed
        )
    main = _main(first.task, metrics)
    ours = [_our_row(document, metrics, place) for place, document in placed]
    theirs = _published_rows(lines, metrics)
    order = (main, *metrics)
    return Group(
        task=first.task,
        dataset=first.dataset,
        split=first.split,
        protocol=first.protocol,
        setting=first.setting,
        trained_on=first.trained_on,
        part=first.part,
        sample=first.sample,
        rules=_rules(first),
        metrics=metrics,
        main=main,
        rows=(*_ranked(ours, order), *_ranked(theirs, order)),
    )


def _main(task: str, metrics: Sequence[str]) -> str:
    """The metric that orders a table: the task's, else what the runs have of it."""
    wanted = (MAIN_METRIC.get(task, ""), *_OF_ONE_DIRECTION, *metrics)
    return next((name for name in wanted if name in metrics), "")


def _our_row(document: ResultDocument, metrics: Sequence[str], place: int) -> Row:
    measured = {name: document.metrics[name] for name in metrics if name in document.metrics}
    return Row(
        model=document.model,
        ours=True,
        split=document.split,
        setting=document.setting,
        values={name: shown(metric.value) for name, metric in measured.items()},
        measured=measured,
        source="this leaderboard",
        note=" ".join(document.notes),
        signature=document.signature,
        place=place,
    )


def _published_rows(lines: Iterable[PublishedLine], metrics: Sequence[str]) -> list[Row]:
    together: defaultdict[tuple[str, ...], list[PublishedLine]] = defaultdict(list)
    for line in lines:
        if line.metric in metrics:
            together[_same_origin(line)].append(line)
    return [_published_row(group) for group in together.values()]


def _same_origin(line: PublishedLine) -> tuple[str, ...]:
    return (
        line.model,
        line.split,
        line.split_note,
        line.setting,
        line.setting_note,
        line.part,
        line.trained_on,
        line.verified,
        line.source,
        line.why,
    )


def _published_row(lines: Sequence[PublishedLine]) -> Row:
    first = lines[0]
    notes = [first.note, first.split_note, first.setting_note]
    if first.trained_on:
        notes.append(f"trained on {first.trained_on}")
    return Row(
        model=first.model,
        ours=False,
        split=f"{first.split} ({first.part})" if first.part else first.split,
        setting=first.setting,
        values={line.metric: line.value for line in lines},
        source=first.source,
        verified=first.verified,
        comparable=first.comparable,
        why=first.why,
        note="; ".join(note for note in notes if note),
    )


def _ranked(rows: Iterable[Row], order: Sequence[str]) -> list[Row]:
    """Fewest reasons against it first, best first; ties by name, never by the order of input."""

    def place(row: Row) -> tuple[object, ...]:
        numbers = tuple(-float(row.values.get(name, "-1")) for name in order)
        reasons = row.why.count(";") + 1 if row.why else 0
        return (reasons, numbers, row.model, row.split, row.setting, row.source)

    return sorted(rows, key=place)
