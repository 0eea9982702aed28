"""Flickr30k Entities: which words of a caption name what, and where in the picture that is.

`Sentences/<photo>.txt` has a caption a line, its phrases marked
`[/EN#<chain>/<type> two dogs]`; phrases of all five captions that mean the same
share a chain. `Annotations/<photo>.xml` gives a chain its boxes, corners counted
from 1, or says that it is a scene without one. Chain 0 is what nobody can see.
Format: https://github.com/BryanPlummer/flickr30k_entities
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple
from xml.sax.saxutils import escape

from vle_bench.atomic import make_folder
from vle_bench.data_prep.sample_world.language.captions import Caption
from vle_bench.data_prep.sample_world.language.nouns import PLACE_PHRASES
from vle_bench.data_prep.sample_world.language.tokens import spaced
from vle_bench.data_prep.sample_world.roster import Drawn
from vle_bench.data_prep.sample_world.scene import Scene
from vle_bench.data_prep.sample_world.shapes.geometry import Extent
from vle_bench.data_prep.sample_world.world import World, write_quickly

_FIRST_CHAIN = 1
_NOT_VISUAL = (0, "notvisual")
_OPENING = "a picture"
_PREPOSITIONS = ("in front of ", "next to ", "in ", "on ", "by ")
_NO_NOUN = "indoors"


class _Named(NamedTuple):
    """What a phrase means: some things, or a part of one; the scene where there are none."""

    things: tuple[int, ...] = ()
    part: str = ""


class _Marks(NamedTuple):
    """Where a phrase stands in a sentence, with its chain and type."""

    start: int
    end: int
    chain: int
    kind: str


def write_entities(world: World, pictures: Sequence[tuple[Drawn, Sequence[Caption]]]) -> None:
    """Writes RAW/flickr30k/Sentences and RAW/flickr30k/Annotations.

    Args:
        world: The world.
        pictures: The pictures with their captions; chains count up in this order.
    """
    folder = world.out / "flickr30k"
    for name in ("Sentences", "Annotations"):
        make_folder(folder / name)
    numbers = count(_FIRST_CHAIN)
    for drawn, captions in pictures:
        scene = world.scene(drawn)
        chains: dict[_Named, int] = {}
        lines = []
        for caption in captions:
            text = spaced(caption.text)
            lines.append(_marked(text, _marks(text, caption, scene, chains=chains, new=numbers)))
        sentences = "".join(f"{line}\n" for line in lines)
        write_quickly(folder / f"Sentences/{drawn.photo_id}.txt", sentences.encode("utf-8"))
        xml = _annotation(f"{drawn.photo_id}.jpg", scene, chains)
        write_quickly(folder / f"Annotations/{drawn.photo_id}.xml", xml.encode("utf-8"))


def _marks(
    text: str, caption: Caption, scene: Scene, *, chains: dict[_Named, int], new: Iterator[int]
) -> Iterator[_Marks]:
    """The phrases of one caption from left to right; new meanings get chains of their own."""

    def chain(named: _Named) -> int:
        if named not in chains:
            chains[named] = next(new)
        return chains[named]

    small = text.lower()
    if small.startswith(f"{_OPENING} of "):
        yield _Marks(0, len(_OPENING), *_NOT_VISUAL)
    at = 0
    for mention in caption.mentions:
        inside = small.index(mention.english, at)
        at = inside + len(mention.english)
        for phrase in mention.phrases:
            start = small.index(phrase.text, inside, at)
            inside = start + len(phrase.text)
            yield _Marks(start, inside, chain(_Named(phrase.things, phrase.part)), phrase.kind)
    for words in PLACE_PHRASES[scene.place.name]:
        start = small.find(words, at)
        if start >= 0 and words != _NO_NOUN:
            skipped = next(len(one) for one in _PREPOSITIONS if words.startswith(one))
            yield _Marks(start + skipped, start + len(words), chain(_Named()), "scene")
            return


def _marked(text: str, marks: Iterator[_Marks]) -> str:
    pieces, at = [], 0
    for mark in marks:
        pieces += [text[at : mark.start], f"[/EN#{mark.chain}/{mark.kind} "]
        pieces += [text[mark.start : mark.end], "]"]
        at = mark.end
    return "".join([*pieces, text[at:]])


def _annotation(file_name: str, scene: Scene, chains: dict[_Named, int]) -> str:
    objects = [
        f"<object><name>{chain}</name>{place}</object>"
        for named, chain in chains.items()
        for place in _places(named, scene)
    ]
    size = f"<width>{scene.width}</width><height>{scene.height}</height><depth>3</depth>"
    return (
        f"<annotation><filename>{escape(file_name)}</filename><size>{size}</size>"
        f"{''.join(objects)}</annotation>\n"
    )


def _places(named: _Named, scene: Scene) -> Iterator[str]:
    if not named.things:
        yield "<scene>1</scene><nobndbox>1</nobndbox>"
    for index in named.things:
        thing = scene.things[index]
        parts = [part.extent for part in thing.parts if part.name == named.part]
        for extent in parts if named.part else [thing.extent]:
            yield _box(extent, scene)


def _box(extent: Extent, scene: Scene) -> str:
    """Whole pixels around an extent; the first pixel is 1, the last one as wide as the picture."""
    corners = {
        "xmin": max(math.floor(extent.x0), 0) + 1,
        "ymin": max(math.floor(extent.y0), 0) + 1,
        "xmax": min(math.ceil(extent.x1) + 1, scene.width),
        "ymax": min(math.ceil(extent.y1) + 1, scene.height),
    }
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in corners.items())
    return f"<bndbox>{inner}</bndbox>"
