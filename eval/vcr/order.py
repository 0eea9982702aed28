"""The official order of VCR items: by the number in their `annot_id`, not by its text."""

from __future__ import annotations

import re

_NUMBERED = re.compile(r"(?P<stem>.*-)(?P<number>[0-9]{1,18})", re.DOTALL)


def annotation_order(annotation: str) -> tuple[str, int, str]:
    """Sorting key.

    >>> sorted(["val-10", "val-9"], key=annotation_order)
    ['val-9', 'val-10']
    """
    match = _NUMBERED.fullmatch(annotation)
    return (match["stem"], int(match["number"]), "") if match else (annotation, -1, annotation)
