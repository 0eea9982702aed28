"""Everything by which the pictures of an evaluation set can be known, from the user's raw files.

A list of ids is the least. COCO's own files add Flickr's photo ids (not for
test pictures: the published list does not tell them), and where the pictures
themselves are there, so are their bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import NamedTuple

from vle_bench.data_prep.coco_files import PICTURE_FOLDERS, ImageRow
from vle_bench.data_prep.journal import FOLDER
from vle_bench.data_prep.leaks.digests import picture_digests
from vle_bench.data_prep.leaks.evidence import NO_ID, Evidence, Facts, coco_photo, id_number
from vle_bench.data_prep.leaks.lists import ReadLists, read_lists
from vle_bench.data_prep.leaks.rules import Rule
from vle_bench.data_prep.named_files import NamedFiles
from vle_bench.data_prep.sources import PictureFile, RawTree
from vle_bench.identity import number_of
from vle_bench.shards.report import RuleReport

_STORE = "evaluation"
_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "flickr30k": ("flickr30k-images/", "flickr30k_images/"),
    "vcr": ("vcr1images/",),
}
_FLICKR_IDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "val2014": (
        ("annotations/captions_val2014.json",),
        ("annotations/instances_val2014.json",),
        ("annotations/captions_train2017.json", "annotations/captions_val2017.json"),
        ("annotations/instances_train2017.json", "annotations/instances_val2017.json"),
    ),
    "test2015": (("annotations/image_info_test2015.json",),),
}
"""Files of COCO that say where its pictures are from: each row is enough, the first is taken."""


class EvaluationSet(NamedTuple):
    """The pictures of one rule.

    Attributes:
        pictures: The id of each, and by what it can be known.
        report: What the rule could see; `excluded` is still empty.
        sources: sha256 of every annotation file read, by its name below RAW.
    """

    pictures: tuple[tuple[str, Facts], ...]
    report: RuleReport
    sources: Mapping[str, str]


def evaluation_set(
    rule: Rule, raw: RawTree, evidence: Iterable[Evidence], *, out: Path, workers: int
) -> EvaluationSet:
    """Gathers what can be known of a rule's pictures.

    Args:
        rule: The rule.
        raw: The user's raw folder.
        evidence: What the corpus can be compared by; nothing else is gathered.
        out: The output folder, beside whose journal digests are kept.
        workers: Threads that take digests.

    Raises:
        DataProblem: A list is malformed.
        MachineProblem: A picture cannot be read.
    """
    lists = read_lists(rule, raw)
    sources = dict(lists.sources)
    photos = _photos(rule, lists.pictures.keys(), raw, sources)
    digests = _digests(rule, lists, raw, out=out, workers=workers)
    wanted = frozenset(evidence)
    pictures = tuple(
        (
            identity,
            Facts(
                id_number(identity) if rule.dataset == "coco" and "coco_id" in wanted else NO_ID,
                photos.get(identity, NO_ID) if "flickr_id" in wanted else NO_ID,
                digests.get(identity, b""),
            ),
        )
        for identity in lists.pictures
    )
    known: dict[str, int] = {
        "coco_id": sum(facts.coco_id != NO_ID for _, facts in pictures),
        "flickr_id": sum(facts.flickr_id != NO_ID for _, facts in pictures),
        "bytes": sum(bool(facts.sha256) for _, facts in pictures),
    }
    report = RuleReport(
        rule=rule.name,
        lists=lists.reports,
        not_checked=_not_checked(rule, lists, seen=any(known.values()), wanted=wanted),
        known={name: known[name] for name in sorted(wanted)},
        bytes_sha256=_digest_of(digests.values()),
    )
    return EvaluationSet(pictures, report, sources)


def unread(rule: Rule, raw: RawTree) -> RuleReport:
    """What the lists of a rule alone tell; no picture is looked at.

    Raises:
        DataProblem: A list is malformed.
    """
    lists = read_lists(rule, raw)
    seen = {"listed": len(lists.pictures)} if lists.pictures else {}
    return RuleReport(rule=rule.name, lists=lists.reports, not_checked=lists.lacking, known=seen)


def _photos(
    rule: Rule, images: AbstractSet[str], raw: RawTree, sources: dict[str, str]
) -> dict[str, int]:
    """The Flickr photo id of each picture that has one."""
    if rule.dataset == "flickr30k":
        return {identity: id_number(identity) for identity in images}
    for files in _FLICKR_IDS.get(rule.part, ()):
        documents = [raw.document("coco", file) for file in files] if images else []
        if documents and all(documents):
            photos: dict[str, int] = {}
            for document in filter(None, documents):
                sources[document.name] = document.sha256
                for rows in document.rows(
                    "images", ImageRow, expected="COCO annotations", to_the_end=False
                ):
                    photos.update(_photos_in(rows, images))
            return photos
    return {}


def _photos_in(rows: Iterable[ImageRow], images: AbstractSet[str]) -> Iterator[tuple[str, int]]:
    for row in rows:
        identity = str(number_of(row.id))
        if identity in images:
            yield identity, id_number(coco_photo(row.flickr_url or ""))


def _digests(
    rule: Rule, lists: ReadLists, raw: RawTree, *, out: Path, workers: int
) -> dict[str, bytes]:
    """The sha256 of each picture whose file is there and can be read."""
    files = dict(_files(rule, lists, raw))
    taken = picture_digests(
        list(files.values()),
        root=raw.root,
        store=out / FOLDER / _STORE / f"{rule.name}.npz",
        what=rule.name,
        workers=workers,
    )
    pairs = zip(files, taken, strict=True)
    return {identity: digest for identity, digest in pairs if digest}


def _files(rule: Rule, lists: ReadLists, raw: RawTree) -> Iterator[tuple[str, PictureFile]]:
    """The picture files that are there, in the order of the ids."""
    if rule.dataset == "vcr":
        stills = NamedFiles(raw, "vcr", *_FOLDERS["vcr"])
        for identity, path in lists.pictures.items():
            file = stills.find(path)
            if file is not None:
                yield identity, file
        return
    wanted = {int(identity): identity for identity in lists.pictures}
    found = raw.pictures(rule.dataset, _picture_folders(rule), wanted) if wanted else {}
    for number, identity in wanted.items():
        if number in found:
            yield identity, found[number]


def _picture_folders(rule: Rule) -> tuple[str, ...]:
    return PICTURE_FOLDERS[rule.part] if rule.part else _FOLDERS[rule.dataset]


def _not_checked(rule: Rule, lists: ReadLists, *, seen: bool, wanted: AbstractSet[str]) -> str:
    """What the rule needs and has not, "" for nothing."""
    if lists.lacking or seen:
        return lists.lacking
    lacking = [f"{rule.dataset}/{_picture_folders(rule)[0]}"]
    if "flickr_id" in wanted and rule.part in _FLICKR_IDS and rule.part != "test2015":
        lacking.insert(0, f"{rule.dataset}/{_FLICKR_IDS[rule.part][0][0]}")
    return f"{' and '.join(lacking)} absent"


def _digest_of(digests: Iterable[bytes]) -> str:
    """One digest for all, whatever their order; "" for none."""
    ordered = sorted(digests)
    return hashlib.sha256(b"".join(ordered)).hexdigest() if ordered else ""
