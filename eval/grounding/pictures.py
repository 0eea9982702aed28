"""The picture of VLE's README, right for every frame: relevance painted over the photo.

VLE stretches its map over the whole photo, though after CLIP's preprocessing the
model has seen the middle square alone: the light falls on the wrong things. Here
every pixel asks the view which patch it lies in. What the model did not see is
grey and striped, and where its frame ends a line says so. Light and dark are VLE's:
the darkest 40 % of the range are all dark, black over 70 % of the photo.
Green: the boxes. Magenta: the patch that is pointed at.
Source: VLEForPBCPipeline of iflytek/VLE (commit e322bb97).
"""

from __future__ import annotations

import hashlib
import heapq
import io
import re
import textwrap
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vle_bench.atomic import make_folder, write_bytes
from vle_bench.boxes import from_xywh
from vle_bench.errors import DataProblem
from vle_bench.eval.grounding.task import PatchRun
from vle_bench.pages.thumbnail import NoThumbnail, thumbnail
from vle_bench.patches.grid import Floats, PatchGrid
from vle_bench.patches.view import View
from vle_bench.shards.read import open_split

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

LONGEST_SIDE = 1024
_MOST_BYTES = 4 << 20
_QUALITY = 90
_DARK_SHARE = 0.4
_OPACITY = 0.7
_STRIPE = 8
_GREEN, _MAGENTA, _WHITE, _BLACK = (60, 220, 90), (255, 0, 200), (255, 255, 255), (0, 0, 0)
_FONT_SIZE = 14
_LINE = 18
_MARGIN = 6
_LEAST_WIDTH = 360
_LETTER = 7.5
_LONGEST_NAME = 60


def chosen(run: PatchRun, *, samples: int, seed: int, keys: Collection[str] = ()) -> list[int]:
    """Places of the queries to paint, in the order of the split.

    A query draws a number from its name and the seed, and the smallest are taken: more samples
    hold the fewer, and no other query moves a draw.

    Args:
        run: The scored run; queries without prediction have nothing to paint.
        samples: How many.
        seed: Of the draw.
        keys: Only queries of these samples; () for all.

    Raises:
        DataProblem: A key has no query with a prediction.
    """
    names = [query.name for query in run.asked.queries]
    there = np.flatnonzero(run.scores.present).tolist()
    if keys:
        known = {run.asked.queries[at].key for at in there}
        if absent := sorted(set(keys) - known):
            raise DataProblem(
                f"{run.asked.facts.path}: no scored query of {', '.join(absent)}. Check --key."
            )
        there = [at for at in there if run.asked.queries[at].key in keys]

    def ticket(at: int) -> bytes:
        return hashlib.sha256(f"grounding/{seed}/{names[at]}".encode()).digest()

    return sorted(heapq.nsmallest(samples, there, key=ticket))


def write_pictures(run: PatchRun, places: Collection[int], folder: Path) -> list[Path]:
    """Paints the queries at `places` and writes a JPEG of each into `folder`.

    Raises:
        DataProblem: A shard or a picture in it is damaged.
        MachineProblem: The folder cannot be written.
    """
    make_folder(folder)
    where = Path(run.asked.facts.path)
    written: list[Path] = []
    with open_split(where.parent, where.name) as reader:
        for at in places:
            query = run.asked.queries[at]
            data = reader.picture(reader.row(query.key))
            try:
                small = thumbnail(data, longest=LONGEST_SIDE, most_bytes=_MOST_BYTES)
            except NoThumbnail as error:
                raise DataProblem(f"{where}: {query.key}: {error}. Run vle-prep verify.") from error
            path = folder / f"{query.key}--{_safe(query.query_id)}.jpg"
            write_bytes(path, _painted(run, at, small))
            written.append(path)
    return written


