"""Which pictures an evaluation set has, by the files of the user that say so.

Lists are read in a stream and reduced to ids. An id that is no number names no
picture that could be found again, so it is passed over here; the books of the
dataset itself name it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from vle_bench.canonical import sha256_bytes
from vle_bench.catalog.datasets import id_list_digest
from vle_bench.console import amount, verb
from vle_bench.data_prep.books import Books
from vle_bench.data_prep.karpathy_file import read_assignment
from vle_bench.data_prep.leaks.evidence import flickr30k_photo
from vle_bench.data_prep.leaks.rules import Rule, RuleList
from vle_bench.data_prep.lines import json_lines, lines_of
from vle_bench.data_prep.sources import Document, RawTree
from vle_bench.errors import EmptyFile
from vle_bench.identity import GivenIdentity, Identity, id_order, id_text, number_of
from vle_bench.shards.report import ListReport

_KARPATHY_SPLITS = ("train", "restval", "val", "test")
_STILLS = "VCR questions: {img_id, img_fn}, one JSON object a line"


class _Asked(msgspec.Struct, frozen=True, gc=False):
    image_id: Identity


class _Listed(msgspec.Struct, frozen=True, gc=False):
    id: Identity


class _Still(msgspec.Struct, frozen=True):
    img_id: GivenIdentity
    img_fn: str


class ReadLists(NamedTuple):
    """What the lists of a rule say.

    Attributes:
        pictures: The ids in order; of VCR each with the path of its still, else with "".
        reports: What was read, list by list.
        sources: sha256 of each file read, by its name below RAW.
        lacking: The files that are missed, each with what is wrong: it is absent, or empty, or
            names no picture. "" where nothing is missed.
    """

    pictures: Mapping[str, str]
    reports: tuple[ListReport, ...]
    sources: Mapping[str, str]
    lacking: str


def read_lists(rule: Rule, raw: RawTree) -> ReadLists:
    """Reads the lists of a rule that are there; where any one is enough, the first of them.

    A file without a picture in it is as good as none: a rule that went by it would find nothing
    and count as checked.

    Raises:
        DataProblem: A list is malformed.
    """
    pictures: dict[str, str] = {}
    reports: list[ListReport] = []
    sources: dict[str, str] = {}
    missed: dict[str, list[str]] = {}
    for one in rule.lists:
        try:
            document = raw.document(one.dataset, one.file)
        except EmptyFile:
            missed.setdefault("empty", []).append(one.place)
            continue
        if document is None:
            missed.setdefault("absent", []).append(one.place)
            continue
        named = _READERS[one.form](document, one)
        pictures.update(named)
        sources[document.name] = document.sha256
        reports.append(ListReport(file=one.place, ids=len(named), sha256=_digest(named)))
        if not named:
            missed.setdefault("without a picture", []).append(one.place)
        elif rule.enough == "one":
            missed = {}
            break
    return ReadLists(
        {identity: pictures[identity] for identity in sorted(pictures, key=id_order)},
        tuple(reports),
        sources,
        " and ".join(f"{' and '.join(places)} {state}" for state, places in missed.items()),
    )


def unlike_known(rule: Rule, reports: tuple[ListReport, ...]) -> Iterator[str]:
    """Sentences on lists that are not the published ones."""
    known = {one.place: one for one in rule.lists}
    for report in reports:
        must = known[report.file]
        if must.count and report.ids != must.count:
            yield (
                f"{rule.name}: {report.file} names {amount(report.ids, 'picture')}, "
                f"{must.count:,} {verb(must.count, 'is', 'are')} known ({must.source})"
            )
        elif must.sha256 and report.sha256 != must.sha256:
            yield f"{rule.name}: {report.file} names other pictures than the known ({must.source})"


def _karpathy(document: Document, of: RuleList) -> dict[str, str]:
    named: dict[str, str] = {}
    for split in of.splits:
        assigned = read_assignment(document, split, _KARPATHY_SPLITS, Books(split))
        named |= dict.fromkeys(map(str, assigned.images), "")
    return named


def _questions(document: Document, of: RuleList) -> dict[str, str]:
    del of
    expected = "VQA questions: {questions: [{question_id, image_id, question}]}"
    chunks = document.rows("questions", _Asked, expected=expected)
    return _numbers(row.image_id for chunk in chunks for row in chunk)


def _images(document: Document, of: RuleList) -> dict[str, str]:
    del of
    chunks = document.rows("images", _Listed, expected="COCO annotations", to_the_end=False)
    return _numbers(row.id for chunk in chunks for row in chunk)


def _photos(document: Document, of: RuleList) -> dict[str, str]:
    del of
    names = (line.decode("utf-8", "replace").strip() for _, line in lines_of(document))
    return _numbers(flickr30k_photo(name) for name in names)


def _stills(document: Document, of: RuleList) -> dict[str, str]:
    del of
    return {id_text(row.img_id): row.img_fn for row in json_lines(document, _Still, _STILLS)}


_READERS: Mapping[str, Callable[[Document, RuleList], dict[str, str]]] = {
    "karpathy": _karpathy,
    "questions": _questions,
    "images": _images,
    "photos": _photos,
    "stills": _stills,
}


def _numbers(identities: Iterator[Identity]) -> dict[str, str]:
    numbers = {number for one in identities if (number := number_of(one)) is not None}
    return dict.fromkeys(map(str, numbers), "")


def _digest(named: Mapping[str, str]) -> str:
    if all(identity.isdecimal() for identity in named):
        return id_list_digest(map(int, named))
    return sha256_bytes("".join(f"{identity}\n" for identity in sorted(named)).encode())
