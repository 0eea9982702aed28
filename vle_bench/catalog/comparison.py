"""May this score stand beside that one? Every reason why not, in words.

A score on val and one on test-dev are two measurements, and so are zero-shot
and fine-tuned ones. What nobody states (training data of most rows, the tie
rule of every published recall) is noted and does not count as a difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from vle_bench.catalog.datasets import (
    DatasetManifest,
    dataset_names,
    dataset_of_result,
    load_dataset_manifest,
    names_of_results,
    result_name,
)
from vle_bench.catalog.published import PublishedScore, published_of

_SAMPLE = "sample world"
_SYNONYMS = {"dev": "val"}
_CAPTIONS = re.compile(r"([\d,]*\d) captions")
_LESS = re.compile(r"\s+less\s+")


class RunDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of ours says of itself.

    Args:
        dataset: The dataset, or the name its results have in published rows.
        split: The split it was scored on.
        protocol: The rule it was scored by.
        setting: `finetuned` or `zero-shot`; "" where not stated.
        trained_on: The splits it was trained on; () where not stated.
        metrics: The metric keys it has.
        part: "886 of 26,534 questions" where it is not of the whole split, else "".
        sample: Whether its data is the sample world.
        captions: How many captions it was asked with; 0 where it was not.
    """

    dataset: str
    split: str
    protocol: str
    setting: str = ""
    trained_on: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    part: str = ""
    sample: bool = False
    captions: int = 0


class Comparison(msgspec.Struct, frozen=True):
    """A verdict: `why` is empty exactly where the two are comparable; `notes` never decide."""

    why: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def comparable(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.why


def compare(run: RunDescription, row: PublishedScore) -> Comparison:
    """Whether `row` may stand beside `run`, and every reason against it.

    >>> run = RunDescription(dataset="vcr", split="dev", protocol="", metrics=("q2a",))
    >>> row = next(row for row in published_of("vcr") if row.split == "test")
    >>> compare(run, row).why
    ('split: test, ours is val',)
    """
    reasons = (
        _SAMPLE if run.sample else "",
        _dataset_reason(run, row),
        _split_reason(run, row),
        _captions_reason(run, row),
        _metric_reason(run, row),
        _protocol_reason(run, row),
        _setting_reason(run, row),
        *_training_reasons(run, row),
    )
    return Comparison(tuple(filter(None, reasons)), tuple(_notes(run, row)))


def rows_for(
    run: RunDescription, rows: Iterable[PublishedScore] | None = None
) -> list[tuple[PublishedScore, Comparison]]:
    """The published scores of the run's dataset and metrics, each with its verdict.

    Comparable ones come first, then the higher value; ties go by metric, model
    and source, so the order depends on nothing but the scores.

    Args:
        run: What the run says of itself.
        rows: The scores to choose from; None is every packaged one.
    """
    owner = dataset_of_result(run.dataset)
    if rows is None:
        rows = [row for name in names_of_results(owner) for row in published_of(name)]
    pairs = [
        (row, compare(run, row))
        for row in rows
        if dataset_of_result(row.dataset) == owner and row.metric in run.metrics
    ]
    return sorted(pairs, key=_order)


def splits_of_training(text: str) -> tuple[str, ...]:
    """The splits that a row's `trained_on` names.

    >>> splits_of_training("train+val less 1,000 random val images")
    ('train', 'val')
    """
    whole = _LESS.split(text, maxsplit=1)[0]
    return tuple(_split(name) for name in whole.split("+") if name.strip())


def _order(pair: tuple[PublishedScore, Comparison]) -> tuple[object, ...]:
    row, verdict = pair
    where = (row.metric, row.model, row.dataset, row.split, row.part, row.setting)
    return (not verdict.comparable, -row.number, *where, row.setting_note, row.source)


def _split(name: str) -> str:
    plain = name.strip()
    return _SYNONYMS.get(plain, plain)


def _manifest_of(dataset: str) -> DatasetManifest | None:
    owner = dataset_of_result(dataset)
    return load_dataset_manifest(owner) if owner in dataset_names() else None


def _dataset_reason(run: RunDescription, row: PublishedScore) -> str:
    if _measured_on(run.dataset) == _measured_on(row.dataset):
        return ""
    result = result_name(row.dataset)
    theirs = f"{row.dataset} ({result.what})" if result else row.dataset
    return f"dataset: {theirs}, ours is {run.dataset}"


def _measured_on(dataset: str) -> str:
    """Another name for a whole split is the same measurement; folds of it are not."""
    result = result_name(dataset)
    return dataset_of_result(dataset) if result and result.whole else dataset


def _split_reason(run: RunDescription, row: PublishedScore) -> str:
    if _split(run.split) != _split(row.split):
        return f"split: {_split(row.split)}, ours is {_split(run.split) or 'not stated'}"
    if run.part:
        return f"split: all of {_split(row.split)}, ours is {run.part}"
    return f"part of the split: {row.part}" if row.part else ""


def _captions_reason(run: RunDescription, row: PublishedScore) -> str:
    """Some programs keep five captions a picture, and so drop ten of COCO's 25,010."""
    said = _CAPTIONS.search(row.split_note)
    if not run.captions or said is None or int(said[1].replace(",", "")) == run.captions:
        return ""
    return f"captions: {said[1]}, ours are {run.captions:,}"


def _metric_reason(run: RunDescription, row: PublishedScore) -> str:
    return "" if row.metric in run.metrics else f"metric: {row.metric}, ours has none"


def _protocol_reason(run: RunDescription, row: PublishedScore) -> str:
    if not row.protocol or row.protocol == run.protocol:
        return ""
    return f"protocol: {row.protocol}, ours is {run.protocol or 'not stated'}"


def _setting_reason(run: RunDescription, row: PublishedScore) -> str:
    if not run.setting or run.setting == row.setting:
        return ""
    return f"setting: {row.setting}, ours is {run.setting}"


def _training_reasons(run: RunDescription, row: PublishedScore) -> Iterable[str]:
    ours = tuple(_split(name) for name in run.trained_on)
    if seen := _seen(run.dataset, run.split, ours):
        yield f"ours was trained on {seen}"
    if _seen(row.dataset, row.split, splits_of_training(row.trained_on)):
        yield f"the published model was trained on {row.trained_on}"


def _seen(dataset: str, split: str, trained_on: tuple[str, ...]) -> str:
    """The training split that contains the evaluated one, or lies in it; "" where there is none."""
    manifest = _manifest_of(dataset)
    evaluated = _split(split)
    for name in trained_on:
        if manifest is None:
            overlap = name == evaluated
        else:
            overlap = name in manifest.enclosing(evaluated) or evaluated in manifest.enclosing(name)
        if overlap:
            return name
    return ""


def _notes(run: RunDescription, row: PublishedScore) -> Iterable[str]:
    if not row.trained_on or not run.trained_on:
        yield "training data not stated"
    if not run.setting:
        yield "our setting not stated"
    if row.protocol_note:
        yield row.protocol_note
