"""A raw folder of VQAv2 made by hand: a few pictures, every thing in it put there on purpose."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PARTS = {"train": "train2014", "val": "val2014", "test": "test2015"}
ZIPS = {
    "questions": "v2_Questions_{}_mscoco.zip",
    "annotations": "v2_Annotations_{}_mscoco.zip",
}


def picture_bytes(
    width: int = 64, height: int = 48, *, kind: str = "JPEG", **options: Any
) -> bytes:
    """A small real picture whose colours follow from its size."""
    from PIL import Image

    image = Image.linear_gradient("L").resize((width, height)).convert(options.pop("mode", "RGB"))
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def turned_picture_bytes(width: int, height: int, orientation: int) -> bytes:
    """A JPEG that asks viewers to turn it."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = orientation
    return picture_bytes(width, height, exif=exif)


@dataclass
class RawWorld:
    """Raw files in the making; `write` puts them down in the contract's own layout."""

    root: Path
    pictures: dict[str, dict[str, bytes]] = field(default_factory=dict)
    questions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    annotations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    test_dev: list[dict[str, Any]] = field(default_factory=list)
    images: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    captions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    boxes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def picture(self, split: str, image: int, data: bytes | None = None, name: str = "") -> None:
        part = PARTS[split]
        name = name or f"COCO_{part}_{image:012d}.jpg"
        self.pictures.setdefault(split, {})[name] = picture_bytes() if data is None else data

    def question(
        self,
        split: str,
        image: int,
        number: int = 0,
        answers: list[str] | None = None,
        main: str = "yes",
    ) -> int:
        identity = image * 1000 + number
        self.questions.setdefault(split, []).append(
            {"image_id": image, "question": f"Is {number} there?", "question_id": identity}
        )
        if split != "test":
            given = answers or [main] * 10
            self.annotations.setdefault(split, []).append(
                {
                    "question_id": identity,
                    "image_id": image,
                    "question_type": "is",
                    "answer_type": "yes/no",
                    "multiple_choice_answer": main,
                    "answers": [
                        {"answer": one, "answer_confidence": "yes", "answer_id": at + 1}
                        for at, one in enumerate(given)
                    ],
                }
            )
        return identity

    def image_row(self, split: str, image: int, **more: Any) -> None:
        row = {
            "id": image,
            "width": 64,
            "height": 48,
            "license": 3,
            "file_name": f"{image}.jpg",
            "coco_url": f"http://images.example.org/{image}.jpg",
            "flickr_url": f"http://farm9.staticflickr.com/8/{image}55_ab_z.jpg",
        }
        self.images.setdefault(split, []).append(row | more)

    def caption(self, split: str, image: int, identity: int, text: str = "A thing.") -> None:
        row = {"id": identity, "image_id": image, "caption": text}
        self.captions.setdefault(split, []).append(row)

    def box(self, split: str, image: int, identity: int, bbox: Any = (1, 2, 3.5, 4), **more: Any):
        row = {
            "id": identity,
            "image_id": image,
            "category_id": 18,
            "bbox": list(bbox),
            "iscrowd": 0,
            "segmentation": [[1, 2, 3, 4]],
            "area": 1.0,
        }
        self.boxes.setdefault(split, []).append(row | more)

    def documents(self) -> dict[str, Any]:
        """Every annotation file by its path below RAW."""
        files: dict[str, Any] = {}
        for split, rows in self.questions.items():
            files[f"vqav2/v2_OpenEnded_mscoco_{PARTS[split]}_questions.json"] = {
                "info": {},
                "license": {"name": "x"},
                "data_subtype": PARTS[split],
                "questions": rows,
            }
        for split, rows in self.annotations.items():
            files[f"vqav2/v2_mscoco_{PARTS[split]}_annotations.json"] = {"annotations": rows}
        if self.test_dev:
            name = "vqav2/v2_OpenEnded_mscoco_test-dev2015_questions.json"
            files[name] = {"questions": self.test_dev}
        common = {
            "licenses": [{"id": 3, "name": "Attribution", "url": "http://example.org/by"}],
            "categories": [{"id": 18, "name": "dog", "supercategory": "animal"}],
        }
        for split in PARTS:
            listed = {"images": self.images.get(split, []), **common}
            for kind, rows in (("captions", self.captions), ("instances", self.boxes)):
                if split in rows or (split in self.images and split != "test"):
                    name = f"coco/annotations/{kind}_{PARTS[split]}.json"
                    files[name] = listed | {"annotations": rows.get(split, [])}
        return files

    def write(self) -> Path:
        for name, content in self.documents().items():
            put(self.root / name, json.dumps(content).encode())
        for split, pictures in self.pictures.items():
            for name, data in pictures.items():
                put(self.root / "coco" / PARTS[split] / name, data)
        return self.root

    def write_zips(self) -> Path:
        """The same, in the official archives."""
        documents = self.documents()
        for split in PARTS:
            for kind, pattern in ZIPS.items():
                inside = {
                    Path(name).name: json.dumps(content).encode()
                    for name, content in documents.items()
                    if name.startswith("vqav2/")
                    and name.endswith(f"{kind}.json")
                    and (PARTS[split] in name or (split == "test" and "test-dev" in name))
                }
                if inside:
                    put_zip(self.root / "vqav2" / pattern.format(split.title()), inside)
            pictures = self.pictures.get(split, {})
            inside = {f"{PARTS[split]}/{name}": data for name, data in pictures.items()}
            put_zip(self.root / "coco" / f"{PARTS[split]}.zip", inside, zipfile.ZIP_STORED)
        coco = {
            name.removeprefix("coco/"): json.dumps(content).encode()
            for name, content in documents.items()
            if name.startswith("coco/")
        }
        put_zip(self.root / "coco" / "annotations_trainval2014.zip", coco)
        return self.root


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def put_zip(path: Path, inside: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in inside.items():
            archive.writestr(name, data)


def tree_digest(folder: Path) -> str:
    """Digest over the names and bytes of all files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
