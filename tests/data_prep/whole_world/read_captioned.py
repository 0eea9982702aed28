"""A second reading of the data sets that are pictures and sentences: the web's and Flickr's."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from read_world import (
    HAN,
    Expected,
    Json,
    Leaks,
    Taking,
    box,
    decoded,
    image,
    lines,
    loaded,
    picture,
    web_photo,
)

_PHRASE = re.compile(r"\[/EN#([0-9]+)/(\S+) ([^\]]+)\]")


def cc3m(raw: Path, leaks: Leaks) -> Expected:
    expected = Expected()
    taking = Taking("cc3m", expected, leaks)
    seen: set[str] = set()
    for split, name in (
        ("train", "Train_GCC-training.tsv"),
        ("val", "Validation_GCC-1.1.0-Validation.tsv"),
    ):
        pages: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
        for number, line in enumerate((raw / "cc3m" / name).read_text("utf-8").splitlines(), 1):
            if "\t" not in line:
                reason = ("caption", str(number), "", "line that is no caption and address")
                expected.skip(split, *reason)
                continue
            caption, url = line.split("\t")
            pages[hashlib.sha1(url.encode()).hexdigest()[:16]].append((number, caption, url))
        for key, rows in sorted(pages.items()):
            reason = "image belongs to an earlier split" if key in seen else ""
            _page("cc3m", split, f"cc3m-{key}", key, rows, raw, taking, reason=reason)
        seen |= pages.keys()
    taking.close()
    return expected


def sbu(raw: Path, leaks: Leaks) -> Expected:
    expected = Expected()
    taking = Taking("sbu", expected, leaks)
    columns = loaded(raw / "sbu/sbu-captions-all.json")
    pages: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for number, (url, caption) in enumerate(
        zip(columns["image_urls"], columns["captions"], strict=True)
    ):
        pages[url].append((number, caption, url))
    for rows in pages.values():
        first = rows[0][0]
        user = {"user_id": columns["user_ids"][first]}
        _page("sbu", "train", f"sbu-{first:07d}", str(first), rows, raw, taking, **user)
    taking.close()
    return expected


def _page(name, split, key, identity, rows, raw, taking, *, reason="", **more) -> None:
    url = rows[0][2]
    path = urlsplit(url).path.lstrip("/")
    record = {
        "key": key,
        "image": image(identity, path, source_url=url, flickr_id=web_photo(url)),
        "captions": [{"id": str(number), "text": text} for number, text, _ in rows],
        "boxes": [],
        **more,
    }
    data = picture(raw / name / "pictures" / path)
    taking.take(split, record, data, reason=reason, absent="picture not downloaded")


def flickr30k(raw: Path) -> Expected:
    expected = Expected()
    taking = Taking("flickr30k", expected, None)
    rows = loaded(raw / "flickr30k/dataset_flickr30k.json")["images"]
    for row in sorted(rows, key=lambda row: int(row["filename"][:-4])):
        identity = row["filename"].removesuffix(".jpg")
        boxes, declared = _phrases(raw / "flickr30k", identity)
        record = {
            "key": f"flickr30k-{identity}",
            "image": image(identity, row["filename"], flickr_id=identity),
            "captions": [
                {"id": str(one["sentid"]), "text": one["raw"]} for one in row["sentences"]
            ],
            "boxes": boxes,
        }
        tree = ET.parse(raw / f"flickr30k/Annotations/{identity}.xml")
        bare = sum(one.find("bndbox") is None for one in tree.findall("object"))
        expected.adjusted[row["split"], "entity without a box"] += bare
        data = picture(raw / "flickr30k/flickr30k-images" / row["filename"])
        taking.take(row["split"], record, data, declared=declared)
    taking.close()
    return expected


def _phrases(folder: Path, identity: str) -> tuple[list[Json], tuple[int, int]]:
    """A region for each box of an entity and each different phrase that names it."""
    text = (folder / f"Sentences/{identity}.txt").read_text("utf-8")
    named: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for entity, kinds, phrase in dict.fromkeys(_PHRASE.findall(text)):
        named[entity].append((kinds, phrase))
    tree = ET.parse(folder / f"Annotations/{identity}.xml")
    boxes = []
    placed = [one for one in tree.findall("object") if one.find("bndbox") is not None]
    for number, one in enumerate(placed):
        x0, y0, x1, y1 = (
            float(one.findtext(f"bndbox/{name}", "")) for name in ("xmin", "ymin", "xmax", "ymax")
        )
        for entity in (name.text or "" for name in one.findall("name")):
            for turn, (kinds, phrase) in enumerate(named[entity]):
                known = {"attributes": kinds.split("/"), "phrase": phrase, "kind": "region"}
                name = f"{entity}-{number}-{turn}"
                sides = (x0 - 1, y0 - 1, x1 - x0, y1 - y0)
                boxes.append(box(name, sides, source="flickr30k-entities", **known))
    return boxes, (int(tree.findtext("size/width", "")), int(tree.findtext("size/height", "")))


def flickr30k_cn(raw: Path) -> Expected:
    expected = Expected()
    taking = Taking("flickr30k-cn", expected, None)
    for split, name in (("train", "train"), ("val", "valid"), ("test", "test")):
        table = raw / "flickr30k-cn" / f"{name}_imgs.tsv"
        codes = dict(line.split("\t") for line in table.read_text().splitlines())
        captions: dict[str, list[Json]] = {one: [] for one in codes}
        for text, about in _texts(raw / "flickr30k-cn" / f"{name}_texts.jsonl", split, expected):
            captions.setdefault(about, []).append(text)
        for identity in sorted(captions, key=int):
            record = {
                "key": f"flickr30k-cn-{identity}",
                "image": image(identity, f"{table.name}#{identity}", flickr_id=identity),
                "captions": captions[identity],
                "boxes": [],
            }
            data = decoded(codes[identity]) if identity in codes else None
            taking.take(split, record, data, script=HAN)
    taking.close()
    return expected


def _texts(path: Path, split: str, expected: Expected) -> Iterator[tuple[Json, str]]:
    seen: set[str] = set()
    for row in lines(path):
        identity = str(row["text_id"])
        if not row["image_ids"]:
            expected.skip(split, "caption", identity, "", "text that names no picture")
        for one in map(str, row["image_ids"]):
            if identity in seen:
                expected.skip(split, "caption", identity, one, "duplicate id")
            else:
                yield {"id": identity, "text": row["text"]}, one
        seen.add(identity)
