"""Published scores: what papers and model cards print, with the digits they print.

A score is text ("82.0" is not "82"), always of one source, one split and one
setting; rows of different sources are never merged, even where they agree.
Aggregator pages swap columns now and then (two of them carry BEiT-3's IR@5 and
IR@10 transposed), so rows that contradict themselves are refused.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

import msgspec

from vle_bench.catalog.files import CatalogFile, packaged_files, user_files
from vle_bench.catalog.metrics import metrics
from vle_bench.catalog.strict_toml import Reading, Spot, read_toml
from vle_bench.errors import Problems

FOLDER = "published"
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,20})?")

Verified = Literal["yes", "secondary", "no"]
"""Read in a primary source, read in a secondary one, or recalled from memory."""


class PublishedScore(msgspec.Struct, frozen=True, kw_only=True):
    """One number that somebody printed."""

    model: str
    dataset: str
    split: str
    split_note: str
    setting: str
    """`finetuned`, `zero-shot` or `instruction-tuned`."""
    setting_note: str
    metric: str
    value: str
    """The digits as printed; percent."""
    verified: Verified
    trained_on: str
    """Splits joined by "+", e.g. "train+val"; "" where the source does not say."""
    source: str
    note: str
    protocol: str = ""
    """How it was scored; "" where the dataset knows one way only, or nobody says."""
    protocol_note: str = ""
    part: str = ""
    """The part of the split the score is about; "" is all of it."""
    place: Spot | str = ""
    """File and line of the manifest, as text or once it is shown."""

    @property
    def number(self) -> float:
        """The value as a number, for sorting and subtracting; tables print the text."""
        return float(self.value)


class _Block(msgspec.Struct, frozen=True, kw_only=True):
    """The scores that one source prints for one model, split and setting."""

    model: str
    split: str
    setting: Literal["finetuned", "zero-shot", "instruction-tuned"]
    verified: Verified
    source: str
    values: Mapping[str, str]
    split_note: str = ""
    setting_note: str = ""
    trained_on: str = ""
    note: str = ""
    part: str = ""
    protocol: str | None = None
    """None takes the file's."""
    protocol_note: str | None = None

    def __post_init__(self) -> None:
        if not (self.model and self.split and self.source):
            raise ValueError("model, split and source may not be empty")
        if not self.values:
            raise ValueError("a block needs at least one value")


class _PublishedFile(msgspec.Struct, frozen=True, kw_only=True):
    dataset: str
    scores: tuple[_Block, ...]
    protocol: str = ""
    protocol_note: str = ""


def load_published(folder: Path | None = None) -> tuple[PublishedScore, ...]:
    """Every published score, in the order of the files: dataset, split, model.

    Args:
        folder: A folder of manifests of the same form; None reads the packaged ones.

    Raises:
        DataProblem: a file is malformed, or rows contradict themselves.
    """
    return _packaged() if folder is None else _consistent(read_published(folder))


@cache
def published_of(dataset: str) -> tuple[PublishedScore, ...]:
    """The packaged scores of one dataset, from its own file; () where there is none.

    >>> {row.dataset for row in published_of("vcr")}, published_of("nobody-scored-it")
    ({'vcr'}, ())

    Raises:
        DataProblem: As `load_published`.
    """
    files = packaged_files(FOLDER, ".toml")
    return _consistent(tuple(row for file in files if file.stem == dataset for row in _rows(file)))


def read_published(folder: Path | None = None) -> tuple[PublishedScore, ...]:
    """Like `load_published`, without asking whether the rows are consistent."""
    found = packaged_files(FOLDER, ".toml") if folder is None else user_files(folder, ".toml")
    return tuple(row for file in found for row in _rows(file))


def by_dataset(rows: Iterable[PublishedScore]) -> dict[str, tuple[PublishedScore, ...]]:
    """The rows of each dataset, datasets by name, rows in the order given."""
    found: defaultdict[str, list[PublishedScore]] = defaultdict(list)
    for row in rows:
        found[row.dataset].append(row)
    return {name: tuple(found[name]) for name in sorted(found)}


