"""How long COCO's instances and Visual Genome's objects take, beside those who hold the file.

Usage: python -m bench.annotations [--rounds N] [--times N] [--folder DIR]

431 MB of COCO are drawn and 350 MB of Visual Genome, as many boxes, outline points, objects and
names as the real files have. Ours makes Parquet tables sorted by picture. Beside them: the mere
reading of typed rows, the join of `vle-prep run`, `COCO()`, `json.load`, and DuckDB on one core
where it is installed. Fresh processes, imports included.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import click

from bench.contest import TARGET, Contest, Goal, Program, hold
from bench.machine import describe
from bench.stored import programs
from vle_bench.tables import to_text

COCO, ROWS, JOINED = "pycocotools COCO()", "rows, streamed", "rows joined by picture"
BOXES, OBJECTS, DUCK = "boxes to Parquet by picture", "objects to Parquet by picture", "DuckDB"

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
from vle_bench.inputs.content import file_content
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
from vle_bench.inputs.content import file_content
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
_TABLE = """
import sys
from pathlib import Path
from vle_bench.data_prep import box_tables
from vle_bench.inputs.content import file_content
from vle_bench.data_prep.sources import Document
document = Document("annotations", file_content(Path(sys.argv[1])))
assert box_tables.{}(document, Path(sys.argv[2]) / "table.parquet")
"""
_DUCK = """
import sys
import duckdb
duckdb.sql("set threads = 1")
duckdb.sql(f'''
copy (
    select image_id, one.object_id as id, one.names as names, one.attributes as attributes,
           one.x as x, one.y as y, one.w as w, one.h as h
    from (
        select image_id, unnest(objects) as one
        from read_json(
            '{sys.argv[1]}', format = 'array', maximum_object_size = 100000000,
            columns = {{
                image_id: 'BIGINT',
                objects: 'STRUCT(object_id BIGINT, names VARCHAR[], attributes VARCHAR[],
                          x DOUBLE, y DOUBLE, w DOUBLE, h DOUBLE)[]'
            }}
        )
    )
    order by image_id
) to '{sys.argv[2]}/table.parquet' (format parquet)
''')
"""


@click.command()
@click.option("--rounds", default=3, show_default=True)
@click.option("--times", default=1.0, show_default=True, help="As many times the real boxes.")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=None, help="Keep the data there."
)
def main(rounds: int, times: float, folder: Path | None) -> None:
    """Prints a table for each file: wall and processor seconds, memory, ratios."""
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        machine = describe()
        for contest in contests(place, times):
            outcome = hold(contest, rounds=rounds)
            click.echo(to_text(programs(outcome, machine)))
            for goal in outcome.goals:
                word = "met" if goal.met else "NOT MET"
                click.echo(f"  {goal.what}: {goal.found:.3f}, bound {goal.bound:g}, {word}")
            click.echo()


def contests(place: Path, times: float) -> list[Contest]:
    """One contest a file, each with its input drawn."""
    return [_coco(place, drawn(place, times)), _vg(place, drawn(place, times, objects=True))]


def _coco(place: Path, file: Path) -> Contest:
    table = _TABLE.format("write_coco_boxes")
    scripts = {COCO: _COCO, "json.load": _PLAIN, ROWS: _ROWS, JOINED: _JOINED, BOXES: table}
    return Contest(
        name="coco-json",
        title="COCO's instances",
        given=f"{_size(file)}, drawn",
        place=place,
        programs=_programs(scripts, file),
        floor=COCO,
        goals=(
            Goal("boxes to Parquet by picture beside COCO()", BOXES, COCO, "speed", 5.0),
            Goal("their memory beside COCO()'s", BOXES, COCO, "memory", 0.06),
        ),
        most_rounds=3,
    )


def _vg(place: Path, file: Path) -> Contest:
    """Visual Genome's objects; without DuckDB nothing can be said of the goals."""
    scripts = {"json.load": _PLAIN, OBJECTS: _TABLE.format("write_vg_objects")}
    goals: tuple[Goal, ...] = ()
    if find_spec("duckdb"):
        scripts[DUCK] = _DUCK
        goals = (
            Goal("objects to Parquet by picture beside DuckDB", OBJECTS, DUCK, "speed", 0.8),
            Goal("their memory beside DuckDB's", OBJECTS, DUCK, "memory", 0.7),
        )
    else:
        click.echo("DuckDB is NOT INSTALLED: objects.json is measured beside json.load alone")
    return Contest(
        name="vg-json",
        title="Visual Genome's objects",
        given=f"{_size(file)}, drawn",
        place=place,
        programs=_programs(scripts, file),
        floor=DUCK if goals else "json.load",
        goals=goals,
        most_rounds=3,
    )


def _programs(scripts: Mapping[str, str], file: Path) -> tuple[Program, ...]:
    """Each script as a whole process, told the file and a folder of its own."""
    return tuple(
        Program(name, (sys.executable, "-c", code, str(file), TARGET), tells=False)
        for name, code in scripts.items()
    )


def drawn(place: Path, times: float, *, objects: bool = False) -> Path:
    """The file, drawn where it is not there yet."""
    kind = "objects" if objects else "instances"
    file = place / f"{kind}-{times:g}.json"
    if not file.exists():
        module = "bench.objects_data" if objects else "bench.annotations_data"
        subprocess.run([sys.executable, "-m", module, str(file), str(times), "0"], check=True)
    return file


def _size(file: Path) -> str:
    return f"{file.stat().st_size / 1e6:,.0f} MB of JSON"


if __name__ == "__main__":
    main()
