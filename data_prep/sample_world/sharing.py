"""Which evaluation pictures hide in the training corpora, and by what they can be known.

Real corpora overlap: half of Visual Genome is COCO, and web collections hold
Flickr photographs that are test pictures elsewhere. Here every such case is put
there on purpose, by one of four ways to find it again, and told in the ledger.
"""

from __future__ import annotations

import random
from typing import Literal, NamedTuple

from vle_bench.data_prep.sample_world.printing import Treatment
from vle_bench.data_prep.sample_world.roster import Drawn, Roster
from vle_bench.data_prep.sample_world.streams import stream

How = Literal["coco_id", "flickr_id", "bytes", "near-copy"]
Corpus = Literal["vg", "cc3m", "sbu"]


class Hidden(NamedTuple):
    """A picture of one corpus that is also in a training corpus."""

    corpus: Corpus
    drawn: Drawn
    how: How
    """The first of the four ways by which it can be recognised."""

    @property
    def treatment(self) -> Treatment:
        """Where an id or nothing at all gives it away, the web has a smaller file."""
        same = self.corpus == "vg" or self.how == "bytes"
        return "same" if same else "near-copy"


def hide(roster: Roster) -> tuple[Hidden, ...]:
    """Chooses what is hidden where; at least one of each kind where there is a picture for it."""
    rng = stream(roster.seed, "hidden")
    pools = _Pools(roster, rng)
    vg, sbu, cc3m = (len(roster.parts[part]) for part in ("vg", "sbu", "cc3m-train"))
    few = {"vg": _share(vg, 10), "sbu": _share(sbu, 16), "cc3m": _share(cc3m, 16)}
    found: list[Hidden] = []
    for karpathy in ("test", "val", "restval"):
        chosen = pools.coco(karpathy, few["vg"])
        found.extend(Hidden("vg", drawn, "coco_id") for drawn in chosen)
    rest = max(0, vg - len(found))
    found.extend(Hidden("vg", drawn, "coco_id") for drawn in pools.coco("train", rest))
    found.extend(Hidden("vg", drawn, "flickr_id") for drawn in pools.flickr("test", few["vg"]))
    web: tuple[tuple[Corpus, How, list[Drawn]], ...] = (
        ("sbu", "flickr_id", pools.flickr("test", few["sbu"])),
        ("sbu", "near-copy", pools.coco("test", few["sbu"])),
        ("sbu", "bytes", pools.coco("val", few["sbu"])),
        ("sbu", "bytes", pools.coco_test(few["sbu"])),
        ("cc3m", "bytes", pools.coco("test", few["cc3m"])),
        ("cc3m", "near-copy", pools.flickr("val", few["cc3m"])),
        ("cc3m", "flickr_id", pools.coco("val", few["cc3m"])),
    )
    for corpus, how, chosen in web:
        found.extend(Hidden(corpus, drawn, how) for drawn in chosen)
    return tuple(found)


class Evaluation(NamedTuple):
    """A place in an evaluation split."""

    dataset: str
    split: str
    id: int


def evaluations_of(drawn: Drawn) -> list[Evaluation]:
    """Every evaluation split a picture belongs to; training pictures belong to none."""
    found = []
    if drawn.split == "val2014":
        if drawn.karpathy in {"val", "test"}:
            found.append(Evaluation("coco", drawn.karpathy, drawn.coco_id))
        found.append(Evaluation("vqav2", "val", drawn.coco_id))
    if drawn.split == "test2015":
        found.append(Evaluation("vqav2", "test", drawn.coco_id))
    if drawn.split == "flickr30k":
        if drawn.karpathy in {"val", "test"}:
            found.append(Evaluation("flickr30k", drawn.karpathy, drawn.photo_id))
        if drawn.entities in {"val", "test"}:
            found.append(Evaluation("flickr30k-cn", drawn.entities, drawn.photo_id))
    return found


class _Pools:
    """Pictures that may be hidden; each is hidden once."""

    def __init__(self, roster: Roster, rng: random.Random) -> None:
        self._free: dict[str, list[Drawn]] = {}
        for part in ("coco-train", "coco-val", "coco-test", "flickr30k"):
            pictures = list(roster.parts[part])
            rng.shuffle(pictures)
            for drawn in pictures:
                corpus = "flickr30k" if part == "flickr30k" else "coco"
                self._free.setdefault(f"{corpus}/{drawn.karpathy or 'test2015'}", []).append(drawn)

    def coco(self, karpathy: str, count: int) -> list[Drawn]:
        """COCO pictures of a Karpathy split."""
        return self._take(f"coco/{karpathy}", count)

    def coco_test(self, count: int) -> list[Drawn]:
        """COCO pictures of the hidden test set."""
        return self._take("coco/test2015", count)

    def flickr(self, karpathy: str, count: int) -> list[Drawn]:
        """Flickr30k pictures of a Karpathy split."""
        return self._take(f"flickr30k/{karpathy}", count)

    def _take(self, pool: str, count: int) -> list[Drawn]:
        free = self._free.get(pool, [])
        taken, self._free[pool] = free[:count], free[count:]
        return taken


def _share(total: int, one_in: int) -> int:
    return max(1, total // one_in) if total else 0
