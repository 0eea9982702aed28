"""How long COCO's instances take to read, beside those who hold the whole file.

Usage: python -m bench.annotations [--rounds N] [--times N] [--folder DIR]

431 MB are drawn, as many boxes and outline points as the real file has. Ours
reads typed rows in windows, sha256 of the file included; then the same with
every box sent through the join and asked back in the order of pictures, which
is what `vle-prep run` does. `COCO()` and `json.load` stand beside it, each in a
fresh process, imports included.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import click

from bench.contest import Contest, Goal, Program
from bench.processes import side_by_side

COCO, ROWS, JOINED = "pycocotools COCO()", "rows, streamed", "rows joined by picture"

_COCO = """
import sys
from pycocotools.coco import COCO
COCO(sys.argv[1])
"""
_PLAIN = """
import json, sys
json.load(open(sys.argv[1]))
"""
_ROWS = """
import sys
from pathlib import Path
from vle_bench.data_prep.coco_files import ImageRow, InstanceRow
from vle_bench.data_prep.content import file_content
from vle_bench.data_prep.sources import Document
document = Document("instances", file_content(Path(sys.argv[1])))
pictures = sum(map(len, document.rows("images", ImageRow, to_the_end=False)))
boxes = sum(map(len, document.rows("annotations", InstanceRow)))
assert pictures and boxes
"""
_JOINED = """
import sys
from pathlib import Path
from vle_bench.data_prep.coco_files import InstanceRow
from vle_bench.data_prep.content import file_content
from vle_bench.data_prep.joined import Joined
from vle_bench.data_prep.sources import Document
document = Document("instances", file_content(Path(sys.argv[1])))
joined = Joined()
added = 0
for rows in document.rows("annotations", InstanceRow):
    for row in rows:
        joined.add(row.image_id, row)
    added += len(rows)
assert added == sum(len(joined.of(image)) for image in range(582_000))
"""


@click.command()
@click.option("--rounds", default=3, show_default=True)
@click.option("--times", default=1.0, show_default=True, help="As many times the real boxes.")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=None, help="Keep the data there."
)
def main(rounds: int, times: float, folder: Path | None) -> None:
    """Prints one table: wall and processor seconds and memory, and the ratio to `COCO()`."""
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        file = drawn(place, times)
        table = side_by_side(
            commands(file), rounds=rounds, floor=COCO, title=f"COCO instances, {_size(file)}"
        )
        click.echo(table, nl=False)


def contests(place: Path, times: float) -> list[Contest]:
    """The same as a contest whose result is kept."""
    file = drawn(place, times)
    contest = Contest(
        name="coco-json",
        title="Reading COCO's instances",
        given=f"{_size(file)}, drawn",
        place=place,
        programs=tuple(
            Program(name, command, tells=False) for name, command in commands(file).items()
        ),
        floor=COCO,
        goals=(
            Goal("boxes joined by picture beside COCO()", JOINED, COCO, "speed", 5.0),
            Goal("their memory beside COCO()'s", JOINED, COCO, "memory", 0.06),
        ),
        most_rounds=3,
    )
    return [contest]


def commands(file: Path) -> dict[str, tuple[str, ...]]:
    """Each program as a whole process."""
    scripts = {COCO: _COCO, "json.load": _PLAIN, ROWS: _ROWS, JOINED: _JOINED}
    return {name: (sys.executable, "-c", code, str(file)) for name, code in scripts.items()}


def drawn(place: Path, times: float) -> Path:
    """The file, drawn where it is not there yet."""
    file = place / f"instances-{times:g}.json"
    if not file.exists():
        draw = [sys.executable, "-m", "bench.annotations_data", str(file), str(times), "0"]
        subprocess.run(draw, check=True)
    return file


def _size(file: Path) -> str:
    return f"{file.stat().st_size / 1e6:,.0f} MB of JSON"


if __name__ == "__main__":
    main()
