"""Flickr30k Entities: which words of a caption are where in its picture.

`Sentences/<photo>.txt` marks phrases as `[/EN#<entity>/<type> two men]`, and
`Annotations/<photo>.xml` gives boxes to entities. An entity is what several
captions speak of, so one box goes with every phrase that names its entity. Box
corners count pixels from 1; like the official program we take one from each.
Format: https://github.com/BryanPlummer/flickr30k_entities
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from xml.parsers import expat

from vle_bench.data_prep.books import Books
from vle_bench.data_prep.joined import Joined
from vle_bench.records import BoxAnnotation

BOX_SOURCE = "flickr30k-entities"
UNREADABLE = "phrase boxes not readable"
BOXLESS = "entity without a box"
UNMARKED = "phrase mark that is not understood"

_PHRASE = re.compile(r"\[/EN#(?P<entity>[0-9]+)(?P<kinds>(?:/[a-z]+)+) (?P<text>[^\[\]]+)\]")
_MARK = "[/EN#"
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_MOST_NODES = 100_000
_FURTHEST = 1e9
"""Pixels; what lies further out is no place in a picture, and its width may be no number."""


class Phrase(NamedTuple):
    """A phrase of a caption, the entity it names, and the entity's types (`people`, ...)."""

    entity: str
    kinds: tuple[str, ...]
    text: str


class EntityBox(NamedTuple):
    """A box and the entities it belongs to."""

    entities: tuple[str, ...]
    xywh: tuple[float, float, float, float]


class PictureBoxes(NamedTuple):
    """The boxes of one picture, the size they were drawn for, and how many entities have none."""

    boxes: tuple[EntityBox, ...]
    size: tuple[int, int] | None
    boxless: int


class UnreadableBoxes(ValueError):
    """A file of boxes that is not of the official form; the text says how."""


def phrases_of(sentences: str) -> tuple[Phrase, ...]:
    """The phrases marked in the sentences of one picture, each once, in order.

    >>> phrases_of("[/EN#7/people/other Two men] sit on [/EN#9/other a wall] .")[0]
    Phrase(entity='7', kinds=('people', 'other'), text='Two men')
    """
    found = (
        Phrase(match["entity"], tuple(match["kinds"].strip("/").split("/")), match["text"].strip())
        for match in _PHRASE.finditer(sentences)
    )
    return tuple(dict.fromkeys(found))


def marks_lost(sentences: str) -> int:
    """How many marks of phrases are not of the official form."""
    return sentences.count(_MARK) - sum(1 for _ in _PHRASE.finditer(sentences))


def boxes_of(xml: bytes) -> PictureBoxes:
    """The boxes of one picture.

    Args:
        xml: The bytes of `Annotations/<photo>.xml`.

    Raises:
        UnreadableBoxes: Broken XML, one that declares entities or a document type (the way to
            make a small file huge), or corners that are no numbers.
    """
    reader = _Reader()
    try:
        reader.parse(xml)
    except expat.ExpatError as error:
        raise UnreadableBoxes(f"broken XML ({error})") from error
    except (ValueError, LookupError) as error:  # an encoding that Python does not know
        raise UnreadableBoxes(str(error)) from error
    return PictureBoxes(tuple(reader.boxes), reader.size, reader.boxless)


def add_boxes(
    image: int,
    found: PictureBoxes,
    phrases: Sequence[Phrase],
    *,
    books: Books,
    boxes: Joined[BoxAnnotation],
) -> None:
    """Adds a region for each box and phrase of its entity; one without a phrase where none is."""
    for number, box in enumerate(found.boxes):
        for entity in box.entities:
            named: Sequence[Phrase] = [one for one in phrases if one.entity == entity]
            for turn, phrase in enumerate(named or (Phrase(entity, (), ""),)):
                books.read["box"] += 1
                region = BoxAnnotation(
                    id=f"{entity}-{number}-{turn}",
                    xywh=box.xywh,
                    attributes=phrase.kinds,
                    phrase=phrase.text,
                    kind="region",
                    source=BOX_SOURCE,
                )
                boxes.add(image, region)
    if found.boxless:
        books.adjusted[BOXLESS] += found.boxless


class _Reader:
    """Follows the XML of one picture; expat calls it, node by node."""

    def __init__(self) -> None:
        self.boxes: list[EntityBox] = []
        self.size: tuple[int, int] | None = None
        self.boxless = 0
        self._path: list[str] = []
        self._text = ""
        self._names: list[str] = []
        self._numbers: dict[str, float] = {}
        self._nodes = 0

    def parse(self, xml: bytes) -> None:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        parser.StartElementHandler = self._start
        parser.CharacterDataHandler = self._characters
        parser.EndElementHandler = self._end
        parser.Parse(xml, True)

    def _start(self, name: str, _: object) -> None:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise UnreadableBoxes(f"more than {_MOST_NODES:,} nodes")
        self._path.append(name)
        self._text = ""
        if name == "object":
            self._names, self._numbers = [], {}

    def _characters(self, text: str) -> None:
        self._text += text

    def _end(self, name: str) -> None:
        self._path.pop()
        parent = self._path[-1] if self._path else ""
        text, self._text = self._text.strip(), ""
        if parent == "object" and name == "name":
            self._names.append(text)
        elif parent in ("bndbox", "size"):
            self._numbers[name] = _number(text)
        elif name == "size":
            width, height = (int(self._numbers.get(one, 0)) for one in ("width", "height"))
            self.size = (width, height) if width > 0 and height > 0 else None
        elif name == "object":
            self._close_object()

    def _close_object(self) -> None:
        if not self._numbers:
            self.boxless += len(self._names)
            return
        missing = [corner for corner in _CORNERS if corner not in self._numbers]
        if missing or not self._names:
            raise UnreadableBoxes(f"a box without {', '.join(missing) or 'name'}")
        x0, y0, x1, y1 = (self._numbers[corner] - 1 for corner in _CORNERS)
        self.boxes.append(EntityBox(tuple(self._names), (x0, y0, x1 - x0, y1 - y0)))


def _number(text: str) -> float:
    number = float(text)
    if not abs(number) <= _FURTHEST:  # of NaN nothing is true
        raise UnreadableBoxes(f"{text} where a number of pixels was expected")
    return number


def _refuse(*_: object) -> None:
    raise UnreadableBoxes("it declares a document type or entities, which no official file does")
