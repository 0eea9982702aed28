"""From what is to be said to a sentence, in the manner of each corpus.

COCO's and Flickr30k's describe, CC3M's are the alternative texts of web pages,
SBU's are what people write below their own photographs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from vle_bench.data_prep.sample_world.language import chinese_nouns as zh
from vle_bench.data_prep.sample_world.language.mentions import Mention
from vle_bench.data_prep.sample_world.language.nouns import PLACE_PHRASES
from vle_bench.data_prep.sample_world.language.tokens import spaced
from vle_bench.data_prep.sample_world.scene import Place

_SKY_PHRASES = {
    "sunny": ("on a sunny day", "under a bright sun"),
    "cloudy": ("on a cloudy day", "under a cloudy sky"),
    "rainy": ("in the rain", "on a rainy day"),
    "snowy": ("while it snows", "during a snowfall"),
    "night": ("at night", "under the moon"),
    "": ("", ""),
}


class Plan(NamedTuple):
    """What a sentence is to say."""

    place: Place
    mentions: tuple[Mention, ...]
    with_sky: bool


def observer(plan: Plan, rng: random.Random) -> str:
    """Somebody who was asked to describe the picture."""
    setting = _setting(plan, rng)
    if not plan.mentions:
        text = f"an empty scene {setting}, nobody is there"
    else:
        nouns = listed(plan.mentions)
        verb = "are" if plan.mentions[0].many else "is"
        opening = rng.choice((f"there {verb} {nouns}", f"a picture of {nouns}", nouns, nouns))
        text = f"{opening} {setting}"
    return f"{text[0].upper()}{text[1:]}{rng.choice(('.', '.', '.', '', ' .'))}"


def alt_text(plan: Plan, rng: random.Random) -> str:
    """A web page's text for those who cannot see the picture: lower case, marks apart."""
    nouns = listed(plan.mentions) if plan.mentions else "landscape"
    setting = _setting(plan, rng)
    forms = (
        f"{nouns} {setting}.",
        f"{nouns} {setting}",
        f"illustration of {nouns} {setting}.",
        f"drawing: {nouns} {setting}",
    )
    return spaced(rng.choice(forms).lower())


def album(plan: Plan, rng: random.Random) -> str:
    """Words below one's own photograph."""
    nouns = listed(plan.mentions) if plan.mentions else "nothing at all"
    setting = _setting(plan, rng)
    forms = (
        f"I found {nouns} {setting}",
        f"We saw {nouns} {setting}.",
        f"Look who was {setting}: {nouns}!",
        f"{nouns[0].upper()}{nouns[1:]} {setting}, my favourite picture of the trip",
    )
    return rng.choice(forms)


def chinese(plan: Plan, rng: random.Random) -> str:
    """A description in Chinese: where, what is there, what else."""
    place = rng.choice(zh.PLACES[plan.place.name])
    sky = rng.choice(zh.SKIES[plan.place.sky]) if plan.with_sky else ""
    if not plan.mentions:
        return f"{sky}{place}空无一人{zh.STOP}"
    first, *rest = (mention.chinese for mention in plan.mentions)
    text = f"{sky}{place}有{first}"
    if rest:
        more = rng.choice(("旁边还有", "还有", "附近有"))
        text += f"{zh.COMMA}{more}{'和'.join(rest[:2])}"
    for last in rest[2:]:
        text += f"{zh.COMMA}另外还有{last}"
    return text + rng.choice((zh.STOP, zh.STOP, ""))


def listed(mentions: Sequence[Mention]) -> str:
    """The mentions as one phrase; a comma keeps the next thing out of a hand that holds."""
    phrases = [mention.english for mention in mentions]
    if len(phrases) == 1:
        return phrases[0]
    comma = "," if mentions[-2].about_people else ""
    last = f"{comma} and {phrases[-1]}{comma if not mentions[-1].about_people else ''}"
    return f"{', '.join(phrases[:-1])}{last}"


def _setting(plan: Plan, rng: random.Random) -> str:
    place = rng.choice(PLACE_PHRASES[plan.place.name])
    sky = rng.choice(_SKY_PHRASES[plan.place.sky]) if plan.with_sky else ""
    return f"{place} {sky}".strip()
