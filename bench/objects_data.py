"""A drawn `objects.json` of Visual Genome: as many pictures, objects and names as the real one.

Usage: python -m bench.objects_data FILE TIMES SEED. TIMES is how many times the objects of the
real file are drawn, for as many pictures in any case.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

PICTURES, OBJECTS_EACH = 108_077, 23.5
_NAMES = 30_000


def write_objects(path: Path, *, times: float, seed: int) -> None:
    """Draws the file, one picture a record."""
    draw = np.random.default_rng(seed)
    often = 1 / np.arange(1, _NAMES + 1) ** 1.1
    names = draw.choice(_NAMES, 1_000_000, p=often / often.sum())
    with path.open("wb") as stream:
        stream.write(b"[")
        for number in range(1, PICTURES + 1):
            count = int(np.clip(draw.normal(OBJECTS_EACH * times, 10 * times), 1, None))
            record = {
                "image_id": number,
                "objects": list(_objects(draw, names, number, count)),
                "image_url": f"https://cs.stanford.edu/people/rak248/VG_100K_2/{number}.jpg",
            }
            spaced = msgspec.json.format(msgspec.json.encode(record), indent=0)
            stream.write(b", " + spaced if number > 1 else spaced)
        stream.write(b"]")


def _objects(
    draw: np.random.Generator,
    names: np.ndarray[tuple[int], np.dtype[np.int64]],
    picture: int,
    count: int,
) -> Iterator[dict[str, object]]:
    boxes = draw.integers(1, 400, (count, 4)).tolist()
    for row, place in enumerate(draw.integers(0, len(names), count).tolist()):
        name = f"obj{names[place]}"
        x, y, w, h = boxes[row]
        yield {
            "synsets": [f"{name}.n.01"],
            "h": h,
            "object_id": 1_000_000 + 1000 * picture + row,
            "merged_object_ids": [],
            "names": [name],
            "w": w,
            "y": y,
            "x": x,
        }


if __name__ == "__main__":
    write_objects(Path(sys.argv[1]), times=float(sys.argv[2]), seed=int(sys.argv[3]))