def consistency_problems(rows: Iterable[PublishedScore]) -> list[str]:
    """What cannot be true about `rows`: one text per problem, [] where all is well.

    Values are numbers within their range, no row stands twice, and the rows of
    one model, dataset, split, setting and source rise where the metric table
    says so: R@1 <= R@5 <= R@10 per direction, Q2AR <= Q2A and Q2AR <= QA2R.
    """
    problems: list[str] = []
    groups: defaultdict[tuple[str, ...], dict[str, PublishedScore]] = defaultdict(dict)
    for row in rows:
        wrong = _value_problem(row)
        group = groups[_group(row)]
        first = group.get(row.metric)
        if wrong:
            problems.append(f"{row.place}: {row.model}, {row.metric}: {wrong}.")
        elif first is not None:
            problems.append(
                f"{row.place}: {row.model}, {row.metric} = {row.value} stands twice, "
                f"{first.value} at {first.place}: one row for one model, split, setting and source."
            )
        else:
            group[row.metric] = row
    for group in groups.values():
        problems.extend(_order_problems(group))
    return problems


@cache
def _packaged() -> tuple[PublishedScore, ...]:
    return _consistent(read_published())


def _consistent(rows: tuple[PublishedScore, ...]) -> tuple[PublishedScore, ...]:
    problems = Problems("Published scores contradict themselves:")
    problems.extend(consistency_problems(rows))
    problems.raise_if_any(advice="Compare with the source, correct the digits or the columns.")
    return rows


def _rows(file: CatalogFile) -> Iterator[PublishedScore]:
    reading: Reading[_PublishedFile] = read_toml(file, _PublishedFile)
    content = reading.record
    for at, block in enumerate(content.scores):
        for metric, value in block.values.items():
            yield PublishedScore(
                model=block.model,
                dataset=content.dataset,
                split=block.split,
                split_note=block.split_note,
                setting=block.setting,
                setting_note=block.setting_note,
                metric=metric,
                value=value,
                verified=block.verified,
                trained_on=block.trained_on,
                source=block.source,
                note=block.note,
                protocol=_first(block.protocol, content.protocol),
                protocol_note=_first(block.protocol_note, content.protocol_note),
                part=block.part,
                place=Spot(reading.places, ("scores", at, "values", metric)),
            )


def _first(own: str | None, shared: str) -> str:
    return shared if own is None else own


def _group(row: PublishedScore) -> tuple[str, ...]:
    """Rows of one group must agree with each other; `verified` and `note` may differ in it."""
    notes = (row.split_note, row.setting_note)
    return (row.model, row.dataset, row.split, row.setting, *notes, row.part, row.source)


def _value_problem(row: PublishedScore) -> str:
    metric = metrics().find(row.metric)
    if metric is None:
        return f"no such metric; known: {', '.join(metrics().by_key)}"
    if not _NUMBER.fullmatch(row.value):
        return f'"{row.value}" is no number; expected digits as printed, e.g. "82.0"'
    if metric.highest is not None and row.number > metric.highest:
        return f"{row.value} is out of range; expected 0 to {metric.highest:g}"
    return ""


def _order_problems(group: Mapping[str, PublishedScore]) -> Iterator[str]:
    for chain in metrics().rising:
        present = [group[key] for key in chain if key in group]
        for lower, higher in pairwise(present):
            if lower.number > higher.number:
                yield _contradiction(lower, higher, " <= ".join(chain))


def _contradiction(larger: PublishedScore, smaller: PublishedScore, rule: str) -> str:
    return (
        f"{larger.place}: {larger.model}, {larger.metric} = {larger.value} is above "
        f"{smaller.metric} = {smaller.value} ({smaller.place}); the rule is {rule}."
    )
