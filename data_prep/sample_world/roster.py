"""Which picture belongs to which corpus, under which ids, and which are shared.

Every picture is drawn once and may be written several times: a Visual Genome
picture is byte for byte a COCO picture, an SBU picture is a Flickr30k test
picture in disguise. What is shared on purpose is noted here, and the ledger
tells it.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from vle_bench.data_prep.sample_world.cast import PictureName, Theme
from vle_bench.data_prep.sample_world.streams import stream

PARTS: tuple[tuple[str, Theme, float, int], ...] = (
    ("coco-train", "photo", 0.24, 3),
    ("coco-val", "photo", 0.17, 4),
    ("coco-test", "photo", 0.07, 1),
    ("vcr-train", "film", 0.10, 2),
    ("vcr-val", "film", 0.06, 2),
    ("vcr-test", "film", 0.03, 2),
    ("flickr30k", "portrait", 0.12, 4),
    ("vg", "photo", 0.07, 2),
    ("cc3m-train", "web", 0.06, 1),
    ("cc3m-val", "web", 0.02, 1),
    ("sbu", "web", 0.06, 2),
)
"""Name, theme, share of all pictures, and how many a small world has at least."""

MOST_PICTURES = 500_000
"""COCO ids end at 581,929, and about half of all pictures need one."""

_MOST_COCO_ID = 581_929
_PHOTO_IDS = range(10_000_000, 9_999_999_999)


class Drawn(NamedTuple):
    """One drawn picture: its name, its ids, where its bytes go."""

    name: PictureName
    photo_id: int
    """The id it would have on Flickr."""
    coco_id: int = 0
    split: str = ""
    """COCO: train2014, val2014, test2015; Karpathy and Flickr splits are in `karpathy`."""
    karpathy: str = ""
    entities: str = ""
    """Split of Flickr30k Entities and of the Chinese corpus; a few pictures differ."""
    test_dev: bool = False


class Roster(NamedTuple):
    """All pictures by part, each part in the order of its files."""

    seed: int
    parts: dict[str, tuple[Drawn, ...]]

    def all(self) -> list[Drawn]:
        """Every picture once, part by part."""
        return [drawn for part in self.parts.values() for drawn in part]

    @property
    def coco(self) -> list[Drawn]:
        """Training and validation pictures of COCO, in that order."""
        return [*self.parts["coco-train"], *self.parts["coco-val"]]


def build_roster(images: int, seed: int) -> Roster:
    """Shares `images` pictures out and gives each its ids."""
    counts = share_out(images)
    rng = stream(seed, "ids")
    photos = iter(rng.sample(_PHOTO_IDS, images))
    coco_total = sum(counts[part] for part in ("coco-train", "coco-val", "coco-test"))
    coco_ids = iter(rng.sample(range(1, _MOST_COCO_ID + 1), coco_total))
    parts = {
        part: tuple(
            Drawn(
                PictureName(seed, part, number, theme),
                next(photos),
                coco_id=next(coco_ids) if part.startswith("coco") else 0,
            )
            for number in range(counts[part])
        )
        for part, theme, _, _ in PARTS
    }
    parts["coco-train"] = tuple(
        drawn._replace(split="train2014", karpathy="train") for drawn in parts["coco-train"]
    )
    parts["coco-val"] = _with_splits(
        parts["coco-val"], (("test", 0.34), ("val", 0.30), ("restval", 0.36)), rng, "val2014"
    )
    parts["coco-test"] = tuple(
        drawn._replace(split="test2015", test_dev=number % 4 == 0)
        for number, drawn in enumerate(parts["coco-test"])
    )
    parts["flickr30k"] = _with_entities(
        _with_splits(
            parts["flickr30k"], (("test", 0.25), ("val", 0.20), ("train", 0.55)), rng, "flickr30k"
        )
    )
    return Roster(seed, parts)


def share_out(images: int) -> dict[str, int]:
    """How many pictures each part has: its minimum first, then by share, largest remainder.

    >>> sum(share_out(240).values()), share_out(24)["vcr-val"], share_out(3)["coco-val"]
    (240, 2, 0)
    """
    counts = {part: 0 for part, _, _, _ in PARTS}
    left = images
    for part, _, _, least in PARTS:
        counts[part] = min(least, left)
        left -= counts[part]
    exact = {part: max(0.0, share * images - counts[part]) for part, _, share, _ in PARTS}
    total = sum(exact.values()) or 1.0
    wanted = {part: left * value / total for part, value in exact.items()}
    for part, value in wanted.items():
        counts[part] += int(value)
    order = sorted(wanted, key=lambda part: (int(wanted[part]) - wanted[part], part))
    for part in order[: images - sum(counts.values())]:
        counts[part] += 1
    return counts


def _with_splits(
    pictures: tuple[Drawn, ...],
    shares: tuple[tuple[str, float], ...],
    rng: random.Random,
    split: str,
) -> tuple[Drawn, ...]:
    """Gives each picture its Karpathy split, mixed through the part; each split if it can be."""
    total = len(pictures)
    labels = [name for name, _ in shares][:total]
    for name, share in shares:
        labels.extend([name] * max(0, round(share * total) - 1))
    labels = (labels + [shares[-1][0]] * total)[:total]
    rng.shuffle(labels)
    return tuple(
        drawn._replace(split=split, karpathy=label)
        for drawn, label in zip(pictures, labels, strict=True)
    )


def _with_entities(pictures: tuple[Drawn, ...]) -> tuple[Drawn, ...]:
    """The Chinese corpus splits the same pictures, but a few stand on the other side.

    Flickr30k-CN follows the Entities split and not Karpathy's, which is how a test
    picture of one comes to be a training picture of the other.
    """
    entities = [drawn.karpathy for drawn in pictures]
    trains = [k for k, label in enumerate(entities) if label == "train"]
    for split in ("test", "val"):
        others = [k for k, label in enumerate(entities) if label == split]
        for _ in range(len(others) // 6):
            a, b = others.pop(), trains.pop()
            entities[a], entities[b] = entities[b], entities[a]
    return tuple(
        drawn._replace(entities=label) for drawn, label in zip(pictures, entities, strict=True)
    )
