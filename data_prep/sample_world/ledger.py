"""`sample_world.json`: what was put where on purpose.

`shared` names every picture of a training corpus that is an evaluation picture
too, once per evaluation split, with ids as the raw files have them: image ids,
photo ids, SBU's row (from 0), the first 16 hex digits of SHA-1 of a CC3M address.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from vle_bench.atomic import write_bytes
from vle_bench.canonical import pretty_json_bytes
from vle_bench.data_prep.sample_world.claim import LEDGER
from vle_bench.data_prep.sample_world.formats import coco, flickr30k
from vle_bench.data_prep.sample_world.formats.vg import VgPicture
from vle_bench.data_prep.sample_world.formats.web import CC3M_HOST, SBU_HOST, WebPicture
from vle_bench.data_prep.sample_world.roster import Drawn, Roster
from vle_bench.data_prep.sample_world.sharing import evaluations_of
from vle_bench.data_prep.sample_world.world import DESCRIPTION, World


class Accident(NamedTuple):
    """One thing that is wrong on purpose."""

    kind: str
    dataset: str
    file: str
    """Path below RAW."""
    id: str


class Shared(NamedTuple):
    """One training picture that is an evaluation picture too."""

    picture: str
    """The training corpus's file, below RAW."""
    corpus: str
    corpus_id: str
    evaluation: str
    evaluation_split: str
    evaluation_id: str
    how: str


class Members(NamedTuple):
    """The corpora that borrow pictures."""

    vg: list[VgPicture]
    cc3m: list[WebPicture]
    cc3m_val: list[WebPicture]
    sbu: list[WebPicture]


def shared_pictures(roster: Roster, members: Members) -> list[Shared]:
    """Every overlap that there is, sorted."""
    found: list[Shared] = []
    for picture in members.vg:
        if picture.hidden is not None:
            how = picture.hidden.how
            found += _each(picture.file, ("vg", str(picture.image_id)), picture.drawn, how)
    for web in (*members.cc3m, *members.sbu):
        if web.hidden is not None:
            found += _each(web.file, (web.corpus, corpus_id(web)), web.drawn, web.hidden.how)
    for drawn in roster.parts["coco-val"]:
        if drawn.karpathy == "restval":
            name = ("coco", str(drawn.coco_id))
            found += _each(coco.picture_file(drawn), name, drawn, "coco_id")
    for drawn in roster.parts["flickr30k"]:
        trains = {"flickr30k": drawn.karpathy, "flickr30k-cn": drawn.entities}
        for corpus, split in trains.items():
            if split == "train":
                name = (corpus, str(drawn.photo_id))
                found += _each(flickr30k.picture_file(drawn), name, drawn, "flickr_id")
    return sorted(found)


def corpus_id(picture: WebPicture) -> str:
    """SBU's row, or the digest of a CC3M address: what follows the corpus in a shard key."""
    if picture.corpus == "sbu":
        return str(picture.row)
    return hashlib.sha1(picture.url.encode("utf-8"), usedforsecurity=False).hexdigest()[:16]


def write_ledger(
    world: World,
    facts: dict[str, Any],
    accidents: list[Accident],
    shared: list[Shared],
) -> None:
    """Writes the ledger, which makes the world whole."""
    ledger = {
        "description": DESCRIPTION,
        **facts,
        "servers": [
            {"dataset": "cc3m", "host": CC3M_HOST, "folder": "cc3m/pictures"},
            {"dataset": "sbu", "host": SBU_HOST, "folder": "sbu/pictures"},
        ],
        "accidents": [entry._asdict() for entry in accidents],
        "shared": [entry._asdict() for entry in shared],
    }
    write_bytes(world.out / LEDGER, pretty_json_bytes(ledger))


def _each(file: str, name: tuple[str, str], drawn: Drawn, how: str) -> list[Shared]:
    return [
        Shared(file, *name, evaluation.dataset, evaluation.split, str(evaluation.id), how)
        for evaluation in evaluations_of(drawn)
    ]
