r"""One HTML file that needs nothing but itself.

A caption may hold `</script>`; so `<`, `>` and `&` of the data are written as
`\u003c` and so on, which JSON reads back and HTML never sees. The page's policy
allows no network at all and no script but ours, named by its digest, so that
even a hole in our own code could not load or run anything.
Source: https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from vle_bench.atomic import replacing
from vle_bench.canonical import json_bytes
from vle_bench.data_prep.browse.draw import Drawn
from vle_bench.data_prep.browse.entry import entry
from vle_bench.data_prep.browse.targets import TargetMaker
from vle_bench.data_prep.browse.thumbnail import NoThumbnail, data_uri, thumbnail
from vle_bench.data_prep.browse.views import NAMES
from vle_bench.data_prep.prepared import AnySample, answer_names
from vle_bench.patches.grid import PatchGrid
from vle_bench.shards.read import open_split

_ASSETS = "vle_bench.data_prep.browse"
_UNSAFE = {b"<": b"\\u003c", b">": b"\\u003e", b"&": b"\\u0026"}


def write_page(
    path: Path, drawn: list[Drawn], *, maker: TargetMaker, step: Callable[[], None] = lambda: None
) -> None:
    """Writes the page whole or not at all; pictures pass through one by one.

    Args:
        path: The HTML file.
        drawn: The samples to show.
        maker: Of the patch grid and the training targets that the page can lay over a picture.
        step: Called after every picture.

    Raises:
        DataProblem: A shard is missing, damaged, or newer than its index.
        MachineProblem: The file cannot be written.
    """
    style, script = _asset("page.css"), _asset("frames.js") + _asset("page.js")
    with replacing(path) as stream:
        stream.write(_head(drawn, style, script))
        stream.write(b'<script type="application/json" id="data">')
        stream.write(b'{"about":' + safe_json(_about(drawn, maker.grid)) + b',"pictures":[')
        for number, one in enumerate(_entries(drawn, maker)):
            stream.write((b",\n" if number else b"\n") + safe_json(one))
            step()
        stream.write(b"]}</script>\n<script>" + script + b"</script>\n</body>\n</html>\n")


def safe_json(value: Any) -> bytes:
    r"""JSON that may stand inside an HTML element.

    >>> safe_json({"a": "</script>&"}).decode()
    '{"a":"\\u003c/script\\u003e\\u0026"}'
    """
    data = json_bytes(value)
    for plain, escaped in _UNSAFE.items():
        data = data.replace(plain, escaped)
    return data


def _entries(drawn: list[Drawn], maker: TargetMaker) -> Iterator[dict[str, Any]]:
    for part in drawn:
        if not part.rows:
            continue
        answers = answer_names(part.dataset.folder)
        with open_split(part.dataset.folder, part.split) as reader:
            for row in part.rows:
                sample = reader.sample(row, AnySample)
                try:
                    source = data_uri(thumbnail(reader.picture(row)))
                except NoThumbnail:
                    source = ""
                yield entry(sample, row, source=source, answers=answers, maker=maker)


def _about(drawn: list[Drawn], grid: PatchGrid) -> dict[str, Any]:
    return {
        "columns": grid.columns,
        "rows": grid.rows,
        "patch_size": grid.patch_size,
        "views": NAMES,
        "sample": any(part.dataset.report.sample for part in drawn),
        "shown": sum(len(part.rows) for part in drawn),
        "total": sum(part.total for part in drawn),
        "title": title(drawn),
    }


def title(drawn: list[Drawn]) -> str:
    """What the page is about: its datasets and splits."""
    names: dict[str, list[str]] = {}
    for part in drawn:
        names.setdefault(part.dataset.report.dataset, []).append(part.split)
    return "; ".join(f"{name} ({', '.join(splits)})" for name, splits in names.items())


def _head(drawn: list[Drawn], style: bytes, script: bytes) -> bytes:
    policy = (
        f"default-src 'none'; img-src data:; script-src {_digest(script)}; "
        f"style-src {_digest(style)}; base-uri 'none'; form-action 'none'"
    )
    lines = (
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{html.escape(title(drawn))} - VLE bench</title>",
    )
    head = "\n".join(lines).encode() + b"\n<style>" + style + b"</style>\n</head>\n<body>\n"
    return head + _asset("page.html")


def _digest(data: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(data).digest()).decode('ascii')}'"


def _asset(name: str) -> bytes:
    return resources.files(_ASSETS).joinpath(name).read_bytes()
