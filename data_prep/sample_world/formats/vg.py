"""Visual Genome 1.4: image list, objects, attributes, regions, relationships.

Format: https://homes.cs.washington.edu/~ranjay/visualgenome/api_readme.html, with the
habits of the released files: a region file names its picture `id`, boxes of
regions are spelled `width`/`height` and those of objects `w`/`h`, objects in
relationships have mostly a `name` and now and then `names`, attributes may be absent.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from vle_bench.data_prep.sample_world.language.scene_graph import Node, SceneGraph, scene_graph
from vle_bench.data_prep.sample_world.roster import Drawn, Roster
from vle_bench.data_prep.sample_world.shapes.geometry import Extent
from vle_bench.data_prep.sample_world.sharing import Hidden
from vle_bench.data_prep.sample_world.streams import stream
from vle_bench.data_prep.sample_world.world import World

Json = dict[str, Any]

_HOST = "cs.stanford.example.org"
_IDS = range(1, 2_417_998)
_FIRST_OBJECT, _FIRST_REGION, _FIRST_RELATION = 1_058_498, 1_382, 15_927
_PREDICATE_SYNSETS = {
    "on": "along.r.01",
    "standing on": "stand.v.01",
    "in": "in.r.01",
    "has": "have.v.01",
    "wearing": "wear.v.01",
    "holding": "hold.v.02",
    "flying": "fly.v.01",
    "near": "near.r.01",
}
_ODD_SYNSETS = {"ball": "ball.n.01", "people": "people.n.01", "teddy bear": "teddy.n.01"}
_NO_SYNSET = frozenset({"potted plant", "birds", "cups", "pants"})


class VgPicture(NamedTuple):
    """One picture of the corpus; `hidden` where it is another corpus's picture too."""

    image_id: int
    folder: str
    drawn: Drawn
    hidden: Hidden | None

    @property
    def file(self) -> str:
        """Path below RAW."""
        return f"vg/{self.folder}/{self.image_id}.jpg"


def vg_pictures(roster: Roster, hidden: tuple[Hidden, ...]) -> list[VgPicture]:
    """All pictures of the corpus, by rising id as in the real file."""
    members: list[tuple[Drawn, Hidden | None]] = [(drawn, None) for drawn in roster.parts["vg"]]
    members += [(entry.drawn, entry) for entry in hidden if entry.corpus == "vg"]
    rng = stream(roster.seed, "vg")
    rng.shuffle(members)
    ids = sorted(rng.sample(_IDS, len(members)))
    return [
        VgPicture(image_id, rng.choice(("VG_100K", "VG_100K_2")), drawn, entry)
        for image_id, (drawn, entry) in zip(ids, members, strict=True)
    ]


def write_vg(world: World, pictures: list[VgPicture]) -> None:
    """Writes everything below RAW/vg but the pictures."""
    graphs = [
        scene_graph(world.scene(p.drawn), stream(world.seed, "vg graph", p.image_id))
        for p in pictures
    ]
    world.write_json("vg/image_data.json", [_image(world, picture) for picture in pictures])
    numbers = _Numbers()
    objects = [
        [_object(world, picture, node, numbers.object()) for node in graph.nodes]
        for picture, graph in zip(pictures, graphs, strict=True)
    ]
    world.write_json(
        "vg/objects.json",
        [
            {
                "image_id": picture.image_id,
                "objects": [{**entry, "merged_object_ids": []} for entry in entries],
                "image_url": _url(picture),
            }
            for picture, entries in zip(pictures, objects, strict=True)
        ],
    )
    world.write_json(
        "vg/attributes.json",
        [
            {"image_id": picture.image_id, "attributes": _attributes(graph, entries)}
            for picture, graph, entries in zip(pictures, graphs, objects, strict=True)
        ],
    )
    world.write_json(
        "vg/region_descriptions.json",
        [
            {"regions": _regions(world, picture, graph, numbers), "id": picture.image_id}
            for picture, graph in zip(pictures, graphs, strict=True)
        ],
    )
    world.write_json(
        "vg/relationships.json",
        [
            {
                "relationships": _relationships(graph, entries, numbers),
                "image_id": picture.image_id,
            }
            for picture, graph, entries in zip(pictures, graphs, objects, strict=True)
        ],
    )


