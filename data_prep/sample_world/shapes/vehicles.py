"""Cars, buses, boats, aeroplanes: seen from the side, looking right.

Every maker takes the main colour and a detail that only some of them show (the
number on a bus) and returns unit coordinates.
"""

from __future__ import annotations

from functools import cache

from vle_bench.data_prep.sample_world.shapes.digits import digit_parts
from vle_bench.data_prep.sample_world.shapes.geometry import (
    Part,
    Shape,
    ellipse,
    rectangle,
    ribbon,
    rounded,
    trimmed,
)
from vle_bench.data_prep.sample_world.shapes.paint import MAIN, shade
from vle_bench.data_prep.sample_world.shapes.palette import DARK, GLASS, GREY


@cache
def car(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """A saloon with two wheels."""
    body = (
        (0.05, 0.80), (0.02, 0.58), (0.10, 0.46), (0.42, 0.41), (0.68, 0.08), (0.80, 0.03),
        (1.34, 0.03), (1.46, 0.09), (1.74, 0.42), (2.06, 0.49), (2.17, 0.60), (2.18, 0.80),
    )  # fmt: skip
    windows = (
        ((0.56, 0.41), (0.76, 0.14), (1.02, 0.14), (1.02, 0.41)),
        ((1.10, 0.41), (1.10, 0.14), (1.36, 0.14), (1.58, 0.41)),
    )
    sill = ((0.05, 0.80), (0.03, 0.68), (2.18, 0.68), (2.18, 0.80))
    return trimmed(
        Shape(
            2.2,
            (
                Part(body, MAIN),
                Part(sill, shade(MAIN, 0.78), body=False),
                *(Part(window, GLASS, body=False, name="window") for window in windows),
                Part(rounded(2.04, 0.53, 2.15, 0.62, radius=0.03), (255, 240, 170), body=False),
                Part(rectangle(1.12, 0.48, 1.24, 0.51), shade(MAIN, 0.6), body=False),
                *_wheels((0.50, 1.68), 0.80, 0.19),
            ),
        )
    )


@cache
def bus(detail: str = "") -> Shape:
    """A city bus; `detail` is the number it wears at the front, in digits."""
    parts = [
        Part(rounded(0.0, 0.0, 2.35, 0.88, radius=0.09), MAIN),
        Part(rectangle(0.0, 0.70, 2.35, 0.78), shade(MAIN, 0.75), body=False),
        *(
            Part(rounded(x, 0.14, x + 0.27, 0.48, radius=0.03), GLASS, body=False, name="window")
            for x in (0.10, 0.43, 0.76, 1.09)
        ),
        Part(rectangle(2.05, 0.20, 2.28, 0.82), GLASS, body=False, name="door"),
        Part(rectangle(2.155, 0.20, 2.175, 0.82), shade(MAIN, 0.6), body=False),
    ]
    if detail:
        parts.append(Part(rectangle(1.44, 0.08, 1.98, 0.54), (250, 250, 244), body=False))
        parts.extend(digit_parts(detail, (1.49, 0.13), 0.36, DARK))
    parts.extend(_wheels((0.50, 1.78), 0.86, 0.14))
    return trimmed(Shape(2.35, tuple(parts)))


@cache
def boat(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """A sailing boat: coloured hull, pale sail."""
    hull = (
        (0.02, 0.74), (1.18, 0.74), (1.02, 0.93), (0.92, 0.99), (0.26, 0.99), (0.16, 0.93),
    )  # fmt: skip
    sail = ((0.62, 0.04), (1.12, 0.66), (0.62, 0.66))
    jib = ((0.54, 0.12), (0.54, 0.66), (0.16, 0.66))
    return trimmed(
        Shape(
            1.2,
            (
                Part(rectangle(0.56, 0.0, 0.60, 0.76), (116, 84, 56), name="mast"),
                Part(sail, (250, 248, 236), name="sail"),
                Part(jib, (236, 232, 216), name="sail"),
                Part(hull, MAIN, name="hull"),
                Part(rectangle(0.05, 0.77, 1.15, 0.81), shade(MAIN, 1.5), body=False),
            ),
        )
    )


@cache
def airplane(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """An airliner in flight."""
    fuselage = (
        (0.10, 0.46), (0.40, 0.40), (1.90, 0.40), (2.20, 0.48), (2.32, 0.58), (2.20, 0.67),
        (1.90, 0.72), (0.60, 0.72), (0.16, 0.60),
    )  # fmt: skip
    tail = ((0.12, 0.50), (0.02, 0.04), (0.22, 0.04), (0.52, 0.44))
    wing = ((1.00, 0.58), (1.42, 0.58), (0.86, 1.02), (0.64, 1.02))
    far_wing = ((1.06, 0.42), (1.36, 0.42), (1.02, 0.14), (0.88, 0.14))
    return trimmed(
        Shape(
            2.35,
            (
                Part(far_wing, shade(MAIN, 0.72), name="wing"),
                Part(tail, shade(MAIN, 0.85), name="tail"),
                Part(fuselage, MAIN),
                *(
                    Part(ellipse(x, 0.52, 0.035, 0.045, 10), GLASS, body=False, name="window")
                    for x in (0.62, 0.78, 0.94, 1.10, 1.26, 1.42, 1.58, 1.74)
                ),
                Part(((2.06, 0.45), (2.20, 0.49), (2.24, 0.55), (2.06, 0.55)), DARK, body=False),
                Part(wing, shade(MAIN, 0.85), name="wing"),
            ),
        )
    )


@cache
def bench(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """A seat of two planks on two feet; its flat top is where things stand."""
    return trimmed(
        Shape(
            2.6,
            (
                Part(rectangle(0.22, 0.20, 0.40, 1.0), DARK),
                Part(rectangle(2.20, 0.20, 2.38, 1.0), DARK),
                Part(rectangle(0.40, 0.62, 2.20, 0.72), shade(DARK, 1.2)),
                Part(rounded(0.0, 0.0, 2.6, 0.17, radius=0.05), MAIN, name="seat"),
                Part(rounded(0.0, 0.15, 2.6, 0.32, radius=0.05), shade(MAIN, 0.8), name="seat"),
            ),
        )
    )


@cache
def traffic_light(detail: str = "") -> Shape:  # lamps have their own colours
    """A mast with three lamps; `detail` says which one is lit: red, yellow or green."""
    lamps = {"red": (226, 44, 40), "yellow": (250, 212, 40), "green": (60, 196, 84)}
    parts = [
        Part(rectangle(0.14, 0.44, 0.20, 1.0), GREY),
        Part(rectangle(0.06, 0.97, 0.28, 1.0), GREY),
        Part(rounded(0.03, 0.0, 0.31, 0.56, radius=0.05), (52, 56, 58)),
    ]
    for place, (name, lamp) in enumerate(lamps.items()):
        lit = name == detail
        parts.append(
            Part(
                ellipse(0.17, 0.10 + 0.18 * place, 0.075, 0.075, 16),
                lamp if lit else shade(lamp, 0.22),
                body=False,
                name="lamp",
            )
        )
    return trimmed(Shape(0.34, tuple(parts)))


@cache
def suitcase(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """A case with a handle on top."""
    return trimmed(
        Shape(
            1.25,
            (
                Part(
                    ribbon([(0.42, 0.26), (0.44, 0.06), (0.81, 0.06), (0.83, 0.26)], [0.09] * 4),
                    DARK,
                ),
                Part(rounded(0.0, 0.22, 1.25, 1.0, radius=0.12), MAIN),
                Part(rectangle(0.18, 0.22, 0.28, 1.0), shade(MAIN, 0.65), body=False),
                Part(rectangle(0.97, 0.22, 1.07, 1.0), shade(MAIN, 0.65), body=False),
                Part(rectangle(0.56, 0.30, 0.69, 0.40), (222, 190, 90), body=False),
            ),
        )
    )


def _wheels(at: tuple[float, ...], y: float, radius: float) -> list[Part]:
    parts = []
    for x in at:
        parts.append(Part(ellipse(x, y, radius, radius), (34, 34, 38), name="wheel"))
        parts.append(
            Part(ellipse(x, y, radius * 0.48, radius * 0.48, 14), (196, 198, 202), body=False)
        )
    return parts
