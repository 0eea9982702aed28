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

from bench.processes import side_by_side

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
@click.option("--times", default=1, show_default=True, help="As many times the real boxes.")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=None, help="Keep the data there."
)
def main(rounds: int, times: int, folder: Path | None) -> None:
    """Prints one table: wall and processor seconds and memory, and the ratio to `COCO()`."""
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        file = place / f"instances-{times}.json"
        if not file.exists():
            draw = [sys.executable, "-m", "bench.annotations_data", str(file), str(times), "0"]
            subprocess.run(draw, check=True)
        scripts = {
            "pycocotools COCO()": _COCO,
            "json.load": _PLAIN,
            "rows, streamed": _ROWS,
            "rows joined by picture": _JOINED,
        }
        programs = {
            name: [sys.executable, "-c", script, str(file)] for name, script in scripts.items()
        }
        title = f"COCO instances, {file.stat().st_size / 1e6:,.0f} MB of JSON"
        table = side_by_side(programs, rounds=rounds, floor="pycocotools COCO()", title=title)
        click.echo(table, nl=False)


if __name__ == "__main__":
    main()
