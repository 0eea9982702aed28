"""People: a figure whose pose, face and clothes can be read at a glance.

The head is a quarter of the height, as in a children's book, because half of
the questions are about the face. Where a hand holds something, its part is
named "holding hand", and that is how the layout finds the place to put it.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from vle_bench.data_prep.sample_world.shapes.geometry import (
    Part,
    Point,
    Polygon,
    Shape,
    arc,
    ellipse,
    extent_of,
    rectangle,
    ribbon,
    rounded,
    trimmed,
    turned,
)
from vle_bench.data_prep.sample_world.shapes.paint import Dye, Paint, shade
from vle_bench.data_prep.sample_world.shapes.palette import DARK

POSES = ("standing", "waving", "pointing", "cheering", "running", "sitting", "lying down")
"""What a person whose hands are free may be doing."""
HOLDING = ("holding up", "holding out", "carrying")
"""Arms for a thing over the head, on the palm, and hanging from the hand."""
MOODS = ("happy", "sad", "angry", "surprised")

HOLDING_HAND = "holding hand"

_HEAD: Point = (0.0, 0.14)
_SHOULDER_Y = 0.30
_HIP_Y = 0.57


class Look(NamedTuple):
    """What shapes a person; colours are dyes: shirt, trousers, skin, hair, hat."""

    pose: str
    mood: str
    hat: bool = False
    long_hair: bool = False


SHIRT, TROUSERS, SKIN = Dye("shirt"), Dye("trousers"), Dye("skin")
HAIR, HAT = Dye("hair"), Dye("hat")


class _Limbs(NamedTuple):
    """Offsets from the joint above: elbow, hand; knee, foot. Left is the viewer's left."""

    left_arm: tuple[Point, Point]
    right_arm: tuple[Point, Point]
    left_leg: tuple[Point, Point] = ((-0.01, 0.19), (-0.015, 0.38))
    right_leg: tuple[Point, Point] = ((0.01, 0.19), (0.015, 0.38))


_DOWN_LEFT = ((-0.07, 0.13), (-0.085, 0.26))
_DOWN_RIGHT = ((0.07, 0.13), (0.085, 0.26))
_LIMBS = {
    "standing": _Limbs(_DOWN_LEFT, _DOWN_RIGHT),
    "lying down": _Limbs(_DOWN_LEFT, _DOWN_RIGHT),
    "waving": _Limbs(_DOWN_LEFT, ((0.13, 0.0), (0.19, -0.20))),
    "pointing": _Limbs(_DOWN_LEFT, ((0.15, 0.0), (0.30, -0.01))),
    "cheering": _Limbs(((-0.13, -0.06), (-0.15, -0.27)), ((0.13, -0.06), (0.15, -0.27))),
    "running": _Limbs(
        ((-0.11, 0.09), (-0.20, 0.02)),
        ((0.10, 0.12), (0.22, 0.07)),
        ((-0.04, 0.18), (-0.24, 0.24)),
        ((0.15, 0.12), (0.17, 0.34)),
    ),
    "sitting": _Limbs(
        ((-0.09, 0.13), (-0.13, 0.26)),
        ((0.09, 0.14), (0.22, 0.18)),
        ((0.16, -0.09), (0.30, 0.05)),
        ((0.20, -0.03), (0.38, 0.06)),
    ),
    "holding up": _Limbs(_DOWN_LEFT, ((0.12, 0.06), (0.19, -0.06))),
    "holding out": _Limbs(_DOWN_LEFT, ((0.09, 0.13), (0.24, 0.10))),
    "carrying": _Limbs(_DOWN_LEFT, ((0.13, 0.10), (0.20, 0.20))),
}


class Figure(NamedTuple):
    """A person's shape, and how high it is beside the same person standing."""

    shape: Shape
    stature: float


@cache
def person(look: Look) -> Figure:
    """The figure, facing us, its active hand on the viewer's right."""
    limbs = _LIMBS[look.pose]
    parts = [
        *_back_hair(look),
        *_leg(look, -0.055, limbs.left_leg),
        *_leg(look, 0.055, limbs.right_leg),
        *_arm(look, -0.105, limbs.left_arm, "hand"),
        *_torso(),
        *_arm(look, 0.105, limbs.right_arm, HOLDING_HAND if look.pose in HOLDING else "hand"),
        *_head(look),
    ]
    if look.pose == "pointing":
        tip = (0.105 + 0.30, _SHOULDER_Y - 0.01)
        finger = ribbon([tip, (tip[0] + 0.085, tip[1] - 0.005)], [0.026, 0.022])
        parts.append(Part(finger, SKIN, name="finger"))
    if look.pose == "lying down":
        parts = [part._replace(points=turned(part.points, (0.0, 0.5), -90)) for part in parts]
    height = extent_of(part.points for part in parts if part.body).height
    return Figure(trimmed(Shape(1.0, tuple(parts))), height)


def _torso() -> list[Part]:
    shirt = (
        (-0.06, 0.255), (0.06, 0.255), (0.135, 0.285), (0.115, 0.44), (0.118, _HIP_Y + 0.01),
        (-0.118, _HIP_Y + 0.01), (-0.115, 0.44), (-0.135, 0.285),
    )  # fmt: skip
    belt = rectangle(-0.118, _HIP_Y - 0.02, 0.118, _HIP_Y + 0.01)
    return [
        Part(rectangle(-0.038, 0.20, 0.038, 0.275), shade(SKIN, 0.86), name="neck"),
        Part(shirt, SHIRT, name="shirt"),
        Part(((-0.05, 0.255), (0.05, 0.255), (0.0, 0.315)), shade(SKIN, 0.92), body=False),
        Part(belt, shade(SHIRT, 0.7), body=False),
    ]


