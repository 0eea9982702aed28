"""Which pictures have an accident: a few of every corpus, each another one.

No picture has two accidents, none that is shared between corpora has any (the
ledger's word about shared bytes must stay true), and most pictures of every
corpus stay whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from vle_bench.data_prep.sample_world.accidents.drafts import Drafts
from vle_bench.data_prep.sample_world.accidents.frames import turn_coco, turn_vcr
from vle_bench.data_prep.sample_world.accidents.spoiled import SPOILS, turned
from vle_bench.data_prep.sample_world.formats import coco, flickr30k, vcr
from vle_bench.data_prep.sample_world.ledger import Accident, Members, corpus_id
from vle_bench.data_prep.sample_world.roster import Drawn
from vle_bench.data_prep.sample_world.streams import stream
from vle_bench.data_prep.sample_world.world import World

_LEAST_WHOLE = 3
"""Of so many pictures, at most one has an accident."""

_COCO = (
    "truncated", "missing", "exif-6-shown", "html", "cmyk", "exif-8-stored", "empty",
    "png-named-jpg", "exif-3-stored", "grey", "exif-8-shown", "exif-6-stored", "bomb",
    "exif-5-shown", "exif-7-stored", "exif-2-stored", "exif-4-stored",
)  # fmt: skip
_VCR = ("missing", "exif-6-shown", "truncated", "exif-8-stored", "grey", "cmyk", "html")
_NO_BOXES = ("missing", "html", "truncated", "png-named-jpg", "exif-6", "empty", "grey", "cmyk")
_VG = ("truncated", "missing", "html", "grey", "png-named-jpg", "cmyk", "empty")


class Victim(NamedTuple):
    """A picture file that an accident may happen to."""

    dataset: str
    file: str
    id: str
    drawn: Drawn


def spoil_pictures(world: World, members: Members, drafts: Drafts) -> list[Accident]:
    """Spoils picture files, and turns the annotations of those stored sideways."""
    shared = {genome.drawn for genome in members.vg if genome.hidden}
    shared |= {page.drawn for page in (*members.cc3m, *members.sbu) if page.hidden}
    parts = world.roster.parts
    pools: tuple[tuple[list[Victim], Sequence[str]], ...] = (
        (_at_home("coco", (*parts["coco-train"], *parts["coco-val"])), _COCO),
        (_at_home("vcr", (*parts["vcr-train"], *parts["vcr-val"])), _VCR),
        (_at_home("flickr30k", parts["flickr30k"]), _NO_BOXES),
        ([Victim("vg", p.file, str(p.image_id), p.drawn) for p in members.vg], _VG),
        ([Victim("cc3m", p.file, corpus_id(p), p.drawn) for p in members.cc3m], _NO_BOXES),
        ([Victim("sbu", p.file, corpus_id(p), p.drawn) for p in members.sbu], _NO_BOXES),
    )
    accidents: list[Accident] = []
    for victims, kinds in pools:
        whole = [victim for victim in victims if victim.drawn not in shared]
        rng = stream(world.seed, "accidents", whole[0].dataset if whole else "")
        rng.shuffle(whole)
        accidents += _spoil_some(world, whole, kinds, drafts)
    return accidents


def _spoil_some(
    world: World, victims: list[Victim], kinds: Sequence[str], drafts: Drafts
) -> list[Accident]:
    """One accident of each kind, as far as there are pictures to spare."""
    left = list(victims)
    done: list[Accident] = []
    for kind in kinds:
        if len(done) >= len(victims) // _LEAST_WHOLE:
            break
        victim = next((v for v in left if _is_fit(world, v, kind)), None)
        if victim is None:
            continue
        left.remove(victim)
        _spoil(world, victim, kind, drafts)
        done.append(Accident(kind, victim.dataset, victim.file, victim.id))
    return done


def _is_fit(world: World, victim: Victim, kind: str) -> bool:
    """Crowds have masks that are not turned; a square picture does not show a quarter turn."""
    if not kind.startswith("exif"):
        return True
    scene = world.scene(victim.drawn)
    crowded = any(thing.crowd for thing in scene.things)
    return bool(scene.things) and not crowded and scene.width != scene.height


def _spoil(world: World, victim: Victim, kind: str, drafts: Drafts) -> None:
    path = world.out / victim.file
    if not kind.startswith("exif"):
        data = SPOILS[kind](path.read_bytes())
        if data is None:
            path.unlink()
        else:
            path.write_bytes(data)
        return
    _, orientation, *frame = kind.split("-")
    path.write_bytes(turned(path.read_bytes(), int(orientation)))
    if frame == ["stored"]:
        _turn_records(victim, int(orientation), drafts)


def _turn_records(victim: Victim, orientation: int, drafts: Drafts) -> None:
    drawn = victim.drawn
    if victim.dataset == "vcr":
        turn_vcr(drafts.document(f"vcr/vcr1images/{vcr.frame_of(drawn).metadata}"), orientation)
        return
    for name in ("instances", "captions"):
        document = drafts.document(f"coco/annotations/{name}_{drawn.split}.json")
        turn_coco(document, drawn.coco_id, orientation)


def _at_home(dataset: str, pictures: Iterable[Drawn]) -> list[Victim]:
    if dataset == "coco":
        return [Victim(dataset, coco.picture_file(d), str(d.coco_id), d) for d in pictures]
    if dataset == "vcr":
        return [Victim(dataset, vcr.picture_file(d), vcr.image_id(d), d) for d in pictures]
    return [Victim(dataset, flickr30k.picture_file(d), str(d.photo_id), d) for d in pictures]
