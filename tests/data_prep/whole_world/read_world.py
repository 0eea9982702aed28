"""A second reading of the sample world: what must be in the shards, and what must be left out.

Plain `json.load` and dictionaries, from the words of the contract and of docs/reasons.md. It
shares no code with preparation but the normalisation of answers, which has oracles of its own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from seen_pictures import fitted, look

Json = dict[str, Any]
Row = tuple[str, str, str, str, str]
"""split, kind, id, image id, reason."""
PARTS = {"train": "train2014", "restval": "val2014", "val": "val2014", "test": "val2014"}
EXCLUDED = "excluded by overlap"
LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
HAN = re.compile(r"[㐀-䶿一-鿿豈-﫿]")


@dataclass
class Expected:
    """One dataset as it must be: records by key, skipped rows, counted oddities, licences."""

    records: dict[str, Json] = field(default_factory=dict)
    skipped: Counter[Row] = field(default_factory=Counter)
    adjusted: Counter[tuple[str, str]] = field(default_factory=Counter)
    licences: Counter[tuple[str, str]] = field(default_factory=Counter)

    def skip(self, *row: str) -> None:
        self.skipped[row] += 1  # type: ignore[index]  # five texts


class Leaks(NamedTuple):
    """By what evaluation pictures are known."""

    coco: set[str]
    flickr: set[str]
    digests: set[str]


def loaded(path: Path) -> Any:
    return json.loads(path.read_bytes())


def lines(path: Path) -> list[Any]:
    """The rows of a file; a small world may lack it."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def box(identity: object, xywh: Iterable[float], **known: Any) -> Json:
    plain = {"label": "", "label_id": -1, "attributes": [], "phrase": "", "kind": "object"}
    return {**plain, "id": str(identity), "xywh": list(map(float, xywh)), **known}


def image(identity: object, file_name: str, **known: str) -> Json:
    plain = dict.fromkeys(("source_url", "licence", "coco_id", "flickr_id"), "")
    return {**plain, "id": str(identity), "file_name": file_name, **known}


def photo(url: str) -> str:
    """The number before the first underscore of a Flickr address's last part."""
    name = url.rpartition("/")[2]
    return name.partition("_")[0] if re.fullmatch(r"[0-9]+_[0-9a-f]+(_[a-z])?\.jpg", name) else ""


def web_photo(url: str) -> str:
    flickr = re.match(r"https?://[^/]*\bstatic[^/]*flickr", url)
    ten = re.search(r"/[0-9]+_[0-9a-f]{10}(_[a-z])?\.jpg$", url)
    return photo(url) if ten or flickr else ""


