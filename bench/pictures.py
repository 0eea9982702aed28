"""Drawn input at the sizes of real pictures: folders, an official-looking zip, a raw COCO.

The files are JPEG by their headers and their end, and noise between: nothing
that is measured here decodes a picture, and noise is what compressed data look
like to a disk, a digest or a zip.
"""

from __future__ import annotations

import json
import random
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

SMALLEST, LARGEST = 60_000, 160_000
WIDTH, HEIGHT = 640, 480
PER_SHARD = 500
_CAPTIONS = 5
_BOXES = 7

_START = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_COMPONENTS = b"\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00"
_FRAME = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", HEIGHT, WIDTH) + _COMPONENTS
_SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
_END = b"\xff\xd9"


def drawn_jpeg(rng: random.Random) -> bytes:
    """Noise between the headers and the end of a JPEG; in a scan FF is never alone."""
    noise = rng.randbytes(rng.randint(SMALLEST, LARGEST)).replace(b"\xff", b"\xfe")
    return b"".join((_START, _FRAME, _SCAN, noise, _END))


def tiny_jpeg(number: int) -> bytes:
    """A picture of a few bytes, another one for each number."""
    mark = number.to_bytes(8, "big").hex().encode()
    return b"".join((_START, _FRAME, _SCAN, mark, _END))


def draw(folder: Path, count: int, *, seed: int = 7) -> None:
    """Writes `count` pictures as `<twelve digits>.jpg`."""
    rng = random.Random(seed)
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number:012d}.jpg").write_bytes(drawn_jpeg(rng))


def pack_zip(folder: Path, archive: Path) -> None:
    """A zip of a folder, its members stored, as those of COCO are."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for path in sorted(folder.iterdir()):
            packed.write(path, f"{folder.name}/{path.name}")


def write_coco(raw: Path, count: int) -> None:
    """A raw folder of COCO val2017, pictures and both files of annotations."""
    pictures = raw / "coco" / "val2017"
    draw(pictures, count)
    notes = raw / "coco" / "annotations"
    notes.mkdir()
    images = [
        {"id": n, "file_name": f"{n:012d}.jpg", "width": WIDTH, "height": HEIGHT}
        for n in range(count)
    ]
    captions = [
        {"id": n * _CAPTIONS + k, "image_id": n, "caption": f"Thing {k} beside thing {n}."}
        for n in range(count)
        for k in range(_CAPTIONS)
    ]
    boxes = list(_boxes(count))
    classes = [{"id": 1, "name": "thing", "supercategory": "things"}]
    for kind, rows in (("captions", captions), ("instances", boxes)):
        content = {"images": images, "annotations": rows, "categories": classes}
        (notes / f"{kind}_val2017.json").write_text(json.dumps(content))


def _boxes(count: int) -> Iterator[dict[str, object]]:
    for number in range(count):
        for place in range(_BOXES):
            yield {
                "id": number * _BOXES + place,
                "image_id": number,
                "category_id": 1,
                "bbox": [10.5 + place, 20.25, 100.0, 80.5],
                "area": 8050.0,
                "iscrowd": 0,
                "segmentation": [[10.5, 20.25, 110.5, 20.25, 110.5, 100.75]],
            }
