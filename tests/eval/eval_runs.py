"""What `vle-eval` leaves when tests run it in their own process."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Ran(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def values(self) -> dict[str, float]:
        return {name: metric["value"] for name, metric in self.document["metrics"].items()}
