"""VCR: questions about people in boxes, with adversarial choices for answer and rationale.

Format: https://visualcommonsense.com/download/ and rowanz/r2c; boxes are corners
and a score, class names have no spaces, `_orig` sentences count objects from 1.
The test file has none of the keys that give the right choice away.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import msgspec

from vle_bench.data_prep.sample_world.classes import PERSON
from vle_bench.data_prep.sample_world.language.vcr_families import Riddle, riddles_of
from vle_bench.data_prep.sample_world.language.vcr_rows import (
    Choices,
    Matched,
    match,
    with_enough_peers,
)
from vle_bench.data_prep.sample_world.language.vcr_tokens import original, tokens
from vle_bench.data_prep.sample_world.roster import Drawn
from vle_bench.data_prep.sample_world.scene import Scene, Thing
from vle_bench.data_prep.sample_world.streams import stream
from vle_bench.data_prep.sample_world.world import World, write_quickly

Json = dict[str, Any]

_FRAMES_PER_MOVIE = 5
_FOLD = 26_600
_HOW_MANY = (3, 4, 4, 5)
_SMALL_SPLIT = 12
"""So few pictures are asked everything, or there would be no wrong choices to take."""
_TITLES = ("A_Walk", "The_Stranger", "Two_Friends", "Lost_and_Found", "The_Long_Day", "Homeward")
_ENDINGS = ("in_Town", "by_the_Sea", "at_Noon", "without_Words", "on_Monday", "of_Colours")
_ONLY_WITH_LABELS = (
    "answer_orig",
    "rationale_orig",
    "answer_label",
    "rationale_label",
    "answer_match_iter",
    "rationale_match_iter",
    "answer_sources",
    "rationale_sources",
)


class Frame(NamedTuple):
    """Where one picture of VCR lies."""

    movie: str
    name: str

    @property
    def picture(self) -> str:
        """Path below vcr1images."""
        return f"sample_{self.movie}/{self.name}.jpg"

    @property
    def metadata(self) -> str:
        """Path of the boxes below vcr1images."""
        return f"sample_{self.movie}/{self.name}.json"


def frame_of(drawn: Drawn) -> Frame:
    """Film and frame of a picture: five frames a film, films never cross splits."""
    split, number = drawn.name.part.removeprefix("vcr-"), drawn.name.number
    film = number // _FRAMES_PER_MOVIE
    rng = stream(drawn.name.seed, "film", split, film)
    first = {"train": 1000, "val": 600_000, "test": 800_000}[split]
    movie = f"{first + film}_{rng.choice(_TITLES)}_{rng.choice(_ENDINGS)}"
    start = 60_000 + (number % _FRAMES_PER_MOVIE) * 70_000 + rng.randint(0, 60_000)
    end = start + rng.randint(2_000, 6_000)
    return Frame(movie, f"{movie}_{_clock(start)}-{_clock(end)}@0")


def picture_file(drawn: Drawn) -> str:
    """Path below RAW of a VCR picture."""
    return f"vcr/vcr1images/{frame_of(drawn).picture}"


def image_id(drawn: Drawn) -> str:
    """VCR's number of a picture within its split, such as "val-12"."""
    return f"{drawn.name.part.removeprefix('vcr-')}-{drawn.name.number}"


def write_vcr(world: World) -> None:
    """Writes the three jsonl files, and the boxes beside every picture."""
    for split in ("train", "val", "test"):
        rows = _rows(world, split)
        encoded = [msgspec.json.encode(row).decode("utf-8") for row in rows]
        world.write_lines(f"vcr/{split}.jsonl", encoded)


def _rows(world: World, split: str) -> list[Json]:
    pictures = world.roster.parts[f"vcr-{split}"]
    few = len(pictures) <= _SMALL_SPLIT
    riddles: list[Riddle] = []
    about: list[int] = []
    for image, drawn in enumerate(pictures):
        scene = world.scene(drawn)
        _write_metadata(world, drawn, scene)
        chosen = _chosen(scene, stream(world.seed, "vcr", split, image), everything=few)
        riddles.extend(chosen)
        about.extend([image] * len(chosen))
    kept = with_enough_peers(riddles)
    riddles, about = [riddles[row] for row in kept], [about[row] for row in kept]
    rows: list[Json] = []
    asked = [0] * len(pictures)
    for start in range(0, len(riddles), _FOLD):
        fold = f"{split}-{start // _FOLD}"
        part = slice(start, start + _FOLD)
        for index, matched in enumerate(match(riddles[part], about[part], world.seed, fold)):
            image = about[start + index]
            place = _Place(split, image, asked[image], start + index, fold, index)
            asked[image] += 1
            rows.append(_row(world.scene(pictures[image]), pictures[image], matched, place))
    return rows


