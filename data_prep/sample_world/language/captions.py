"""Captions in the manner of each corpus, true of their picture and, where it can be, of no other.

Five people describe one picture: each starts at another thing, and goes on naming
things until no other picture of the corpus fits the sentence.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from vle_bench.data_prep.sample_world.language import chinese_nouns as zh
from vle_bench.data_prep.sample_world.language.mentions import (
    Claim,
    Mention,
    claims_of,
    mentions_of,
)
from vle_bench.data_prep.sample_world.language.nouns import PLACE_PHRASES
from vle_bench.data_prep.sample_world.scene import Scene
from vle_bench.data_prep.sample_world.streams import stream

_FEWEST, _MOST = 2, 5
_SKY_PHRASES = {
    "sunny": ("on a sunny day", "under a bright sun"),
    "cloudy": ("on a cloudy day", "under a cloudy sky"),
    "rainy": ("in the rain", "on a rainy day"),
    "snowy": ("while it snows", "during a snowfall"),
    "night": ("at night", "under the moon"),
    "": ("", ""),
}


class Caption(NamedTuple):
    """A sentence, and what it claims."""

    text: str
    claims: frozenset[Claim]


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

    def english(self, index: int, count: int) -> list[Caption]:
        """`count` English sentences about picture `index`."""
        rng = stream(self._seed, "caption", self._corpus, index)
        scene = self._scenes[index]
        captions = []
        for turn in range(count):
            chosen = self._distinguishing(index, turn, rng)
            claims = self._claims(index, chosen, with_sky=turn % 2 == 0)
            text = _sentence(scene, chosen, rng, with_sky=turn % 2 == 0)
            captions.append(Caption(text, claims))
        return captions

    def chinese(self, index: int, count: int) -> list[Caption]:
        """`count` Chinese sentences about picture `index`."""
        rng = stream(self._seed, "chinese caption", self._corpus, index)
        scene = self._scenes[index]
        captions = []
        for turn in range(count):
            chosen = self._distinguishing(index, turn, rng)
            claims = self._claims(index, chosen, with_sky=turn % 2 == 0)
            text = _chinese_sentence(scene, chosen, rng, with_sky=turn % 2 == 0)
            captions.append(Caption(text, claims))
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


def _sentence(scene: Scene, chosen: list[Mention], rng: random.Random, *, with_sky: bool) -> str:
    place = rng.choice(PLACE_PHRASES[scene.place.name])
    sky = rng.choice(_SKY_PHRASES[scene.place.sky]) if with_sky else ""
    if not chosen:
        text = f"An empty scene {place}, nobody is there"
    else:
        nouns = _listed(chosen)
        first = chosen[0]
        match rng.randrange(4):
            case 0:
                text = f"There {'are' if first.many else 'is'} {nouns} {place}"
            case 1:
                text = f"A picture of {nouns} {place}"
            case _:
                text = f"{nouns} {place}"
    text = f"{text} {sky}".strip()
    return f"{text[0].upper()}{text[1:]}{rng.choice(('.', '.', '.', '', ' .'))}"


def _chinese_sentence(
    scene: Scene, chosen: list[Mention], rng: random.Random, *, with_sky: bool
) -> str:
    place = rng.choice(zh.PLACES[scene.place.name])
    sky = rng.choice(zh.SKIES[scene.place.sky]) if with_sky else ""
    if not chosen:
        return f"{sky}{place}空无一人{zh.STOP}"
    first, rest = chosen[0].chinese, [mention.chinese for mention in chosen[1:]]
    text = f"{sky}{place}有{first}"
    if rest:
        more = rng.choice(("旁边还有", "还有", "附近有"))
        text += f"{zh.COMMA}{more}{'和'.join(rest[:2])}"
        for last in rest[2:]:
            text += f"{zh.COMMA}另外还有{last}"
    return text + rng.choice((zh.STOP, zh.STOP, ""))


def _listed(chosen: Sequence[Mention]) -> str:
    """The mentions as one phrase; a comma keeps the next thing out of a hand that holds."""
    phrases = [mention.english for mention in chosen]
    if len(phrases) == 1:
        return phrases[0]
    comma = "," if chosen[-2].about_people else ""
    last = f"{comma} and {phrases[-1]}{comma if not chosen[-1].about_people else ''}"
    return f"{', '.join(phrases[:-1])}{last}"
