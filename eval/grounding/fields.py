"""Single values of rows from users: numbers, truths and lists, from CSV text or from JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from vle_bench.identity import id_text

_TRUTHS = {"1": True, "true": True, "0": False, "false": False}
_LONGEST = 60


def identity(values: Mapping[str, Any], name: str) -> str:
    """The id in a column.

    Raises:
        ValueError: It is absent or no id.
    """
    try:
        return id_text(values.get(name))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def number(values: Mapping[str, Any], name: str) -> float:
    """The finite number in a column.

    Raises:
        ValueError: It is absent, no number, or not finite.

    >>> number({"score": "0.5"}, "score")
    0.5
    """
    value = values.get(name)
    plain = isinstance(value, (int, float, str)) and not isinstance(value, bool)
    try:
        # Python reads "1_5" as 15, nobody else does.
        found = float(value) if plain and "_" not in str(value) else math.nan  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"{name} is {_short(value)}, a finite number was expected")
    return found


def truth(values: Mapping[str, Any], name: str) -> bool:
    """The yes or no in a column: true, false, 1, 0, in JSON or as text.

    Raises:
        ValueError: It is something else.

    >>> truth({"match": "False"}, "match"), truth({"match": 1}, "match")
    (False, True)
    """
    value = values.get(name)
    found = _TRUTHS.get(str(value).lower()) if isinstance(value, (bool, int, str)) else None
    if found is None:
        raise ValueError(f"{name} is {_short(value)}, true or false (1 or 0) was expected")
    return found


def integers(values: Mapping[str, Any], name: str, count: int) -> tuple[int, ...]:
    """The integers in a column: a list, or text of one ("[3, 1]", "3 1").

    Raises:
        ValueError: They are not `count` integers.

    >>> integers({"label_ids": "3 1"}, "label_ids", 2)
    (3, 1)
    """
    value = values.get(name)
    found = _listed(value) if isinstance(value, str) else value
    listed: list[Any] = found if isinstance(found, list) else []
    if len(listed) != count or any(type(one) is not int for one in listed):
        raise ValueError(f"{name} is {_short(value)}, {count} integers were expected")
    return tuple(listed)


def _listed(text: str) -> Any:
    try:
        return json.loads(text if text.startswith("[") else f"[{','.join(text.split())}]")
    except (ValueError, RecursionError):
        return None


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."