class Taking:
    """Puts pictures with all that is known of them into an `Expected`, by the common rules."""

    def __init__(self, name: str, expected: Expected, leaks: Leaks | None) -> None:
        self._name, self._expected, self._leaks = name, expected, leaks
        self._texts: dict[str, Counter[str]] = defaultdict(Counter)

    def take(
        self,
        split: str,
        record: Json,
        data: bytes | None,
        *,
        reason: str = "",
        absent: str = "picture absent",
        declared: tuple[int, int] | None = None,
        script: re.Pattern[str] = LATIN,
    ) -> None:
        """Files a record; `data` is None where there is no picture, `reason` is a verdict."""
        picture = record["image"]
        if not reason and data is None:
            reason = absent
        if not reason and split in ("train", "restval") and self._leaks and self._by_id(picture):
            reason = EXCLUDED
            self._count_captions(split, record, script)
        elif not reason:
            assert data is not None
            self._count_captions(split, record, script)
            seen = look(data, picture["file_name"])
            reason = seen.reason
            if not reason and split in ("train", "restval") and self._leaks:
                reason = EXCLUDED if seen.facts["sha256"] in self._leaks.digests else ""
            if not reason:
                self._write(split, record, seen.facts, seen.oddities, declared)
                return
        self.leave_out(split, record, reason)

    def leave_out(self, split: str, record: Json, reason: str) -> None:
        identity = record["image"]["id"]
        skip = self._expected.skip
        skip(split, "image", identity, identity, reason)
        for kind, name, key in (
            ("caption", "captions", "id"),
            ("box", "boxes", "id"),
            ("question", "questions", "question_id"),
            ("question", "items", "annot_id"),
        ):
            for one in record.get(name, ()):
                skip(split, kind, str(one[key]), identity, reason)

    def close(self) -> None:
        """Counts captions that stand on more than one picture, split by split."""
        for split, texts in self._texts.items():
            shared = sum(count for count in texts.values() if count > 1)
            if shared:
                self._expected.adjusted[split, "caption that another picture has too"] = shared

    def _by_id(self, picture: Json) -> bool:
        assert self._leaks is not None
        return picture["coco_id"] in self._leaks.coco or picture["flickr_id"] in self._leaks.flickr

    def _count_captions(self, split: str, record: Json, script: re.Pattern[str]) -> None:
        texts = [one["text"].strip() for one in record["captions"]]
        self._texts[split].update(set(texts))
        counts = self._expected.adjusted
        counts[split, "caption repeated within its picture"] += len(texts) - len(set(texts))
        odd = sum(script.search(text) is None for text in texts)
        counts[split, "caption without a letter of the expected script"] += odd

    def _write(
        self,
        split: str,
        record: Json,
        facts: Json,
        oddities: list[str],
        declared: tuple[int, int] | None,
    ) -> None:
        expected = self._expected
        found = fitted(record["boxes"], facts, declared)
        for identity, why in found.lost:
            expected.skip(split, "box", identity, record["image"]["id"], why)
        for rule, count in (found.rules + Counter(oddities)).items():
            expected.adjusted[split, rule] += count
        expected.licences[split, record["image"]["licence"]] += 1
        whole = {**record, "dataset": self._name, "split": split, "boxes": found.kept}
        whole["image"] = {**record["image"], **facts}
        assert record["key"] not in expected.records
        expected.records[record["key"]] = whole


def picture(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def leaks_of(raw: Path) -> Leaks:
    """The evaluation pictures of every rule that is on by default."""
    split_of = {
        row["cocoid"]: row["split"]
        for row in loaded(raw / "coco/annotations/dataset_coco.json")["images"]
    }
    held = {one for one, split in split_of.items() if split in ("val", "test")}
    tested = {
        one["id"] for one in loaded(raw / "coco/annotations/image_info_test2015.json")["images"]
    }
    rows = loaded(raw / "coco/annotations/captions_val2014.json")["images"]
    flickr = {photo(row.get("flickr_url", "")) for row in rows if row["id"] in held} - {""}
    karpathy = loaded(raw / "flickr30k/dataset_flickr30k.json")["images"]
    photos = {row["filename"][:-4] for row in karpathy if row["split"] in ("val", "test")}
    photos |= {
        line
        for name in ("val", "test")
        for line in (raw / f"flickr30k/{name}.txt").read_text().split()
    }
    files = [raw / f"coco/val2014/COCO_val2014_{one:012d}.jpg" for one in held]
    files += [raw / f"coco/test2015/COCO_test2015_{one:012d}.jpg" for one in tested]
    files += [raw / f"flickr30k/flickr30k-images/{one}.jpg" for one in photos]
    files += [
        raw / "vcr/vcr1images" / row["img_fn"]
        for name in ("val", "test")
        for row in lines(raw / f"vcr/{name}.jsonl")
    ]
    digests = {hashlib.sha256(data).hexdigest() for one in files if (data := picture(one))}
    return Leaks({str(one) for one in held | tested}, flickr | photos, digests)


def decoded(text: str) -> bytes:
    """Base64 of a table; bytes that no reader takes for a picture where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b"no base64"


def counted(rows: Iterable[Json], key: str) -> Iterator[tuple[Json, bool]]:
    """Each row, and whether its id came before."""
    seen: set[str] = set()
    for row in rows:
        yield row, str(row[key]) in seen
        seen.add(str(row[key]))
