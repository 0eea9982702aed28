"""A picture as Visual Genome tells it: objects, attributes, relations, phrases for regions.

Everything with a name is an object here: things, their parts, and the scenery
that COCO knows nothing of.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from vle_bench.data_prep.sample_world.classes import PERSON, word
from vle_bench.data_prep.sample_world.language.nouns import (
    activity_of,
    is_person,
    name_of,
    with_article,
)
from vle_bench.data_prep.sample_world.scene import NamedBox, PersonFacts, Scene, Thing
from vle_bench.data_prep.sample_world.shapes.geometry import Extent


class Node(NamedTuple):
    """One object."""

    name: str
    extent: Extent
    attributes: tuple[str, ...]


class Link(NamedTuple):
    """One relation between two objects, by their place in the list."""

    subject: int
    predicate: str
    object: int


class Region(NamedTuple):
    """A phrase and the box it speaks of."""

    phrase: str
    extent: Extent


class SceneGraph(NamedTuple):
    """All of it."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    regions: tuple[Region, ...]


_GROUNDS = frozenset({"grass", "sand", "road", "snow", "floor"})
_UPRIGHT = frozenset({"standing", "waving", "pointing", "cheering", "holding up", "holding out"})
_WORN = {"shirt": "wearing", "hat": "wearing", "pants": "wearing", "hair": "has"}


def scene_graph(scene: Scene, rng: random.Random) -> SceneGraph:
    """Builds the graph; `rng` picks among ways to say the same."""
    graph = _Builder(scene, rng)
    for index, thing in enumerate(scene.things):
        graph.add_thing(index, thing)
    for box in scene.place.scenery:
        graph.add_scenery(box)
    graph.link_things()
    return SceneGraph(tuple(graph.nodes), tuple(graph.links), tuple(graph.regions))


class _Builder:
    def __init__(self, scene: Scene, rng: random.Random) -> None:
        self.scene, self.rng = scene, rng
        self.nodes: list[Node] = []
        self.links: list[Link] = []
        self.regions: list[Region] = []
        self.node_of: dict[int, int] = {}
        self.ground = -1
        self.sky = -1

    def add_thing(self, index: int, thing: Thing) -> None:
        """A thing, its parts, and phrases about it; a crowd has no parts."""
        self.node_of[index] = len(self.nodes)
        if thing.crowd:
            name = {PERSON: "people", "bird": "birds", "cup": "cups"}[thing.category]
            self.nodes.append(Node(name, thing.extent, ("many",)))
            self.regions.append(Region(f"a group of {name}", thing.extent))
            return
        attributes = _attributes(self.scene, index, thing)
        self.nodes.append(Node(word(thing.category), thing.extent, attributes))
        self.regions.extend(_phrases(self.scene, index, thing, self.rng))
        for part in thing.parts:
            self.add_part(index, thing, part)

    def add_part(self, index: int, thing: Thing, part: NamedBox) -> None:
        """A part, bound to its owner; clothes have a colour and a phrase."""
        colour = _colour_of_part(thing.person, part.name)
        self.links.append(Link(self.node_of[index], _WORN.get(part.name, "has"), len(self.nodes)))
        self.nodes.append(Node(part.name, part.extent, (colour,) if colour else ()))
        if colour:
            noun = f"{colour} {part.name}"
            phrase = noun if part.name == "pants" else with_article(noun)
            self.regions.append(Region(phrase, part.extent))

    def add_scenery(self, box: NamedBox) -> None:
        """Sky, sun, trees, houses, the ground."""
        if box.name in _GROUNDS:
            self.ground = len(self.nodes)
        if box.name == "sky":
            self.sky = len(self.nodes)
        self.nodes.append(Node(box.name, box.extent, box.attributes))
        if box.attributes:
            phrase = f"the {box.name} is {box.attributes[0]}"
            if self.rng.random() < 0.5:
                phrase = f"{box.attributes[0]} {box.name} in the background"
            self.regions.append(Region(phrase, box.extent))

    def link_things(self) -> None:
        """Who holds what, what stands on what, what is on the ground and in the sky."""
        for index, thing in enumerate(self.scene.things):
            node = self.node_of[index]
            if thing.held_by >= 0:
                verb = "flying" if thing.category == "kite" else "holding"
                self.links.append(Link(self.node_of[thing.held_by], verb, node))
            elif thing.on >= 0:
                self.links.append(Link(node, "on", self.node_of[thing.on]))
                self.regions.append(self.pair(index, "on", thing.on))
            elif thing.extent.y1 > self.scene.place.horizon and self.ground >= 0:
                upright = thing.person is not None and thing.person.pose in _UPRIGHT
                words = ("on", "ON", "standing on") if upright else ("on", "ON", "on")
                self.links.append(Link(node, self.rng.choice(words), self.ground))
            elif self.sky >= 0:
                self.links.append(Link(node, "in", self.sky))
        self.link_neighbours()

    def link_neighbours(self) -> None:
        """The nearest two things that have nothing else to do with each other."""
        single = [(k, t) for k, t in self.scene.single if t.held_by < 0 and t.on < 0]
        pairs = [
            (abs(a.extent.centre[0] - b.extent.centre[0]), k, m)
            for k, a in single
            for m, b in single
            if k < m
        ]
        if pairs:
            _, first, second = min(pairs)
            self.links.append(Link(self.node_of[first], "near", self.node_of[second]))

    def pair(self, first: int, preposition: str, second: int) -> Region:
        """A phrase about two things, with the box around both."""
        a, b = self.scene.things[first], self.scene.things[second]
        union = Extent(
            min(a.extent.x0, b.extent.x0),
            min(a.extent.y0, b.extent.y0),
            max(a.extent.x1, b.extent.x1),
            max(a.extent.y1, b.extent.y1),
        )
        return Region(f"{name_of(a)} {preposition} {with_article(name_of(b))}", union)


def _attributes(scene: Scene, index: int, thing: Thing) -> tuple[str, ...]:
    if thing.person is not None:
        doing = activity_of(scene, index)
        first = doing.split()[0] if " " in doing and doing != "lying down" else doing
        return (first, thing.person.mood)
    return (thing.colour,) if thing.colour else ()


def _phrases(scene: Scene, index: int, thing: Thing, rng: random.Random) -> list[Region]:
    if is_person(thing) and thing.person is not None:
        phrases = [
            f"a person {activity_of(scene, index)}",
            f"person wearing {with_article(thing.person.shirt)} shirt",
        ]
    else:
        noun = word(thing.category)
        phrases = [with_article(name_of(thing))]
        if thing.colour and rng.random() < 0.5:
            phrases.append(f"the {noun} is {thing.colour}")
        if thing.detail and thing.category == "clock":
            phrases.append(f"clock says {thing.detail} o'clock")
        if thing.detail and thing.category == "bus":
            phrases.append(f"number {thing.detail} on the side of the bus")
    return [Region(phrase, thing.extent) for phrase in phrases]


def _colour_of_part(person: PersonFacts | None, name: str) -> str:
    if person is None:
        return ""
    return {"shirt": person.shirt, "pants": person.trousers, "hat": person.hat}.get(name, "")