def _arm(look: Look, shoulder: float, bend: tuple[Point, Point], hand: str) -> list[Part]:
    root = (shoulder, _SHOULDER_Y + 0.005)
    elbow, wrist = ((root[0] + dx, root[1] + dy) for dx, dy in bend)
    radius = 0.043 if look.pose in {"waving", "cheering"} else 0.034
    return [
        Part(ribbon([root, elbow, wrist], [0.078, 0.066, 0.052]), shade(SHIRT, 0.88), name="arm"),
        Part(ellipse(*wrist, radius, radius, 14), SKIN, name=hand),
    ]


def _leg(look: Look, hip: float, bend: tuple[Point, Point]) -> list[Part]:
    root = (hip, _HIP_Y)
    knee, ankle = ((root[0] + dx, root[1] + dy) for dx, dy in bend)
    toe = (ankle[0] + (0.055 if bend[1][0] >= 0 else -0.055), ankle[1] + 0.012)
    if look.pose == "running":
        toe = (ankle[0] + 0.065, ankle[1] + (0.03 if bend[1][0] < 0 else 0.005))
    return [
        Part(ribbon([root, knee, ankle], [0.115, 0.092, 0.075]), TROUSERS, name="pants"),
        Part(ribbon([ankle, toe], [0.066, 0.05]), (70, 56, 50), name="shoe"),
    ]


def _back_hair(look: Look) -> list[Part]:
    if not look.long_hair:
        return []
    return [Part(rounded(-0.128, 0.06, 0.128, 0.285, radius=0.07), shade(HAIR, 0.85), name="hair")]


def _head(look: Look) -> list[Part]:
    x, y = _HEAD
    fringe = (
        *arc((x, y - 0.012), 0.118, 0.122, (180, 360)),
        (x + 0.07, y - 0.055),
        (x - 0.03, y - 0.06),
    )
    parts = [
        Part(ellipse(x, y, 0.112, 0.118, 24), SKIN, name="head"),
        Part(fringe, HAIR, name="hair"),
        *_face(look),
    ]
    if look.hat:
        crown = (
            *arc((x, y - 0.055), 0.105, 0.115, (180, 360)),
            (x + 0.105, y - 0.045), (x - 0.105, y - 0.045),
        )  # fmt: skip
        brim = rounded(x - 0.165, y - 0.066, x + 0.165, y - 0.034, radius=0.015)
        parts.append(Part(crown, HAT, name="hat"))
        parts.append(
            Part(
                rectangle(x - 0.105, y - 0.092, x + 0.105, y - 0.062),
                shade(HAT, 0.6),
                body=False,
            )
        )
        parts.append(Part(brim, shade(HAT, 0.85), name="hat"))
    return parts


def _face(look: Look) -> list[Part]:
    x, y = _HEAD
    y += 0.012
    asleep = look.pose == "lying down"
    wide = 1.5 if look.mood == "surprised" else 1.0
    parts = []
    for side in (-1, 1):
        eye = (x + side * 0.042, y)
        if asleep:
            parts.append(
                _stroke([(eye[0] - 0.018, y), (eye[0], y + 0.008), (eye[0] + 0.018, y)], 0.01)
            )
            continue
        parts.append(_detail(ellipse(*eye, 0.019 * wide, 0.021 * wide, 12), (252, 252, 252)))
        parts.append(_detail(ellipse(*eye, 0.0115, 0.0135, 10), (26, 24, 30)))
        parts.append(_stroke(_brow(look.mood, eye, side), 0.012))
    parts.extend(_mouth(look.mood, (x, y + 0.048)))
    if look.mood == "sad" and not asleep:
        parts.append(_detail(ellipse(x + 0.06, y + 0.042, 0.012, 0.019, 10), (84, 160, 236)))
    return parts


def _brow(mood: str, eye: Point, side: int) -> list[Point]:
    rise = {"happy": 0.0, "sad": -0.014, "angry": 0.018, "surprised": 0.0}[mood]
    lift = {"happy": 0.033, "sad": 0.034, "angry": 0.03, "surprised": 0.05}[mood]
    inner = (eye[0] - side * 0.022, eye[1] - lift + rise)
    outer = (eye[0] + side * 0.022, eye[1] - lift - rise)
    return [inner, outer]


def _mouth(mood: str, at: Point) -> list[Part]:
    x, y = at
    match mood:
        case "happy":
            smile = (*arc((x, y - 0.012), 0.052, 0.045, (8, 172)), (x, y + 0.004))
            return [_detail(smile, (150, 32, 40))]
        case "sad":
            return [_stroke(arc((x, y + 0.03), 0.042, 0.034, (205, 335)), 0.014)]
        case "angry":
            return [
                _stroke([(x - 0.036, y + 0.012), (x, y + 0.004), (x + 0.036, y + 0.012)], 0.015)
            ]
        case _:
            return [_detail(ellipse(x, y + 0.014, 0.02, 0.027, 14), (120, 26, 34))]


def _stroke(spine: list[Point] | Polygon, width: float) -> Part:
    return _detail(ribbon(spine, [width] * len(spine)), DARK)


def _detail(points: Polygon, paint: Paint) -> Part:
    return Part(points, paint, body=False, name="face")
