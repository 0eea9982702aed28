"""How long `vle-eval vqa` takes beside the mere reading of its files.

Usage: python -m bench.vqa [--questions N] [--rounds N] [--folder DIR]

The floor is msgspec's typed parse of the same two files in a process of its
own; `json.load` stands beside it. The data are drawn: as many distinct answers,
unanimous questions and dirty spellings as VQAv2 val has, and its 178 MB.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import click

from bench.processes import side_by_side
from bench.vqa_data import ANNOTATIONS, PREDICTIONS, QUESTIONS_OF_VAL

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
json.load(open(sys.argv[2]))
"""


@click.command()
@click.option("--questions", default=QUESTIONS_OF_VAL, show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option(
    "--folder", type=click.Path(path_type=Path), default=None, help="Keep the data there."
)
def main(questions: int, rounds: int, folder: Path | None) -> None:
    """Prints one table: our whole process beside the parse of the same files."""
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        draw = [sys.executable, "-m", "bench.vqa_data", str(place), str(questions), "0"]
        subprocess.run(draw, check=True)
        files = str(place / ANNOTATIONS), str(place / PREDICTIONS)
        ours = [
            str(Path(sys.executable).with_name("vle-eval")), "vqa",
            "--annotations", files[0], "--predictions", files[1], "--json",
        ]  # fmt: skip
        programs = {
            "typed parse": [sys.executable, "-c", _TYPED, *files],
            "json.load": [sys.executable, "-c", _PLAIN, *files],
            "vle-eval vqa, no interval": [*ours, "--resamples", "0"],
            "vle-eval vqa": ours,
        }
        title = f"VQA accuracy of {questions:,} questions"
        click.echo(
            side_by_side(programs, rounds=rounds, floor="typed parse", title=title), nl=False
        )


if __name__ == "__main__":
    main()
