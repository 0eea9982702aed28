"""A second reading of the data sets whose pictures come with them: COCO, VQAv2, VG, VCR."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from read_world import (
    PARTS,
    Expected,
    Json,
    Leaks,
    Taking,
    box,
    counted,
    image,
    lines,
    loaded,
    photo,
    picture,
)

from vle_bench.answers import normalise_answer

NOT_LISTED = "about an image that its file does not list"


class CocoPart:
    """What train2014 or val2014 say of their pictures; repeated and stray rows are skipped."""

    def __init__(self, raw: Path, part: str, split: str, asked: set[int], expected: Expected):
        self.rows: dict[int, Json] = {}
        self.captions: dict[int, list[Json]] = defaultdict(list)
        self.boxes: dict[int, list[Json]] = defaultdict(list)
        self.licences: dict[int, str] = {}
        skip = expected.skip
        for kind, found in (("caption", "captions"), ("box", "instances")):
            document = loaded(raw / f"coco/annotations/{found}_{part}.json")
            self.licences |= {one["id"]: one["name"] for one in document["licenses"]}
            listed: set[int] = set()
            for row in document["images"]:
                if row["id"] in asked and row["id"] in listed:
                    skip(split, "image", str(row["id"]), str(row["id"]), "duplicate id")
                self.rows.setdefault(row["id"], row)
                listed.add(row["id"])
            names = {one["id"]: one["name"] for one in document.get("categories", ())}
            ours = (
                row
                for row in document["annotations"]
                if row["image_id"] in asked or row["image_id"] not in listed
            )
            for row, again in counted(ours, "id"):
                about = row["image_id"]
                if about not in asked:
                    skip(split, kind, str(row["id"]), str(about), NOT_LISTED)
                elif again:
                    skip(split, kind, str(row["id"]), str(about), "duplicate id")
                elif kind == "caption":
                    text = {"id": str(row["id"]), "text": row["caption"]}
                    if row["caption"].strip():
                        self.captions[about].append(text)
                    else:
                        skip(split, kind, str(row["id"]), str(about), "caption without text")
                else:
                    self.boxes[about].append(_instance(row, names))

    def record(self, key: str, number: int, part: str) -> Json:
        row = self.rows.get(number, {})
        known = {
            "coco_id": str(number),
            "source_url": row.get("coco_url", ""),
            "flickr_id": photo(row.get("flickr_url", "")),
            "licence": self.licences.get(row.get("license", -1), ""),
        }
        return {
            "key": f"{key}-{number:012d}",
            "image": image(number, f"COCO_{part}_{number:012d}.jpg", **known),
            "captions": self.captions[number],
            "boxes": self.boxes[number],
        }

    def declared(self, number: int) -> tuple[int, int] | None:
        row = self.rows.get(number)
        return (row["width"], row["height"]) if row else None


def _instance(row: Json, names: dict[int, str]) -> Json:
    return box(
        row["id"],
        row["bbox"],
        label=names[row["category_id"]],
        label_id=row["category_id"],
        kind="crowd" if row["iscrowd"] else "object",
        source="coco",
    )


def coco(raw: Path, leaks: Leaks) -> Expected:
    expected = Expected()
    taking = Taking("coco", expected, leaks)
    rows = loaded(raw / "coco/annotations/dataset_coco.json")["images"]
    for split, part in PARTS.items():
        mine = {row["cocoid"] for row in rows if row["split"] == split}
        facts = CocoPart(raw, part, split, mine, expected)
        for number in sorted(mine):
            data = picture(raw / f"coco/{part}/COCO_{part}_{number:012d}.jpg")
            record = facts.record("coco", number, part)
            taking.take(split, record, data, declared=facts.declared(number))
    taking.close()
    return expected


def vqav2(raw: Path) -> Expected:
    expected = Expected()
    taking = Taking("vqav2", expected, None)
    answered = {
        split: list(
            counted(
                loaded(raw / f"vqav2/v2_mscoco_{part}_annotations.json")["annotations"],
                "question_id",
            )
        )
        for split, part in (("train", "train2014"), ("val", "val2014"))
    }
    classes = _classes(
        row.get("multiple_choice_answer", "")
        for split in answered
        for row, again in answered[split]
        if not again
    )
    for split, part in (("train", "train2014"), ("val", "val2014"), ("test", "test2015")):
        _questions(raw, split, part, answered.get(split), classes, expected, taking)
    taking.close()
    return expected


def _questions(raw, split, part, annotations, classes, expected, taking) -> None:
    file = raw / "vqav2" / f"v2_OpenEnded_mscoco_{part}_questions.json"
    asked: dict[int, list[Json]] = defaultdict(list)
    known: dict[int, Json] = {}
    for row, again in counted(loaded(file)["questions"], "question_id"):
        if again:
            _skip(expected, split, row, "duplicate id")
        else:
            asked[row["image_id"]].append(row)
            known[row["question_id"]] = row
    answers: dict[int, Json] = {}
    for row, again in annotations or ():
        if row["question_id"] not in known:
            _skip(expected, split, row, "annotation without question")
        elif again:
            _skip(expected, split, row, "duplicate id")
        else:
            answers[row["question_id"]] = row
    dev: set[int] = set()
    if annotations is None:
        dev_file = raw / "vqav2/v2_OpenEnded_mscoco_test-dev2015_questions.json"
        dev = {row["question_id"] for row in loaded(dev_file)["questions"]}
    facts = CocoPart(raw, part, split, set(asked), expected) if annotations else _Tested(raw, part)
    for number in sorted(asked):
        record = facts.record("vqav2", number, part)
        record["questions"] = []
        for row in asked[number]:
            answer = answers.get(row["question_id"])
            if annotations and answer is None:
                _skip(expected, split, row, "question without annotation")
            else:
                record["questions"].append(_question(row, answer, classes, dev))
        reason = "" if record["questions"] else "image without a usable question"
        data = picture(raw / f"coco/{part}/COCO_{part}_{number:012d}.jpg")
        taking.take(split, record, data, reason=reason, declared=facts.declared(number))


class _Tested(CocoPart):
    """Pictures of test2015, of which only a list is published."""

    def __init__(self, raw: Path, part: str):
        document = loaded(raw / f"coco/annotations/image_info_{part}.json")
        self.rows = {row["id"]: row for row in document["images"]}
        self.licences = {one["id"]: one["name"] for one in document["licenses"]}
        self.captions, self.boxes = defaultdict(list), defaultdict(list)


def _skip(expected: Expected, split: str, row: Json, reason: str) -> None:
    expected.skip(split, "question", str(row["question_id"]), str(row["image_id"]), reason)


def _classes(majorities) -> dict[str, int]:
    counts = Counter(normalise_answer(one).replace(",", "") for one in majorities if one)
    return {name: n for n, name in enumerate(one for one in counts if counts[one] >= 9)}


def _question(row: Json, answer: Json | None, classes: dict[str, int], dev: set[int]) -> Json:
    texts = Counter(one["answer"] for one in answer["answers"]) if answer else Counter()
    scores = {classes[one]: min(count, 4) for one, count in texts.items() if one in classes}
    said = answer or {}
    return {
        "question_id": row["question_id"],
        "question": row["question"],
        "question_type": said.get("question_type", ""),
        "answer_type": said.get("answer_type", ""),
        "multiple_choice_answer": said.get("multiple_choice_answer", ""),
        "answers": said.get("answers", []),
        "labels": list(scores),
        "scores": [(0.3, 0.6, 0.9, 1.0)[count - 1] for count in scores.values()],
        "test_dev": row["question_id"] in dev,
    }


def vg(raw: Path, leaks: Leaks) -> Expected:
    expected = Expected()
    taking = Taking("vg", expected, leaks)
    objects = {one["image_id"]: one["objects"] for one in loaded(raw / "vg/objects.json")}
    attributes = {
        row["object_id"]: row.get("attributes", [])
        for one in loaded(raw / "vg/attributes.json")
        for row in one["attributes"]
    }
    regions = {
        one.get("id", one.get("image_id")): one["regions"]
        for one in loaded(raw / "vg/region_descriptions.json")
    }
    rows: dict[int, Json] = {}
    for row, again in counted(loaded(raw / "vg/image_data.json"), "image_id"):
        if again:
            identity = str(row["image_id"])
            expected.skip("train", "image", identity, identity, "duplicate id")
        rows.setdefault(row["image_id"], row)
    for number, row in sorted(rows.items()):
        known = {name: str(row[name] or "") for name in ("coco_id", "flickr_id")}
        mine = objects.get(number, [])
        record = {
            "key": f"vg-{number}",
            "image": image(number, f"{number}.jpg", source_url=row["url"], **known),
            "captions": [],
            "boxes": [_object(one, attributes) for one in mine]
            + [_region(one) for one in regions.get(number, [])],
            "objects": [
                {
                    "object_id": str(one["object_id"]),
                    "names": one["names"],
                    "synsets": one["synsets"],
                    "merged_object_ids": list(map(str, one["merged_object_ids"])),
                }
                for one in mine
            ],
        }
        folders = (raw / f"vg/VG_100K{end}/{number}.jpg" for end in ("", "_2"))
        data = next((data for one in folders if (data := picture(one)) is not None), None)
        taking.take("train", record, data, declared=(row["width"], row["height"]))
    return expected


def _object(row: Json, attributes: dict[int, list[str]]) -> Json:
    ids = (row["object_id"], *row["merged_object_ids"])
    own = [text for one in ids for text in attributes.get(one, ())]
    sides = (row[name] for name in "xywh")
    return box(
        ids[0], sides, label=row["names"][0], attributes=list(dict.fromkeys(own)), source="vg"
    )


def _region(row: Json) -> Json:
    sides = (row[name] for name in ("x", "y", "width", "height"))
    return box(row["region_id"], sides, phrase=row["phrase"], kind="region", source="vg")


def vcr(raw: Path) -> Expected:
    expected = Expected()
    taking = Taking("vcr", expected, None)
    document = loaded(raw / "coco/annotations/instances_train2014.json")
    classes = {one["name"].replace(" ", ""): one["id"] for one in document["categories"]}
    for split in ("train", "val", "test"):
        stills: dict[str, list[Json]] = defaultdict(list)
        for row, again in counted(lines(raw / f"vcr/{split}.jsonl"), "annot_id"):
            if again:
                reason = ("duplicate id",)
                expected.skip(split, "question", row["annot_id"], row["img_id"], *reason)
            else:
                stills[row["img_id"]].append(row)
        for identity, rows in sorted(stills.items(), key=lambda one: int(one[0].split("-")[1])):
            first = rows[0]
            beside = loaded(raw / "vcr/vcr1images" / first["metadata_fn"])
            record = {
                "key": f"vcr-{identity}",
                "image": image(identity, first["img_fn"]),
                "captions": [],
                "boxes": [
                    box(n, _sides(one), label=name, label_id=classes[name], source="vcr")
                    for n, (name, one) in enumerate(
                        zip(beside["names"], beside["boxes"], strict=True)
                    )
                ],
                "movie": first["movie"],
                "metadata_file": first["metadata_fn"],
                "objects": [
                    {"name": name, "score": one[4]}
                    for name, one in zip(first["objects"], beside["boxes"], strict=True)
                ],
                "items": list(map(_item, rows)),
            }
            data = picture(raw / "vcr/vcr1images" / first["img_fn"])
            if data is None:
                record["boxes"] = []  # what lies beside a still that is not there is not read
            declared = (beside["width"], beside["height"])
            taking.take(split, record, data, declared=declared)
    return expected


def _sides(corners: list[float]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = corners[:4]
    return x0, y0, x1 - x0, y1 - y0


def _item(row: Json) -> Json:
    def tokens(sentence: list[str | list[int]]) -> list[Json]:
        return [
            {"text": one, "objects": []} if isinstance(one, str) else {"text": "", "objects": one}
            for one in sentence
        ]

    return {
        "annot_id": row["annot_id"],
        "question_number": row["question_number"],
        "question": tokens(row["question"]),
        "answer_choices": list(map(tokens, row["answer_choices"])),
        "rationale_choices": list(map(tokens, row["rationale_choices"])),
        "answer_label": row.get("answer_label", -1),
        "rationale_label": row.get("rationale_label", -1),
        "answer_likelihood": row.get("answer_likelihood", ""),
        "region": "",
    }
