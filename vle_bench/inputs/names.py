"""What a file is called without what it is packed in."""

from __future__ import annotations

from pathlib import Path

_PACKED = (".gz", ".zst", ".zstd")


def stem_of(path: Path) -> str:
    """The name without its compression and its ending.

    >>> stem_of(Path("runs/vle-base.jsonl.gz"))
    'vle-base'
    """
    name = path.name
    for ending in _PACKED:
        name = name.removesuffix(ending)
    return Path(name).stem
