"""Paints a staged picture and measures what was painted.

A picture is painted at twice its size and reduced once; a grain that every
camera has is added from one large tile, and the result is a JPEG of fixed
quality. The same name gives the same bytes in any process.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

from vle_bench.data_prep.sample_world.actors import Actor
from vle_bench.data_prep.sample_world.cast import PictureName
from vle_bench.data_prep.sample_world.layout import Stage
from vle_bench.data_prep.sample_world.places import new_canvas, paint_backdrop
from vle_bench.data_prep.sample_world.scene import Scene, Thing
from vle_bench.data_prep.sample_world.shapes.geometry import Painted
from vle_bench.data_prep.sample_world.shapes.paint import shade
from vle_bench.data_prep.sample_world.streams import stream

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

JPEG_QUALITY = 88
_SCALE = 2
_TILE = 1400


def paint(stage: Stage, name: PictureName) -> Image:
    """The picture as pixels; `name` picks the grain."""
    from PIL import ImageChops, ImageDraw

    width, height = stage.size
    backdrop = stage.backdrop
    canvas = new_canvas(backdrop, stage.size, _SCALE)
    pen = ImageDraw.Draw(canvas)
    paint_backdrop(pen, backdrop, _SCALE)
    for actor in stage.actors:
        for string in actor.strings:
            pen.polygon(_enlarged(string), fill=string.rgb)
    for actor in stage.actors:
        _paint_actor(pen, actor)
    for blob in backdrop.weather:
        pen.polygon([(x * _SCALE, y * _SCALE) for x, y in blob.points], fill=blob.rgb)
    small = canvas.reduce(_SCALE)
    rng = stream(name.seed, "grain", name.part, name.number)
    left, top = rng.randrange(_TILE - width + 1), rng.randrange(_TILE - height + 1)
    grain = _grain(name.seed).crop((left, top, left + width, top + height))
    return ImageChops.add(small, grain, 1, -128)


def jpeg_bytes(picture: Image, quality: int = JPEG_QUALITY) -> bytes:
    """The picture as a baseline JPEG."""
    stream_out = io.BytesIO()
    picture.save(stream_out, "JPEG", quality=quality)
    return stream_out.getvalue()


def facts_of(stage: Stage) -> Scene:
    """What the picture shows, with the area of every outline and the mask of every crowd."""
    width, height = stage.size
    things = tuple(_measured(actor.thing, width, height) for actor in stage.actors)
    return Scene(width, height, stage.backdrop.place, things)


def _measured(thing: Thing, width: int, height: int) -> Thing:
    from pycocotools import mask

    polygons = [list(polygon) for polygon in thing.outline]
    merged = mask.merge(mask.frPyObjects(polygons, height, width))
    area = float(mask.area(merged))
    if not thing.crowd:
        return thing._replace(area=area)
    return thing._replace(area=area, crowd=_run_lengths(merged))


def _run_lengths(encoded: dict[str, object]) -> tuple[int, ...]:
    """Uncompressed COCO counts: runs of 0 and 1 by turns, down the columns, 0 first."""
    import numpy as np
    from pycocotools import mask

    flat = mask.decode(encoded).flatten(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    bounds = np.concatenate(([0], edges, [flat.size]))
    runs = [int(run) for run in np.diff(bounds)]
    return tuple([0, *runs] if flat[0] else runs)


def _paint_actor(pen: ImageDraw, actor: Actor) -> None:
    bodies = [part for part in actor.paint if part.body]
    for part in bodies:
        points = _enlarged(part)
        pen.line([*points, points[0], points[1]], fill=shade(part.rgb, 0.35), width=3)
    for part in actor.paint:
        pen.polygon(_enlarged(part), fill=part.rgb)


def _enlarged(part: Painted) -> list[tuple[float, float]]:
    return [(x * _SCALE, y * _SCALE) for x, y in part.points]


@lru_cache(maxsize=2)
def _grain(seed: int) -> Image:
    """Noise around 128: fine grain on every pixel, and soft blotches as of paper or cloth."""
    import numpy as np
    from PIL import Image as Images

    rng = np.random.default_rng(seed)
    fine = rng.normal(0, 2.6, (_TILE, _TILE, 1)) + rng.normal(0, 1.0, (_TILE, _TILE, 3))
    soft = np.full((_TILE, _TILE), 128.0)
    for cell, strength in ((5, 2.5), (18, 3.0), (90, 4.0)):
        blotches = rng.integers(0, 256, (_TILE // cell, _TILE // cell), dtype=np.uint8)
        spread = Images.fromarray(blotches).resize((_TILE, _TILE), Images.Resampling.BICUBIC)
        soft += (np.asarray(spread, dtype=np.float64) - 127.5) * (strength / 74.0)
    tile = np.clip(fine + soft[..., None], 0, 255).round().astype(np.uint8)
    return Images.fromarray(tile, "RGB")
