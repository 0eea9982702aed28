"""Whose folder is it: ours and whole, ours and half done, or somebody else's.

`sample_world.json` is written last, so a world without it is not whole. While a
world is being drawn, a marker stands in the folder; a marker whose lock nobody
holds was left by a run that was killed, and that run's files may be replaced.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from vle_bench.atomic import make_folder
from vle_bench.errors import DataProblem, MachineProblem, machine_errors
from vle_bench.file_lock import locked

LEDGER = "sample_world.json"
MARKER = ".sample_world.unfinished"
FOLDERS = ("coco", "vqav2", "vcr", "vg", "cc3m", "sbu", "flickr30k", "flickr30k-cn")
"""What a world puts below its root; nothing else there is ever touched."""


def read_ledger(out: Path) -> dict[str, Any] | None:
    """The ledger of a whole world; None where there is none.

    Raises:
        DataProblem: a file of that name is there and is not ours.
    """
    path = out / LEDGER
    if not path.is_file():
        return None
    try:
        ledger = msgspec.json.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise _foreign(out, f"its {LEDGER} cannot be read ({error})") from error
    if not isinstance(ledger, dict) or not {"seed", "images", "accidents", "shared"} <= set(ledger):
        raise _foreign(out, f"its {LEDGER} is not one of ours")
    return ledger


@contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Clears what an older world left in `out` and holds the folder while a new one is drawn.

    Raises:
        DataProblem: the folder holds other things.
        MachineProblem: it cannot be made or written, or another run is drawing there.
    """
    make_folder(out)
    ours = read_ledger(out) is not None or (out / MARKER).is_file()
    with machine_errors(out):
        others = sorted(path.name for path in out.iterdir())
    if others and not ours:
        found = ", ".join(others[:3]) + (" ..." if len(others) > 3 else "")
        raise _foreign(out, f"it holds {found}")
    with machine_errors(out), (out / MARKER).open("w") as marker:
        if not locked(marker):
            raise MachineProblem(
                f"{out}: another run is drawing a sample world there. Wait for it to end."
            )
        (out / LEDGER).unlink(missing_ok=True)
        for name in FOLDERS:
            if (out / name).exists():
                shutil.rmtree(out / name)
        yield
        (out / MARKER).unlink(missing_ok=True)


def _foreign(out: Path, found: str) -> DataProblem:
    return DataProblem(
        f"{out}: an empty folder or a sample world was expected, but {found}. "
        "Choose another --out; nothing was touched."
    )
