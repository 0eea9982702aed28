"""A drawn `instances_train2017.json`: as many pictures, boxes and outline points as the real one.

Usage: python -m bench.annotations_data FILE TIMES SEED. TIMES is how many times the boxes of
the real file are drawn, as many pictures from 1 time on. A process of its own: what a
parent holds in memory would count as its children's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

PICTURES, BOXES = 118_287, 860_001
_CATEGORIES = 80
_BATCH = 10_000


def write_instances(path: Path, *, times: float, seed: int) -> None:
    """Draws the file, list by list in the order of the official one."""
    draw = np.random.default_rng(seed)
    images = np.sort(draw.choice(581_929, int(PICTURES * min(times, 1)), replace=False)) + 1
    with path.open("wb") as stream:
        stream.write(b'{"info": {"description": "drawn"}, "licenses": [{"id": 1, "name": "x"}], ')
        stream.write(b'"images": [')
        stream.writelines(_pieces(map(_image, images.tolist())))
        stream.write(b'], "annotations": [')
        stream.writelines(_pieces(_boxes(draw, images, int(BOXES * times))))
        stream.write(b'], "categories": [')
        names = ({"id": one, "name": f"thing {one}"} for one in range(1, _CATEGORIES + 1))
        stream.writelines(_pieces(names))
        stream.write(b"]}")


def _image(number: int) -> dict[str, object]:
    name = f"{number:012d}.jpg"
    return {
        "license": 1,
        "file_name": name,
        "coco_url": f"http://images.cocodataset.org/train2017/{name}",
        "height": 480,
        "width": 640,
        "date_captured": "2013-11-14 11:18:45",
        "flickr_url": f"http://farm9.staticflickr.com/8186/{number}_db3a1f2b3c_z.jpg",
        "id": number,
    }


def _boxes(
    draw: np.random.Generator, images: np.ndarray[tuple[int], np.dtype[np.int64]], count: int
) -> Iterator[dict[str, object]]:
    for first in range(0, count, _BATCH):
        size = min(_BATCH, count - first)
        owners = draw.choice(images, size).tolist()
        kinds = draw.integers(1, _CATEGORIES + 1, size).tolist()
        points = np.clip(draw.gamma(1.6, 13, size), 4, 300).astype(int).tolist()
        boxes = np.round(draw.random((size, 4)) * 300, 2).tolist()
        for row in range(size):
            outline = np.round(draw.random(2 * points[row]) * 480, 2).tolist()
            yield {
                "segmentation": [outline],
                "area": round(boxes[row][2] * boxes[row][3] * 0.6, 4),
                "iscrowd": 0,
                "image_id": owners[row],
                "bbox": boxes[row],
                "category_id": kinds[row],
                "id": first + row + 100,
            }


def _pieces(records: Iterator[dict[str, object]]) -> Iterator[bytes]:
    """Records with a comma between them and the blanks of Python's own writer."""
    for number, record in enumerate(records):
        spaced = msgspec.json.format(msgspec.json.encode(record), indent=0)
        yield b", " + spaced if number else spaced


if __name__ == "__main__":
    write_instances(Path(sys.argv[1]), times=float(sys.argv[2]), seed=int(sys.argv[3]))
