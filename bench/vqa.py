"""VQA accuracy of all of VQAv2 val beside the mere reading of its files.

The floor is msgspec's typed parse of annotations and predictions in a process of
its own; `json.load` of the annotations alone stands beside it. The data are drawn: as
many distinct answers, unanimous questions and dirty spellings as VQAv2 val has,
and its 178 MB. The same questions are also packed into shards, under pictures
of a few bytes, and scored from there once before the clock runs: the first time
makes the index of answers that every later one reads.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from bench.contest import Contest, Goal, Program
from bench.pictures import tiny_jpeg
from bench.processes import console
from bench.vqa_data import ANNOTATIONS, PREDICTIONS, QUESTIONS, QUESTIONS_OF_VAL

TYPED, PLAIN = "typed parse of both files", "json.load of the annotations"
QUICK, FULL = "vle-eval vqa, no interval", "vle-eval vqa, 10,000 draws by picture"
SHARDS = "vle-eval vqa from shards, no interval"

_TYPED = """
import gc, sys
import msgspec
class Answer(msgspec.Struct, gc=False):
    answer: str
    answer_id: int
class Annotation(msgspec.Struct):
    question_id: int
    image_id: int
    answer_type: str
    question_type: str
    answers: list[Answer]
class File(msgspec.Struct):
    annotations: list[Annotation]
class Prediction(msgspec.Struct, gc=False):
    question_id: int
    answer: str
gc.disable()
msgspec.json.decode(open(sys.argv[1], "rb").read(), type=File)
msgspec.json.decode(open(sys.argv[2], "rb").read(), type=list[Prediction])
"""
_PLAIN = """
import json, sys
json.load(open(sys.argv[1]))
"""


def contest(place: Path, questions: int) -> Contest:
    """Draws the data into `place`, packs them, and names the programs."""
    draw = [sys.executable, "-m", "bench.vqa_data", str(place), str(questions), "0"]
    subprocess.run(draw, check=True)
    files = str(place / ANNOTATIONS), str(place / PREDICTIONS)
    asked = (console("vle-eval"), "vqa", "--predictions", files[1], "--json")
    quick = ("--resamples", "0")
    from_json = (*asked, "--annotations", files[0])
    from_shards = (*asked, "--data", str(_packed(place, questions)), "--dataset", "vqav2",
                   "--split", "val", *quick)  # fmt: skip
    subprocess.run(from_shards, check=True, stdout=subprocess.DEVNULL)
    return Contest(
        name="vqa",
        title=f"VQA accuracy of {questions:,} questions",
        given=f"{Path(files[0]).stat().st_size / 1e6:,.0f} MB of annotations, drawn",
        place=place,
        programs=(
            Program(TYPED, (sys.executable, "-c", _TYPED, *files), tells=False),
            Program(PLAIN, (sys.executable, "-c", _PLAIN, files[0]), tells=False),
            Program(QUICK, (*from_json, *quick), tells=False),
            Program(FULL, from_json, tells=False),
            Program(SHARDS, from_shards, tells=False),
        ),
        floor=TYPED,
        goals=(
            Goal("VQAv2 val beside the typed parse", QUICK, TYPED, "time", 3.5),
            Goal("VQAv2 val beside json.load", QUICK, PLAIN, "time", 1.0),
            Goal("its memory", QUICK, "", "memory", 150.0),
            Goal("VQAv2 val from shards beside that from JSON", SHARDS, QUICK, "speed", 2.2),
        ),
        most_rounds=7,
    )


def _packed(place: Path, questions: int) -> Path:
    """The same questions as prepared shards."""
    raw, out = place / "raw", place / "shards"
    pictures = raw / "coco" / "val2014"
    for folder in (pictures, raw / "vqav2"):
        folder.mkdir(parents=True)
    (raw / "vqav2" / "v2_mscoco_val2014_annotations.json").hardlink_to(place / ANNOTATIONS)
    asked = raw / "vqav2" / "v2_OpenEnded_mscoco_val2014_questions.json"
    asked.hardlink_to(place / QUESTIONS)
    rows = msgspec.json.decode(asked.read_bytes())["questions"]
    for image in {row["image_id"] for row in rows}:
        (pictures / f"COCO_val2014_{image:012d}.jpg").write_bytes(tiny_jpeg(image))
    if questions != QUESTIONS_OF_VAL:
        # A part of val is no val: marked so, nobody expects all of it.
        (raw / "sample_world.json").write_text("{}")
    run = [console("vle-prep"), "run", "vqav2", "--split", "val", "--raw", str(raw)]
    subprocess.run([*run, "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
    return out
