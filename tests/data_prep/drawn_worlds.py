"""Sample worlds for tests to read: each is drawn once, for all processes of a test run."""

from __future__ import annotations

import fcntl
from pathlib import Path

from tracing import untraced

from vle_bench.data_prep.sample_world import build_sample_world


class DrawnWorlds:
    """Raw folders by their parameters. They are everybody's: a test that changes one copies it.

    The tests of the drawing itself draw worlds of their own, which coverage sees drawn.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lent: dict[Path, dict[str, tuple[int, int]]] = {}

    def __call__(self, images: int, *, seed: int = 0, hard: bool = False) -> Path:
        """The raw folder of a world, drawn if no process has done so."""
        raw = self._folder / f"{'hard' if hard else 'plain'}-{images}-{seed}" / "raw"
        raw.parent.mkdir(parents=True, exist_ok=True)
        with raw.with_name("lock").open("w") as lock, untraced():
            fcntl.flock(lock, fcntl.LOCK_EX)
            build_sample_world(raw, images=images, seed=seed, hard=hard, workers=1)
        self._lent.setdefault(raw, _stand(raw))
        return raw

    def check(self) -> None:
        """Fails where a test changed what others read."""
        for raw, before in self._lent.items():
            assert _stand(raw) == before, f"a test changed {raw}; copy a world before that"


def _stand(raw: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file."""
    return {
        str(path.relative_to(raw)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in raw.rglob("*")
        if path.is_file()
    }
