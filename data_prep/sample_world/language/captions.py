"""Captions in the manner of each corpus, true of their picture and, where it can be, of no other.

Five people describe one picture: each starts at another thing, and goes on naming
things until no other picture of the corpus fits the sentence.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, NamedTuple

from vle_bench.data_prep.sample_world.language.mentions import (
    Claim,
    Mention,
    claims_of,
    mentions_of,
)
from vle_bench.data_prep.sample_world.language.sentences import (
    Plan,
    album,
    alt_text,
    chinese,
    observer,
)
from vle_bench.data_prep.sample_world.scene import Scene
from vle_bench.data_prep.sample_world.streams import stream

_FEWEST, _MOST = 2, 5
_STYLES = {
    "observer": observer,
    "alt text": alt_text,
    "album": album,
    "chinese": chinese,
}
Style = Literal["observer", "alt text", "album", "chinese"]


class Caption(NamedTuple):
    """A sentence, and what it claims."""

    text: str
    claims: frozenset[Claim]
    mentions: tuple[Mention, ...] = ()
    """What it names, in the order of its words."""


class Captioner:
    """Writes captions for one corpus, knowing all its pictures."""

    def __init__(self, seed: int, corpus: str, scenes: Sequence[Scene]) -> None:
        self._seed, self._corpus = seed, corpus
        self._scenes = scenes
        self._mentions = [mentions_of(scene) for scene in scenes]
        self._having: defaultdict[Claim, set[int]] = defaultdict(set)
        for index, scene in enumerate(scenes):
            for claim in claims_of(scene):
                self._having[claim].add(index)

    def fits(self, caption: Caption) -> set[int]:
        """Which pictures the caption is true of."""
        sets = sorted((self._having[claim] for claim in caption.claims), key=len)
        return set.intersection(*sets) if sets else set(range(len(self._scenes)))

    def write(self, index: int, count: int, style: Style) -> list[Caption]:
        """`count` sentences about picture `index`, in the manner of a corpus."""
        rng = stream(self._seed, "caption", self._corpus, style, index)
        captions = []
        for turn in range(count):
            with_sky = turn % 2 == 0
            chosen = self._distinguishing(index, turn, rng)
            claims = self._claims(index, chosen, with_sky=with_sky)
            plan = Plan(self._scenes[index].place, tuple(chosen), with_sky)
            captions.append(Caption(_STYLES[style](plan, rng), claims, plan.mentions))
        return captions

    def _claims(self, index: int, chosen: list[Mention], *, with_sky: bool) -> frozenset[Claim]:
        place = self._scenes[index].place
        claims = {("place", place.name)} | ({("sky", place.sky)} if with_sky else set())
        return frozenset(claims.union(*(mention.claims for mention in chosen)))

    def _distinguishing(self, index: int, turn: int, rng: random.Random) -> list[Mention]:
        """Mentions, from another start each turn, until only this picture has them all."""
        mentions = self._mentions[index]
        if not mentions:
            return []
        start = turn % len(mentions)
        order = mentions[start:] + mentions[:start]
        rest = order[1:]
        rng.shuffle(rest)
        chosen: list[Mention] = []
        for mention in (order[0], *rest):
            chosen.append(mention)
            if len(chosen) >= _MOST:
                break
            alone = self.fits(Caption("", self._claims(index, chosen, with_sky=False))) == {index}
            if alone and len(chosen) >= min(_FEWEST, len(mentions)):
                break
        return chosen
