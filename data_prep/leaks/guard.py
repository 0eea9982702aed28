"""Keeps pictures of evaluation sets out of training corpora, and says for each why.

Ids are known before a picture is looked at, so the parent judges by them; equal
bytes are seen only where a picture is read, so every shard is given the digests
of all evaluation pictures. Either way the shard stays short by that sample, and
no other sample moves: another rule rebuilds just the shards that it concerns.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from vle_bench.canonical import json_bytes
from vle_bench.console import amount, verb
from vle_bench.data_prep.books import Books
from vle_bench.data_prep.datasets.base import (
    Dataset,
    Draft,
    OpenedDataset,
    Parameters,
    Reading,
)
from vle_bench.data_prep.journal import Excluded
from vle_bench.data_prep.leaks.evaluation import evaluation_set, unread
from vle_bench.data_prep.leaks.evidence import Facts, facts_of
from vle_bench.data_prep.leaks.index import EvaluationIndex, Owner
from vle_bench.data_prep.leaks.lists import unlike_known
from vle_bench.data_prep.leaks.rules import Corpus, Rule, all_rules, corpus_of, in_force, settled
from vle_bench.data_prep.shard_task import ShardOutcome
from vle_bench.data_prep.sources import RawTree
from vle_bench.errors import DataProblem, Problems
from vle_bench.records import Record
from vle_bench.shards.index import SampleRow
from vle_bench.shards.report import RuleReport

EXPLANATIONS = "excluded.jsonl"
"""In the folder of a guarded split: one line for each picture left out and each rule against it."""


class Explanation(Record, frozen=True, kw_only=True):
    """Why one picture was left out.

    Attributes:
        key: The key that its sample would have had.
        image_id: Its id in the corpus.
        rule: The rule that names it.
        evidence: `coco_id`, `flickr_id` or `bytes`, the first of them that holds.
        value: The id, or the sha256 of the bytes.
        evaluation: The data set that it is to evaluate with.
        evaluation_id: Its id there.
    """

    key: str
    image_id: str
    rule: str
    evidence: str
    value: str
    evaluation: str
    evaluation_id: str


@dataclass(frozen=True)
class _Settings:
    """The rules in force, and how the guard works."""

    rules: str
    out: Path
    workers: int
    strict: bool


@dataclass(frozen=True)
class _Known:
    """The evaluation pictures of all rules in force."""

    rules: tuple[Rule, ...]
    index: EvaluationIndex
    reports: tuple[RuleReport, ...]
    sources: Mapping[str, str]
    warnings: tuple[str, ...]


def with_rules(dataset: Dataset, parameters: Parameters) -> Parameters:
    """The parameters with their rules settled.

    Raises:
        UsageProblem: A rule that does not exist.
    """
    rules = settled(dataset.name, parameters.rules)
    in_force(rules)
    return msgspec.structs.replace(parameters, rules=rules)


def guarded(
    dataset: Dataset,
    raw: RawTree,
    parameters: Parameters,
    *,
    out: Path,
    workers: int = 0,
    strict: bool = False,
) -> Guarded:
    """Opens a dataset behind the guard; one that is there to evaluate on is not touched by it.

    Args:
        dataset: The dataset.
        raw: Its raw folder, where the lists of evaluation pictures are looked for as well.
        parameters: Those of the run, with settled rules.
        out: The output folder, beside whose journal digests of evaluation pictures are kept.
        workers: Threads that take those digests; 0 is one for each core.
        strict: Whether a rule that cannot be checked is a problem.
    """
    settings = _Settings(parameters.rules, out, workers or os.cpu_count() or 1, strict)
    return Guarded(dataset.open(raw, parameters), corpus_of(dataset.name), raw, settings)


class Guarded:
    """An opened dataset whose training splits hold no picture of the evaluation sets."""

    def __init__(
        self, opened: OpenedDataset, corpus: Corpus | None, raw: RawTree, settings: _Settings
    ) -> None:
        self._opened = opened
        self._corpus = corpus if settings.rules else None
        # A tree of its own: tables of the evaluation pictures' archives go with it.
        self._raw = RawTree(raw.root)
        self._settings = settings
        self._evaluation: _Known | None = None
        self._explained: dict[str, bytes] = {}

    def read(self, split: str, books: Books) -> Reading:
        """The samples of a split; those known by an id as evaluation pictures are marked.

        Raises:
            DataProblem: With `strict`, a rule cannot be checked.
        """
        if not self._guards(split):
            return self._opened.read(split, books)
        known = self._known()
        reading = self._opened.read(split, books)
        books.sources.update(known.sources)
        books.warnings += known.warnings
        return reading._replace(
            drafts=_judged(reading.drafts, known.index), forbidden=known.index.digests
        )

    def account(self, books: Books, outcomes: Iterable[ShardOutcome]) -> None:
        """Closes the guard's books of a split.

        Args:
            books: Of a split that was read; gets what each rule kept out.
            outcomes: The shards of the split in order.
        """
        if not self._guards(books.split):
            return
        known = self._known()
        excluded = (one for outcome in outcomes for one in outcome.entry.excluded)
        explanations = list(_explained(excluded, known))
        counts: dict[str, Counter[str]] = {rule.name: Counter() for rule in known.rules}
        for one in explanations:
            counts[one.rule][one.evidence] += 1
        books.overlap = [
            msgspec.structs.replace(report, excluded=dict(sorted(counts[report.rule].items())))
            for report in known.reports
        ]
        lines = b"".join(json_bytes(one) + b"\n" for one in explanations)
        self._explained[f"{books.split}/{EXPLANATIONS}"] = lines

    def shared_files(self) -> Mapping[str, bytes]:
        """Those of the dataset."""
        return self._opened.shared_files()

    def split_files(self, rows: Iterable[SampleRow]) -> Mapping[str, bytes]:
        """Those of the dataset, and the explanations of every split that was accounted for."""
        return {**self._opened.split_files(rows), **self._explained}

    def _guards(self, split: str) -> bool:
        return self._corpus is not None and split in all_rules().splits

    def _known(self) -> _Known:
        if self._evaluation is None:
            assert self._corpus is not None, "only training corpora are guarded"
            self._evaluation = _gather(self._corpus, self._raw, self._settings)
            self._raw = RawTree(self._raw.root)
        return self._evaluation


def changes(before: Sequence[RuleReport], now: Sequence[RuleReport]) -> Iterator[str]:
    """Sentences on rules that see other evaluation pictures than at the last run."""
    earlier = {one.rule: one for one in before}
    for report in now:
        last = earlier.get(report.rule)
        if last is None:
            continue
        lists = {one.file: one for one in last.lists}
        for one in report.lists:
            then = lists.get(one.file)
            if then is not None and then.sha256 != one.sha256:
                now_there = amount(one.ids, "picture")
                yield (
                    f"rule {report.rule}: {one.file} names {now_there}, other than the "
                    f"{then.ids:,} at the last run"
                )
        if last.bytes_sha256 != report.bytes_sha256:
            count, before_it = report.known.get("bytes", 0), last.known.get("bytes", 0)
            yield (
                f"rule {report.rule}: {amount(count, 'picture is', 'pictures are')} known by "
                f"{verb(count, 'its', 'their')} bytes, other than the {before_it:,} at the last run"
            )


def not_checked(report: RuleReport) -> str:
    """The sentence on a rule that could not be checked, or only in part; "" where it was.

    >>> not_checked(RuleReport(rule="karpathy-val", not_checked="coco/dataset_coco.json absent"))
    'not checked: karpathy-val (coco/dataset_coco.json absent)'
    """
    if not report.not_checked:
        return ""
    part = "in part " if any(report.known.values()) else ""
    return f"{part}not checked: {report.rule} ({report.not_checked})"


def _gather(corpus: Corpus, raw: RawTree, settings: _Settings) -> _Known:
    rules = in_force(settings.rules)
    reports: list[RuleReport] = []
    sources: dict[str, str] = {}
    unseen: list[str] = []

    def pictures() -> Iterator[tuple[Owner, Facts]]:
        for number, rule in enumerate(rules):
            one = evaluation_set(
                rule, raw, corpus.evidence, out=settings.out, workers=settings.workers
            )
            reports.append(one.report)
            sources.update(one.sources)
            unseen.extend(_unseen(corpus, one.report, len(one.pictures)))
            yield from ((Owner(number, identity), facts) for identity, facts in one.pictures)

    if settings.strict:
        # Lists are read in seconds; digests of all pictures take minutes.
        lists = [unread(rule, raw) for rule in rules]
        _refuse(corpus, _complaints(rules, lists, sample=raw.is_sample))
    index = EvaluationIndex(pictures())
    warnings = (*_complaints(rules, reports, sample=raw.is_sample), *unseen)
    if settings.strict:
        _refuse(corpus, warnings)
    return _Known(rules, index, tuple(reports), sources, warnings)


def _unseen(corpus: Corpus, report: RuleReport, pictures: int) -> Iterator[str]:
    """The sentence on evaluation pictures whose files are absent, where ids name few of a corpus.

    COCO and Visual Genome know COCO's ids; an address of the web seldom tells any.
    """
    there = report.known.get("bytes", 0)
    if "coco_id" not in corpus.evidence and not report.not_checked and there < pictures:
        yield (
            f"rule {report.rule}: {there:,} of {amount(pictures, 'picture')} can be read below "
            "RAW; equal bytes of the others are not known"
        )


def _complaints(rules: Sequence[Rule], reports: Sequence[RuleReport], *, sample: bool) -> list[str]:
    """Sentences on what could not be checked, and on lists that are not the published ones."""
    told = [text for report in reports if (text := not_checked(report))]
    for rule, report in zip(rules, reports, strict=True):
        told += () if sample else unlike_known(rule, report.lists)
    return told


def _refuse(corpus: Corpus, complaints: Sequence[str]) -> None:
    problems = Problems(f"{corpus.name}: --strict-overlap, and not every rule can be checked:")
    problems.extend(complaints)
    problems.raise_if_any(
        advice="Put the files there, switch a rule off (--no-rule), or leave --strict-overlap."
    )


def _judged(drafts: Iterable[Draft], index: EvaluationIndex) -> Iterator[Draft]:
    for draft in drafts:
        leaks = index.ids_of(facts_of(draft.sample.image))
        yield draft._replace(leaks=leaks) if leaks else draft


def _explained(excluded: Iterable[Excluded], known: _Known) -> Iterator[Explanation]:
    """One explanation for each picture and each rule that names it, by the first evidence."""
    found: dict[tuple[str, int], Explanation] = {}
    for one in excluded:
        owners = list(known.index.owners(one.evidence, one.value))
        if not owners:
            raise DataProblem(
                f"{one.key}: left out by its {one.evidence} {one.value}, which is no evaluation "
                "picture's. This is a defect of vle-prep, please report it."
            )
        for owner in owners:
            rule = known.rules[owner.rule]
            explanation = Explanation(
                key=one.key,
                image_id=one.image_id,
                rule=rule.name,
                evidence=one.evidence,
                value=one.value,
                evaluation=rule.dataset,
                evaluation_id=owner.id,
            )
            # Evidence comes in its order, and owners of one id by theirs.
            found.setdefault((one.key, owner.rule), explanation)
    yield from found.values()
