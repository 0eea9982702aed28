"""Cats, dogs, birds, elephants, giraffes: five silhouettes nobody takes for another."""

from __future__ import annotations

from functools import cache

from vle_bench.data_prep.sample_world.shapes.geometry import (
    Part,
    Shape,
    ellipse,
    ribbon,
    rounded,
    trimmed,
)
from vle_bench.data_prep.sample_world.shapes.paint import MAIN, shade
from vle_bench.data_prep.sample_world.shapes.palette import DARK


@cache
def cat(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """A cat that sits and looks at us."""
    dark = shade(MAIN, 0.72)
    pale = shade(MAIN, 1.35)
    return trimmed(
        Shape(
            0.95,
            (
                Part(
                    ribbon(
                        [(0.60, 0.93), (0.82, 0.90), (0.90, 0.70), (0.84, 0.54)],
                        [0.11, 0.10, 0.09, 0.07],
                    ),
                    dark,
                    name="tail",
                ),
                Part((*ellipse(0.42, 0.74, 0.27, 0.27),), MAIN),
                Part(ellipse(0.42, 0.80, 0.14, 0.19), pale, body=False),
                Part(((0.14, 0.30), (0.17, 0.02), (0.38, 0.15)), MAIN, name="ear"),
                Part(((0.46, 0.15), (0.67, 0.02), (0.70, 0.30)), MAIN, name="ear"),
                Part(((0.19, 0.22), (0.21, 0.09), (0.31, 0.16)), (236, 150, 160), body=False),
                Part(((0.53, 0.16), (0.63, 0.09), (0.65, 0.22)), (236, 150, 160), body=False),
                Part(ellipse(0.42, 0.34, 0.29, 0.23), MAIN, name="head"),
                *_eyes((0.31, 0.53), 0.31, 0.045),
                Part(((0.385, 0.40), (0.455, 0.40), (0.42, 0.445)), (224, 110, 130), body=False),
                *(
                    Part(
                        ribbon([(0.42 + 0.06 * s, 0.42), (0.42 + 0.27 * s, y)], [0.012, 0.008]),
                        dark,
                        body=False,
                    )
                    for s in (-1, 1)
                    for y in (0.39, 0.45)
                ),
                Part(ellipse(0.30, 0.96, 0.10, 0.05, 12), dark, name="paw"),
                Part(ellipse(0.54, 0.96, 0.10, 0.05, 12), dark, name="paw"),
            ),
        )
    )


@cache
def dog(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """A dog that stands in profile, tail up."""
    dark = shade(MAIN, 0.7)
    pale = shade(MAIN, 1.25)
    return trimmed(
        Shape(
            1.4,
            (
                Part(
                    ribbon([(0.20, 0.46), (0.08, 0.32), (0.10, 0.16)], [0.10, 0.08, 0.05]),
                    MAIN,
                    name="tail",
                ),
                Part(ribbon([(0.34, 0.60), (0.30, 0.95)], [0.14, 0.11]), dark, name="leg"),
                Part(ribbon([(0.92, 0.60), (0.96, 0.95)], [0.14, 0.11]), dark, name="leg"),
                Part(rounded(0.14, 0.38, 1.06, 0.72, radius=0.16), MAIN),
                Part(ribbon([(0.22, 0.60), (0.20, 0.95)], [0.17, 0.12]), MAIN, name="leg"),
                Part(ribbon([(0.84, 0.60), (0.82, 0.95)], [0.16, 0.12]), MAIN, name="leg"),
                Part(ribbon([(0.94, 0.48), (1.06, 0.26)], [0.26, 0.24]), MAIN),
                Part(ellipse(1.10, 0.22, 0.17, 0.16), MAIN, name="head"),
                Part(rounded(1.12, 0.20, 1.40, 0.35, radius=0.07), pale, name="muzzle"),
                Part(ellipse(1.38, 0.23, 0.04, 0.035, 10), DARK, body=False, name="nose"),
                Part(
                    ribbon([(1.00, 0.10), (0.94, 0.22), (0.96, 0.34)], [0.10, 0.13, 0.08]),
                    dark,
                    name="ear",
                ),
                *_eyes((1.16,), 0.17, 0.034),
                Part(
                    ribbon([(0.92, 0.40), (1.08, 0.46)], [0.055, 0.055]),
                    (250, 214, 70),
                    body=False,
                    name="collar",
                ),
            ),
        )
    )


@cache
def bird(detail: str = "") -> Shape:
    """A bird; perched, or with its wings spread where `detail` is "flying"."""
    dark = shade(MAIN, 0.68)
    body = [
        Part(((0.36, 0.52), (0.00, 0.40), (0.02, 0.56), (0.34, 0.68)), dark, name="tail"),
        Part(ellipse(0.62, 0.58, 0.36, 0.24), MAIN),
        Part(ellipse(0.96, 0.40, 0.18, 0.18), MAIN, name="head"),
        Part(((1.10, 0.34), (1.34, 0.43), (1.10, 0.48)), (244, 168, 40), name="beak"),
        Part(ellipse(0.74, 0.68, 0.20, 0.11, 14), shade(MAIN, 1.45), body=False),
        *_eyes((1.02,), 0.36, 0.04),
    ]
    if detail == "flying":
        wings = (
            ((0.50, 0.48), (0.20, -0.24), (0.56, -0.10), (0.82, 0.46)),
            ((0.46, 0.62), (0.24, 1.18), (0.58, 1.06), (0.76, 0.66)),
        )
        body = [Part(wing, dark, name="wing") for wing in wings] + body
    else:
        body = [
            Part(ribbon([(x, 0.76), (x - 0.01, 0.98)], [0.05, 0.05]), (224, 140, 40), name="leg")
            for x in (0.56, 0.70)
        ] + body
        wing = ((0.40, 0.50), (0.76, 0.46), (0.80, 0.60), (0.56, 0.74), (0.30, 0.70))
        body.append(Part(wing, dark, body=False, name="wing"))
    return trimmed(Shape(1.34, tuple(body)))


@cache
def elephant(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """An elephant in profile: big ear, long trunk, one tusk."""
    dark = shade(MAIN, 0.72)
    return trimmed(
        Shape(
            1.45,
            (
                Part(
                    ribbon([(0.10, 0.34), (0.03, 0.52), (0.05, 0.66)], [0.05, 0.04, 0.05]),
                    dark,
                    name="tail",
                ),
                *(
                    Part(rounded(x, 0.60, x + 0.18, 1.0, radius=0.06), dark, name="leg")
                    for x in (0.26, 0.70)
                ),
                Part(ellipse(0.55, 0.42, 0.48, 0.34, 24), MAIN),
                *(
                    Part(rounded(x, 0.58, x + 0.20, 1.0, radius=0.06), MAIN, name="leg")
                    for x in (0.12, 0.78)
                ),
                Part(
                    ribbon(
                        [(1.20, 0.36), (1.34, 0.56), (1.36, 0.78), (1.30, 0.90)],
                        [0.24, 0.16, 0.12, 0.09],
                    ),
                    MAIN,
                    name="trunk",
                ),
                Part(ellipse(1.10, 0.30, 0.24, 0.25), MAIN, name="head"),
                Part(
                    ((1.18, 0.48), (1.26, 0.50), (1.40, 0.66), (1.18, 0.58)),
                    (250, 246, 230),
                    body=False,
                    name="tusk",
                ),
                Part(ellipse(0.96, 0.32, 0.17, 0.23), dark, name="ear"),
                *_eyes((1.20,), 0.26, 0.032),
            ),
        )
    )


@cache
def giraffe(detail: str = "") -> Shape:  # noqa: ARG001  # one signature for all makers
    """A giraffe in profile: neck as long as the legs, patches."""
    dark = shade(MAIN, 0.62)
    patches = (
        (0.16, 0.52, 0.06), (0.30, 0.50, 0.055), (0.44, 0.54, 0.06), (0.24, 0.60, 0.045),
        (0.40, 0.62, 0.04), (0.56, 0.40, 0.038), (0.58, 0.28, 0.034), (0.62, 0.17, 0.028),
    )  # fmt: skip
    return trimmed(
        Shape(
            0.85,
            (
                Part(ribbon([(0.08, 0.50), (0.03, 0.68)], [0.025, 0.03]), dark, name="tail"),
                Part(ribbon([(0.22, 0.62), (0.20, 0.97)], [0.08, 0.055]), dark, name="leg"),
                Part(ribbon([(0.48, 0.62), (0.52, 0.97)], [0.08, 0.055]), dark, name="leg"),
                Part(ribbon([(0.14, 0.62), (0.11, 0.97)], [0.09, 0.06]), MAIN, name="leg"),
                Part(ribbon([(0.44, 0.62), (0.43, 0.97)], [0.09, 0.06]), MAIN, name="leg"),
                Part(
                    ribbon([(0.50, 0.54), (0.56, 0.34), (0.64, 0.11)], [0.20, 0.12, 0.09]),
                    MAIN,
                    name="neck",
                ),
                Part(ellipse(0.31, 0.56, 0.26, 0.13), MAIN),
                Part(
                    ribbon([(0.62, 0.10), (0.66, 0.06), (0.80, 0.13)], [0.08, 0.11, 0.075]),
                    MAIN,
                    name="head",
                ),
                Part(ribbon([(0.60, 0.06), (0.59, 0.0)], [0.025, 0.03]), dark, name="horn"),
                Part(ribbon([(0.65, 0.05), (0.65, 0.0)], [0.025, 0.03]), dark, name="horn"),
                *(
                    Part(ellipse(x, y, r, r * 0.85, 8), dark, body=False, name="spot")
                    for x, y, r in patches
                ),
                *_eyes((0.68,), 0.075, 0.016),
            ),
        )
    )


def _eyes(at: tuple[float, ...], y: float, radius: float) -> list[Part]:
    parts = []
    for x in at:
        parts.append(
            Part(ellipse(x, y, radius * 1.25, radius * 1.25, 12), (252, 252, 250), body=False)
        )
        parts.append(
            Part(ellipse(x, y, radius * 0.75, radius * 0.75, 10), (24, 24, 28), body=False)
        )
    return parts
