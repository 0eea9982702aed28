"""JSON Schemas (draft 2020-12) of the files we promise: shard samples, results, the sample world.

Nothing here validates: our own readers check types as they read. The schemas
are for other people's tools, and for the tests that hold our writers to them.
"""

from __future__ import annotations

import json
from typing import Any

from vle_bench.catalog.files import packaged_file, packaged_files
from vle_bench.errors import UsageProblem

FOLDER = "schema"
_ENDING = ".schema.json"


def schema_names() -> tuple[str, ...]:
    """The names of the packaged schemas.

    >>> "result" in schema_names()
    True
    """
    files = packaged_files(FOLDER, _ENDING)
    return tuple(file.handle.name.removesuffix(_ENDING) for file in files)


def load_schema(name: str) -> dict[str, Any]:
    """One schema; `$ref`s to `urn:vle-bench:schema:NAME` mean its neighbours.

    Raises:
        UsageProblem: There is no schema of that name.
    """
    if name not in schema_names():
        raise UsageProblem(f"{name}: no such schema. Known: {', '.join(schema_names())}.")
    schema: dict[str, Any] = json.loads(packaged_file(FOLDER, f"{name}{_ENDING}").read_text())
    return schema
