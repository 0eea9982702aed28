"""What a picture shows, as facts: every question, caption and box is derived from here."""

from __future__ import annotations

from typing import NamedTuple

from vle_bench.data_prep.sample_world.shapes.geometry import Extent
from vle_bench.data_prep.sample_world.shapes.paint import Rgb


class PersonFacts(NamedTuple):
    """What can be seen of a person."""

    pose: str
    mood: str
    shirt: str
    trousers: str
    hat: str
    """Colour of the hat, "" for none."""
    hair: str
    """ "long" or "short"."""


class NamedBox(NamedTuple):
    """A part of a thing, or of the scenery, that has a name: for Visual Genome."""

    name: str
    extent: Extent
    attributes: tuple[str, ...] = ()


class Thing(NamedTuple):
    """One annotated object (or, with `crowd`, a group that is annotated as one)."""

    category: str
    colour: str
    """Colour word, "" where the class has none (people, traffic lights, potted plants)."""
    detail: str
    """Bus number, full hour, lit lamp; "" for other classes."""
    facing: str
    """ "left" or "right"; the side of a person's active hand."""
    extent: Extent
    outline: tuple[tuple[float, ...], ...]
    """Polygons as COCO writes them: x and y by turns."""
    area: float
    person: PersonFacts | None = None
    held_by: int = -1
    """Index of the person whose hand holds it."""
    on: int = -1
    """Index of the thing it stands on."""
    crowd: tuple[int, ...] = ()
    """Run lengths of the mask, column by column, where it is a crowd."""
    parts: tuple[NamedBox, ...] = ()


class Place(NamedTuple):
    """Where and when: the background and its words."""

    name: str
    sky: str
    """sunny, cloudy, rainy, snowy, night; "" indoors."""
    pattern: str
    """Wallpaper indoors: plain, striped, dotted; "" outdoors."""
    wall: str
    """Colour word of the wallpaper; "" outdoors."""
    horizon: float
    """Where the ground begins, in pixels from the top."""
    ground: Rgb
    backdrop: Rgb
    scenery: tuple[NamedBox, ...]


class Scene(NamedTuple):
    """One picture's facts. `things` are in painting order, back to front."""

    width: int
    height: int
    place: Place
    things: tuple[Thing, ...]

    @property
    def single(self) -> list[tuple[int, Thing]]:
        """Things that are annotated one by one, with their index."""
        return [(k, thing) for k, thing in enumerate(self.things) if not thing.crowd]

    def of(self, category: str) -> list[tuple[int, Thing]]:
        """The things of one class, crowds aside, with their index."""
        return [(k, thing) for k, thing in self.single if thing.category == category]

    def has_crowd_of(self, category: str) -> bool:
        """Whether some of that class are there as a crowd: then nobody can count them."""
        return any(thing.crowd and thing.category == category for thing in self.things)

    def held_by(self, person: int) -> Thing | None:
        """What that person holds."""
        return next((thing for thing in self.things if thing.held_by == person), None)
