"""Metric keys: what each may be, how tables head it, and what must hold between them.

"TR" (text retrieval) is `i2t`: the query is a picture. Half the field's mistakes
with these tables come from reading it the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal

import msgspec

from vle_bench.catalog.files import CatalogFile, packaged_file
from vle_bench.catalog.strict_toml import read_toml

_PART = re.compile(r"\[[^\[\]]+\]$")


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric key of the result document."""

    key: str
    title: str
    """The short heading of a table's column."""
    unit: Literal["percent", "count"]
    highest: float | None = None
    """The largest possible value; None where nothing bounds it."""
    better: Literal["higher", "lower"] = "higher"
    parts: bool = False
    """Whether `key[...]` may name a part of the items."""
    mean: bool = True
    """Whether it is a mean over its items, so that their number says how sure it is."""


class _MetricFile(msgspec.Struct, frozen=True, kw_only=True):
    rising: tuple[tuple[str, ...], ...]
    metrics: tuple[Metric, ...]

    def __post_init__(self) -> None:
        keys = [metric.key for metric in self.metrics]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"the metric {key} stands twice")
        for chain in self.rising:
            for key in chain:
                if key not in keys:
                    raise ValueError(f"rising names {key}, which is no metric here")


class Metrics(msgspec.Struct, frozen=True):
    """Every known metric and the chains of keys whose values rise from left to right."""

    by_key: Mapping[str, Metric]
    rising: tuple[tuple[str, ...], ...]

    def find(self, key: str) -> Metric | None:
        """The metric of `key`, also of a part; None where there is none.

        >>> metrics().find("accuracy[yes/no]").title, metrics().find("rsum[yes/no]")
        ('Accuracy', None)
        """
        plain = _PART.sub("", key)
        found = self.by_key.get(plain)
        return found if found is not None and (plain == key or found.parts) else None


@cache
def metrics() -> Metrics:
    """The packaged metric table.

    >>> metrics().find("i2t_r1").title
    'TR@1'
    """
    return read_metrics(packaged_file("metrics", "metrics.toml"))


def read_metrics(file: CatalogFile) -> Metrics:
    """Reads a metric table; keys must differ and chains may name known keys only.

    Raises:
        DataProblem: the file is not of that form.
    """
    content = read_toml(file, _MetricFile).record
    by_key = MappingProxyType({metric.key: metric for metric in content.metrics})
    return Metrics(by_key=by_key, rising=content.rising)
