"""Every benchmark in turn: `python -m bench`, or `make bench`."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("bench.shards", "bench.vqa", "bench.annotations")


def main() -> int:
    """Runs each in a process of its own; the first failure ends it."""
    for name in BENCHMARKS:
        code = subprocess.run([sys.executable, "-m", name], check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