class _Numbers:
    """Ids that count up through the whole corpus."""

    def __init__(self) -> None:
        self._object, self._region, self._relation = _FIRST_OBJECT, _FIRST_REGION, _FIRST_RELATION

    def object(self) -> int:
        self._object += 1
        return self._object

    def region(self) -> int:
        self._region += 1
        return self._region

    def relation(self) -> int:
        self._relation += 1
        return self._relation


def _image(world: World, picture: VgPicture) -> Json:
    scene = world.scene(picture.drawn)
    hidden = picture.hidden
    return {
        "width": scene.width,
        "url": _url(picture),
        "height": scene.height,
        "image_id": picture.image_id,
        "coco_id": picture.drawn.coco_id if hidden and hidden.how == "coco_id" else None,
        "flickr_id": picture.drawn.photo_id if hidden else None,
    }


def _url(picture: VgPicture) -> str:
    return f"https://{_HOST}/people/rak248/{picture.folder}/{picture.image_id}.jpg"


def _whole(world: World, picture: VgPicture, extent: Extent) -> tuple[int, int, int, int]:
    """Left, top, width and height in whole pixels, inside the picture."""
    scene = world.scene(picture.drawn)
    x0, y0 = max(0, math.floor(extent.x0)), max(0, math.floor(extent.y0))
    x1, y1 = min(scene.width, math.ceil(extent.x1)), min(scene.height, math.ceil(extent.y1))
    return x0, y0, x1 - x0, y1 - y0


def _object(world: World, picture: VgPicture, node: Node, number: int) -> Json:
    x, y, w, h = _whole(world, picture, node.extent)
    return {
        "synsets": _synsets(node.name),
        "h": h,
        "object_id": number,
        "names": [node.name],
        "w": w,
        "y": y,
        "x": x,
    }


def _synsets(name: str) -> list[str]:
    if name in _NO_SYNSET:
        return []
    return [_ODD_SYNSETS.get(name, f"{name.replace(' ', '_')}.n.01")]


def _attributes(graph: SceneGraph, entries: list[Json]) -> list[Json]:
    return [
        {**entry, "attributes": list(node.attributes)} if node.attributes else dict(entry)
        for node, entry in zip(graph.nodes, entries, strict=True)
    ]


def _regions(world: World, picture: VgPicture, graph: SceneGraph, numbers: _Numbers) -> list[Json]:
    regions = []
    for region in graph.regions:
        x, y, w, h = _whole(world, picture, region.extent)
        regions.append(
            {
                "region_id": numbers.region(),
                "width": w,
                "height": h,
                "image_id": picture.image_id,
                "phrase": region.phrase,
                "y": y,
                "x": x,
            }
        )
    return regions


def _relationships(graph: SceneGraph, entries: list[Json], numbers: _Numbers) -> list[Json]:
    relationships = []
    for link in graph.links:
        number = numbers.relation()
        synset = _PREDICATE_SYNSETS[link.predicate.lower()]
        relationships.append(
            {
                "predicate": link.predicate,
                "object": _partner(entries[link.object], with_names=number % 23 == 0),
                "relationship_id": number,
                "synsets": [synset],
                "subject": _partner(entries[link.subject], with_names=number % 29 == 0),
            }
        )
    return relationships


def _partner(entry: Json, *, with_names: bool) -> Json:
    partner = {key: value for key, value in entry.items() if key != "names"}
    name = {"names": entry["names"]} if with_names else {"name": entry["names"][0]}
    return {**name, **partner, "merged_object_ids": []}