def relevance(scores: npt.ArrayLike) -> Floats:
    """From 0 (dark) to 1 (clear): linear above the lowest 40 % of the range.

    >>> relevance([0.0, 0.4, 0.7, 1.0]).round(6).tolist(), relevance([3, 3]).tolist()
    ([0.0, 0.0, 0.5, 1.0], [0.0, 0.0])
    """
    values = np.asarray(scores, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    low += _DARK_SHARE * (high - low)
    if high <= low:
        return np.zeros_like(values)
    return np.clip((values - low) / (high - low), 0.0, 1.0)


def patch_of_pixels(view: View, grid: PatchGrid, size: tuple[int, int]) -> npt.NDArray[np.int64]:
    """The patch under each pixel's middle, -1 where the model sees none, shape [height, width].

    Args:
        view: From stored pixels to the model's input.
        grid: Its patches.
        size: Width and height of the copy that is painted, of whatever scale.

    >>> from vle_bench.patches.view import center_crop
    >>> patch_of_pixels(center_crop(8, 4, 32), PatchGrid.of(32, 16), (8, 4))[0].tolist()
    [-1, -1, 0, 0, 1, 1, -1, -1]
    """
    across = _cells(view.x.forward(_middles(size[0], view.x.source)), grid.columns, grid.patch_size)
    down = _cells(view.y.forward(_middles(size[1], view.y.source)), grid.rows, grid.patch_size)
    seen = (down[:, None] >= 0) & (across[None, :] >= 0)
    return np.where(seen, down[:, None] * grid.columns + across[None, :], -1)


def painted(
    photo: npt.NDArray[np.uint8], patches: npt.NDArray[np.int64], scores: npt.ArrayLike
) -> npt.NDArray[np.uint8]:
    """The photo with relevance over what was seen, and grey stripes over what was not.

    Args:
        photo: RGB, shape [height, width, 3].
        patches: The patch of each pixel, -1 for none, shape [height, width].
        scores: Shape [patches].
    """
    light = np.append(relevance(scores), 0.0)[patches][:, :, None]
    dark = _OPACITY * (1 - light)
    seen = photo * (1 - dark) + 255 * light * dark
    down, across = np.indices(patches.shape)
    stripes = np.where((down + across) // _STRIPE % 2, 0.9, 0.75)[:, :, None]
    unseen = (photo.mean(axis=2, keepdims=True) * 0.4 + 255 * 0.45) * stripes
    mixed = np.where(patches[:, :, None] >= 0, seen, unseen)
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _painted(run: PatchRun, at: int, small: bytes) -> bytes:
    from PIL import Image, ImageDraw

    query, grid = run.asked.queries[at], run.frame.grid
    view = run.frame.view(*query.size)
    with Image.open(io.BytesIO(small), formats=["JPEG"]) as opened:
        photo = np.asarray(opened.convert("RGB"))
    size = (photo.shape[1], photo.shape[0])
    pixels = painted(photo, patch_of_pixels(view, grid, size), run.scores.scores[at])
    canvas = Image.fromarray(pixels)
    draw = ImageDraw.Draw(canvas)
    scale = np.array([size[0] / query.size[0], size[1] / query.size[1]] * 2)
    whole = np.array([[0.0, 0.0, grid.width, grid.height]])
    _outline(draw, view.to_stored(whole)[0] * scale, _WHITE)
    for box in query.boxes:
        shown = from_xywh(*box.xywh)
        _outline(draw, np.array([shown.x0, shown.y0, shown.x1, shown.y1]) * scale, _GREEN)
    best = grid.corners()[[run.items.best[at]]]
    _outline(draw, view.to_stored(best)[0] * scale, _MAGENTA)
    stream = io.BytesIO()
    _with_words(canvas, _words(run, at)).save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()


def _words(run: PatchRun, at: int) -> list[str]:
    query = run.asked.queries[at]
    precision, pointing, iou = run.items.values[at].tolist()
    hit = "hit" if pointing else "miss"
    return [
        query.text,
        f"AP {100 * precision:.1f}, pointing {hit}, IoU {100 * iou:.1f}",
        f"{query.name}, {run.frame.label}, {run.model}",
    ]


def _with_words(picture: Image.Image, lines: list[str]) -> Image.Image:
    """The picture above its words; a narrow one gets a margin, so that they can be read."""
    from PIL import Image, ImageDraw, ImageFont

    width = max(picture.width, _LEAST_WIDTH)
    letters = int((width - 2 * _MARGIN) / _LETTER)
    wrapped = [part for line in lines for part in textwrap.wrap(line, letters)]
    height = picture.height + 2 * _MARGIN + _LINE * len(wrapped)
    page = Image.new("RGB", (width, height), _WHITE)
    page.paste(picture, (0, 0))
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=_FONT_SIZE)
    for row, text in enumerate(wrapped):
        place = (_MARGIN, picture.height + _MARGIN + row * _LINE)
        draw.text(place, text, fill=_BLACK, font=font)
    return page


def _outline(draw: ImageDraw.ImageDraw, corners: Floats, colour: tuple[int, int, int]) -> None:
    """A line of two pixels between two dark ones: to be seen on any ground."""
    x0, y0, x1, y1 = (round(float(value)) for value in corners)
    ends: Any = (min(x0, x1), min(y0, y1), max(x0, x1) - 1, max(y0, y1) - 1)
    limits = (draw.im.size[0] - 1, draw.im.size[1] - 1) * 2
    ends = tuple(min(max(end, 0), limit) for end, limit in zip(ends, limits, strict=True))
    if ends[2] < ends[0] or ends[3] < ends[1]:
        return
    draw.rectangle(ends, outline=_BLACK, width=4)
    draw.rectangle(ends, outline=colour, width=2)


def _middles(count: int, source: int) -> Floats:
    """Middles of `count` pixels that stand for `source` stored ones, in stored pixels."""
    return (np.arange(count, dtype=np.float64) + 0.5) * np.float64(source / count)


def _cells(places: Floats, count: int, size: int) -> npt.NDArray[np.int64]:
    found = np.floor(places / size).astype(np.int64)
    return np.where((found >= 0) & (found < count), found, -1)


def _safe(text: str) -> str:
    """A part of a file's name; ids that hold more than plain letters are told by a digest."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", text)[:_LONGEST_NAME]
    if plain == text:
        return text
    return f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