class _Place(NamedTuple):
    """A row's numbers."""

    split: str
    image: int
    question: int
    row: int
    fold: str
    in_fold: int


def _chosen(scene: Scene, rng: random.Random, *, everything: bool) -> list[Riddle]:
    """A few riddles of a picture, of different families as far as there are."""
    riddles = riddles_of(scene, rng)
    rng.shuffle(riddles)
    seen: dict[str, int] = {}
    for riddle in riddles:
        seen.setdefault(riddle.family, 0)
    ranked = []
    for riddle in riddles:
        ranked.append((seen[riddle.family], riddle))
        seen[riddle.family] += 1
    ranked.sort(key=lambda entry: entry[0])
    return [riddle for _, riddle in ranked[: None if everything else rng.choice(_HOW_MANY)]]


def _row(scene: Scene, drawn: Drawn, matched: Matched, place: _Place) -> Json:
    riddle = matched.riddle
    listed = _listed(scene)
    number = {index: tag for tag, (index, _) in enumerate(listed)}
    people = [number[index] for index in riddle.people]
    tags = {"{a}": people[:1], "{b}": people[1:], "{ab}": people}
    rng = stream(drawn.name.seed, "vcr row", place.split, place.row)
    frame = frame_of(drawn)
    row = {
        "movie": frame.movie,
        "objects": [_name(thing) for _, thing in listed],
        "interesting_scores": [rng.choice((-1, 0, 0, 1)) for _ in range(rng.choice((2, 3)))],
        "answer_likelihood": rng.choice(("possible", "likely", "likely")),
        "img_fn": frame.picture,
        "metadata_fn": frame.metadata,
        "answer_orig": original(riddle.answer, tags),
        "question_orig": original(riddle.question, tags),
        "rationale_orig": original(riddle.rationale, tags),
        "question": tokens(riddle.question, tags),
        **_choices("answer", matched.answers, tags),
        **_choices("rationale", matched.rationales, tags),
        "img_id": f"{place.split}-{place.image}",
        "question_number": place.question,
        "annot_id": f"{place.split}-{place.row}",
        "match_fold": place.fold,
        "match_index": place.in_fold,
    }
    if place.split == "test":
        for key in _ONLY_WITH_LABELS:
            del row[key]
    return row


def _choices(kind: str, choices: Choices, tags: dict[str, list[int]]) -> Json:
    return {
        f"{kind}_match_iter": list(choices.ranks),
        f"{kind}_sources": list(choices.sources),
        f"{kind}_choices": [tokens(template, tags) for template in choices.templates],
        f"{kind}_label": choices.label,
    }


def _write_metadata(world: World, drawn: Drawn, scene: Scene) -> None:
    rng = stream(world.seed, "vcr boxes", drawn.name.part, drawn.name.number)
    listed = _listed(scene)
    metadata = {
        "boxes": [[*thing.extent, round(rng.uniform(0.72, 0.9999), 6)] for _, thing in listed],
        "segms": [[_whole_pixels(polygon) for polygon in thing.outline] for _, thing in listed],
        "names": [_name(thing) for _, thing in listed],
        "width": scene.width,
        "height": scene.height,
    }
    path = world.out / "vcr" / "vcr1images" / frame_of(drawn).metadata
    write_quickly(path, msgspec.json.encode(metadata))


def _whole_pixels(polygon: tuple[float, ...]) -> list[list[int]]:
    return [[round(x), round(y)] for x, y in zip(polygon[::2], polygon[1::2], strict=True)]


def _listed(scene: Scene) -> list[tuple[int, Thing]]:
    """Things in the order of VCR's objects: people first."""
    return sorted(scene.single, key=lambda entry: entry[1].category != PERSON)


def _name(thing: Thing) -> str:
    return thing.category.replace(" ", "")


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"00.{minutes:02d}.{seconds:02d}.{rest:03d}"
