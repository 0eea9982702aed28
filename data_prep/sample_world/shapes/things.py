"""Things people carry, hold or hang on a wall: umbrellas, balls, kites, cups, clocks ..."""

from __future__ import annotations

import math
from functools import cache

from vle_bench.data_prep.sample_world.shapes.geometry import (
    Part,
    Shape,
    arc,
    ellipse,
    rectangle,
    ribbon,
    rounded,
    trimmed,
)
from vle_bench.data_prep.sample_world.shapes.paint import MAIN, shade
from vle_bench.data_prep.sample_world.shapes.palette import DARK


@cache
def umbrella(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """An open umbrella with a hooked handle."""
    dome = arc((0.5, 0.42), 0.5, 0.38, (180, 360))
    scallops = tuple(
        point
        for k in range(4, -1, -1)
        for point in arc((0.1 + 0.2 * k, 0.42), 0.1, -0.05, (0, 180))[1:]
    )
    return trimmed(
        Shape(
            1.0,
            (
                Part(ribbon([(0.5, 0.0), (0.5, 0.92)], [0.03, 0.03]), DARK),
                Part(
                    ribbon([(0.5, 0.90), (0.49, 0.97), (0.43, 0.98), (0.40, 0.93)], [0.04] * 4),
                    DARK,
                    name="handle",
                ),
                Part((*dome, *scallops), MAIN, name="canopy"),
                Part(((0.5, 0.04), (0.36, 0.41), (0.50, 0.38)), shade(MAIN, 0.78), body=False),
                Part(((0.5, 0.04), (0.64, 0.41), (0.90, 0.36)), shade(MAIN, 0.78), body=False),
            ),
        )
    )


@cache
def sports_ball(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """A ball with two curved seams."""
    seam = shade(MAIN, 0.55)
    return trimmed(
        Shape(
            1.0,
            (
                Part(ellipse(0.5, 0.5, 0.5, 0.5, 28), MAIN),
                Part(
                    ribbon([(0.24, 0.10), (0.36, 0.50), (0.24, 0.90)], [0.05] * 3), seam, body=False
                ),
                Part(
                    ribbon([(0.76, 0.10), (0.64, 0.50), (0.76, 0.90)], [0.05] * 3), seam, body=False
                ),
                Part(ellipse(0.36, 0.24, 0.10, 0.07, 12), shade(MAIN, 1.55), body=False),
            ),
        )
    )


@cache
def kite(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """A diamond with a tail of bows."""
    tail = [(0.36, 0.62), (0.42, 0.72), (0.34, 0.82), (0.40, 0.92), (0.36, 0.99)]
    corners = ((-0.06, -0.03), (0.06, 0.03), (0.06, -0.03), (-0.06, 0.03))
    bows = [
        Part(tuple((x + dx, y + dy) for dx, dy in corners), shade(MAIN, 0.7)) for x, y in tail[1:4]
    ]
    return trimmed(
        Shape(
            0.72,
            (
                Part(ribbon(tail, [0.025] * 5), DARK, name="tail"),
                *bows,
                Part(((0.36, 0.0), (0.72, 0.26), (0.36, 0.64), (0.0, 0.26)), MAIN),
                Part(((0.36, 0.0), (0.72, 0.26), (0.36, 0.26)), shade(MAIN, 1.35), body=False),
                Part(((0.36, 0.26), (0.36, 0.64), (0.0, 0.26)), shade(MAIN, 0.75), body=False),
            ),
        )
    )


@cache
def cup(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """A mug with a handle."""
    return trimmed(
        Shape(
            1.0,
            (
                Part(
                    ribbon([(0.66, 0.30), (0.94, 0.30), (0.96, 0.62), (0.66, 0.70)], [0.12] * 4),
                    shade(MAIN, 0.75),
                    name="handle",
                ),
                Part(((0.02, 0.06), (0.74, 0.06), (0.68, 0.98), (0.08, 0.98)), MAIN),
                Part(ellipse(0.38, 0.07, 0.36, 0.07), shade(MAIN, 1.35)),
                Part(ellipse(0.38, 0.08, 0.28, 0.045), (78, 48, 30), body=False),
                Part(rectangle(0.14, 0.20, 0.22, 0.86), shade(MAIN, 1.4), body=False),
            ),
        )
    )


@cache
def teddy_bear(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """A teddy bear that sits."""
    pale = shade(MAIN, 1.4)
    limb = shade(MAIN, 0.85)
    return trimmed(
        Shape(
            0.84,
            (
                Part(ellipse(0.18, 0.12, 0.11, 0.11, 14), MAIN, name="ear"),
                Part(ellipse(0.66, 0.12, 0.11, 0.11, 14), MAIN, name="ear"),
                Part(
                    ribbon([(0.24, 0.56), (0.08, 0.70)], [0.17, 0.15]),
                    limb,
                    name="arm",
                ),
                Part(
                    ribbon([(0.60, 0.56), (0.76, 0.70)], [0.17, 0.15]),
                    limb,
                    name="arm",
                ),
                Part(ellipse(0.42, 0.70, 0.26, 0.27), MAIN),
                Part(ellipse(0.42, 0.72, 0.15, 0.17, 16), pale, body=False),
                Part(ellipse(0.22, 0.91, 0.14, 0.11, 14), limb, name="foot"),
                Part(ellipse(0.62, 0.91, 0.14, 0.11, 14), limb, name="foot"),
                Part(ellipse(0.42, 0.28, 0.28, 0.25), MAIN, name="head"),
                Part(ellipse(0.42, 0.36, 0.13, 0.10, 14), pale, body=False),
                Part(ellipse(0.42, 0.32, 0.045, 0.03, 10), DARK, body=False, name="nose"),
                Part(ellipse(0.32, 0.24, 0.03, 0.035, 10), DARK, body=False),
                Part(ellipse(0.52, 0.24, 0.03, 0.035, 10), DARK, body=False),
            ),
        )
    )


@cache
def clock(detail: str = "") -> Shape:
    """A wall clock with a coloured rim; `detail` is the full hour it shows, 1 to 12."""
    hour = int(detail or 12)
    turn = math.radians(hour * 30 - 90)
    marks = []
    for k in range(12):
        angle = math.radians(k * 30)
        inner, outer = (0.29, 0.38) if k % 3 == 0 else (0.33, 0.38)
        line = [(0.5 + r * math.cos(angle), 0.5 + r * math.sin(angle)) for r in (inner, outer)]
        marks.append(Part(ribbon(line, [0.035, 0.035]), DARK, body=False))
    tip = (0.5 + 0.22 * math.cos(turn), 0.5 + 0.22 * math.sin(turn))
    return trimmed(
        Shape(
            1.0,
            (
                Part(ellipse(0.5, 0.5, 0.5, 0.5, 28), MAIN, name="rim"),
                Part(ellipse(0.5, 0.5, 0.41, 0.41, 28), (252, 252, 248), body=False, name="face"),
                *marks,
                Part(
                    ribbon([(0.5, 0.5), (0.5, 0.15)], [0.04, 0.03]), DARK, body=False, name="hand"
                ),
                Part(ribbon([(0.5, 0.5), tip], [0.065, 0.05]), DARK, body=False, name="hand"),
                Part(ellipse(0.5, 0.5, 0.04, 0.04, 10), DARK, body=False),
            ),
        )
    )


@cache
def potted_plant(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """Leaves in a coloured pot."""
    green = (58, 142, 64)
    leaves = []
    for k, angle in enumerate((-64, -34, -8, 18, 46, 70)):
        lean = math.radians(angle - 90)
        tip = (0.4 + 0.5 * math.cos(lean), 0.62 + 0.58 * math.sin(lean))
        middle = (0.4 + 0.26 * math.cos(lean), 0.62 + 0.34 * math.sin(lean))
        tone = shade(green, 0.8 if k % 2 else 1.15)
        leaves.append(
            Part(ribbon([(0.4, 0.64), middle, tip], [0.05, 0.15, 0.02]), tone, name="leaf")
        )
    return trimmed(
        Shape(
            0.8,
            (
                *leaves,
                Part(((0.14, 0.62), (0.66, 0.62), (0.58, 1.0), (0.22, 1.0)), MAIN, name="pot"),
                Part(rounded(0.10, 0.58, 0.70, 0.68, radius=0.03), shade(MAIN, 0.8), name="pot"),
            ),
        )
    )


@cache
def chair(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """A chair seen from the side, back to the left."""
    leg = shade(MAIN, 0.7)
    return trimmed(
        Shape(
            0.66,
            (
                Part(rectangle(0.06, 0.52, 0.13, 1.0), leg, name="leg"),
                Part(rectangle(0.54, 0.52, 0.61, 1.0), leg, name="leg"),
                Part(rounded(0.0, 0.0, 0.11, 0.56, radius=0.04), MAIN, name="back"),
                Part(rounded(0.0, 0.48, 0.66, 0.59, radius=0.04), MAIN, name="seat"),
            ),
        )
    )
