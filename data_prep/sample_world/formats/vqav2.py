"""VQAv2: open-ended questions on COCO pictures, ten answers each, none for test.

Format: https://visualqa.org/download.html. question_id = image_id * 1000 + k, as
in the real files; `multiple_choice_answer` is what most annotators wrote.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from vle_bench.data_prep.sample_world.language.interview import Asked, Interview
from vle_bench.data_prep.sample_world.roster import Drawn
from vle_bench.data_prep.sample_world.streams import stream
from vle_bench.data_prep.sample_world.world import World, info

Json = dict[str, Any]

_LICENCE = {
    "url": "https://www.apache.org/licenses/LICENSE-2.0",
    "name": "Apache License 2.0 (drawn by VLE bench)",
}


def write_vqav2(world: World) -> None:
    """Writes RAW/vqav2: questions of four splits, annotations of two."""
    for split, part in (
        ("train2014", "coco-train"),
        ("val2014", "coco-val"),
        ("test2015", "coco-test"),
    ):
        asked = _interviews(world, split, world.roster.parts[part])
        order = list(asked)
        stream(world.seed, "vqa order", split).shuffle(order)
        _write_questions(world, split, [(drawn, asked[drawn]) for drawn in order])
        if split == "test2015":
            dev = [(drawn, asked[drawn]) for drawn in order if drawn.test_dev]
            _write_questions(world, "test-dev2015", dev)
        else:
            _write_annotations(world, split, [(drawn, asked[drawn]) for drawn in order])


def _interviews(world: World, split: str, pictures: tuple[Drawn, ...]) -> dict[Drawn, list[Asked]]:
    interview = Interview(world.seed, split)
    return {drawn: interview.ask(world.scene(drawn), drawn.coco_id) for drawn in pictures}


def _write_questions(world: World, split: str, asked: list[tuple[Drawn, list[Asked]]]) -> None:
    questions = [
        {
            "image_id": drawn.coco_id,
            "question": item.question,
            "question_id": drawn.coco_id * 1000 + k,
        }
        for drawn, items in asked
        for k, item in enumerate(items)
    ]
    world.write_json(
        f"vqav2/v2_OpenEnded_mscoco_{split}_questions.json",
        {
            "info": info("2.0", 2017),
            "task_type": "Open-Ended",
            "data_type": "mscoco",
            "license": _LICENCE,
            "data_subtype": split,
            "questions": questions,
        },
    )


def _write_annotations(world: World, split: str, asked: list[tuple[Drawn, list[Asked]]]) -> None:
    annotations = [
        _annotation(drawn.coco_id, k, item)
        for drawn, items in asked
        for k, item in enumerate(items)
    ]
    world.write_json(
        f"vqav2/v2_mscoco_{split}_annotations.json",
        {
            "info": info("2.0", 2017),
            "license": _LICENCE,
            "data_subtype": split,
            "annotations": annotations,
            "data_type": "mscoco",
        },
    )


def _annotation(image_id: int, number: int, item: Asked) -> Json:
    return {
        "question_type": item.question_type,
        "multiple_choice_answer": Counter(g.answer for g in item.given).most_common(1)[0][0],
        "answers": [
            {"answer": given.answer, "answer_confidence": given.confidence, "answer_id": k}
            for k, given in enumerate(item.given, start=1)
        ],
        "image_id": image_id,
        "answer_type": item.answer_type,
        "question_id": image_id * 1000 + number,
    }
