"""How long `vle-eval vcr` takes beside a script that reads the labels and takes two argmaxes.

The script does what the field does: `json.loads` of each line for its two labels, two arrays in
the order of the file, three fractions. It matches no ids, finds no ties, and hashes nothing. The
floor is msgspec's typed parse of the same file. Whole processes, imports included.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.contest import Contest, Goal, Program
from bench.processes import console
from bench.vcr_data import ANSWERS, REASONS, REFERENCES, TABLE

OURS, SCRIPT, FLOOR = "vle-eval vcr, arrays", "json lines, two argmaxes", "typed parse"
_MOST_TIMES = 0.7

_SCRIPT = """
import json, sys
import numpy as np
answers, reasons = [], []
with open(sys.argv[1]) as lines:
    for line in lines:
        item = json.loads(line)
        answers.append(item["answer_label"])
        reasons.append(item["rationale_label"])
q2a = np.load(sys.argv[2]).argmax(1) == np.array(answers)
qa2r = np.load(sys.argv[3]).argmax(1) == np.array(reasons)
sys.stdout.write(f"{q2a.mean():.3f} {qa2r.mean():.3f} {(q2a & qa2r).mean():.3f}\\n")
"""
_FLOOR = """
import gc, sys
import msgspec
class Item(msgspec.Struct, gc=False):
    annot_id: str
    img_id: str
    answer_label: int
    rationale_label: int
gc.disable()
msgspec.json.Decoder(Item).decode_lines(open(sys.argv[1], "rb").read())
"""


def contest(place: Path, questions: int) -> Contest:
    """Draws the data into `place` and names the programs."""
    draw = [sys.executable, "-m", "bench.vcr_data", str(place), str(questions), "0"]
    subprocess.run(draw, check=True)
    references = str(place / REFERENCES)
    arrays = (str(place / ANSWERS), str(place / REASONS))
    asked = (console("vle-eval"), "vcr", "--annotations", references)
    quick = ("--json", "--resamples", "0")
    return Contest(
        name="vcr",
        title=f"VCR scores of {questions:,} questions",
        given=f"{Path(references).stat().st_size / 1e6:.0f} MB of references, drawn",
        place=place,
        programs=(
            Program(FLOOR, (sys.executable, "-c", _FLOOR, references), tells=False),
            Program(SCRIPT, (sys.executable, "-c", _SCRIPT, references, *arrays), tells=False),
            Program(OURS, (*asked, "--predictions", ",".join(arrays), *quick), tells=False),
            Program(
                "vle-eval vcr, leaderboard CSV",
                (*asked, "--predictions", str(place / TABLE), *quick),
                tells=False,
            ),
        ),
        floor=FLOOR,
        goals=(Goal("VCR val beside a plain script", OURS, SCRIPT, "time", _MOST_TIMES),),
    )
