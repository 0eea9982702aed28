"""Names to objects, imported on demand.

A registry maps a name to the text "module:object"; nothing is imported until
somebody asks for it. Other distributions add to it through entry points of the
registry's group, without touching our files.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

from vle_bench.errors import UsageProblem


class Registry:
    """A read-only table of plug-ins.

    Args:
        what: What is registered, for messages ("dataset").
        own: Our names, each with its "module:object".
        group: The entry-point group other distributions use, e.g. `vle_bench.datasets`.
    """

    def __init__(self, what: str, own: Mapping[str, str], *, group: str | None = None) -> None:
        self._what = what
        self._own = MappingProxyType(dict(own))
        self._group = group

    def names(self) -> tuple[str, ...]:
        """Every registered name; ours in our order, then other people's, sorted."""
        return (*self._own, *sorted(self._plugins().keys() - self._own.keys()))

    def load(self, name: str) -> Any:
        """Imports and returns the object behind `name`; an unknown name is a `UsageProblem`."""
        target = self._own.get(name) or self._plugins().get(name)
        if target is None:
            known = ", ".join(self.names())
            raise UsageProblem(f"{name}: no such {self._what}. Known: {known}.")
        module, _, attribute = target.partition(":")
        return getattr(import_module(module), attribute)

    def _plugins(self) -> dict[str, str]:
        if self._group is None:
            return {}
        # It reads mail headers, and brings their parser with it: a tenth of the time to start.
        from importlib.metadata import entry_points

        return {point.name: point.value for point in entry_points(group=self._group)}
