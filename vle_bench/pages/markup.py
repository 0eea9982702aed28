r"""Heads of pages that need nothing but themselves, and data that may stand in them.

A caption may hold `</script>`; so `<`, `>` and `&` of the data are written as
`\u003c` and so on, which JSON reads back and HTML never sees. U+2028 and U+2029
end a line in scripts older than 2019, so they are escaped too. A page's policy
allows no network at all and no script but ours, named by its digest, so that
even a hole in our own code could not load or run anything.
Source: https://www.w3.org/TR/CSP3/, https://tc39.es/proposal-json-superset/
"""

from __future__ import annotations

import base64
import hashlib
import html
from importlib import resources
from typing import Any

from vle_bench.canonical import json_bytes

_ASSETS = "vle_bench.pages"
_UNSAFE = {
    b"<": b"\\u003c",
    b">": b"\\u003e",
    b"&": b"\\u0026",
    b"\xe2\x80\xa8": b"\\u2028",
    b"\xe2\x80\xa9": b"\\u2029",
}


def safe_json(value: Any) -> bytes:
    r"""JSON that may stand inside an HTML element, or in a script of its own.

    >>> safe_json({"a": "</script>&"}).decode()
    '{"a":"\\u003c/script\\u003e\\u0026"}'
    """
    data = json_bytes(value)
    for plain, escaped in _UNSAFE.items():
        data = data.replace(plain, escaped)
    return data


def base_style() -> bytes:
    """The colours of all our pages; a page's own style follows it."""
    return asset(_ASSETS, "base.css")


def base_script() -> bytes:
    """What the scripts of all our pages begin with: `make`, which makes nodes."""
    return asset(_ASSETS, "nodes.js")


def asset(package: str, name: str) -> bytes:
    """A file that lies in a package."""
    return resources.files(package).joinpath(name).read_bytes()


def head(title: str, *, style: bytes, script: bytes, scripts_beside: bool = False) -> bytes:
    """From the doctype to the opened body.

    Args:
        title: Of the page, before our name.
        style: The one style of the page.
        script: The one script of the page; it has to stand in it byte for byte.
        scripts_beside: Whether the page loads scripts that lie beside it. From a disk they have no
            origin that every browser knows as the page's own, hence `file:`.
    """
    beside = " 'self' file:" if scripts_beside else ""
    policy = (
        f"default-src 'none'; img-src data:; script-src {_digest(script)}{beside}; "
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
        f"<title>{html.escape(title)} - VLE bench</title>",
    )
    return "\n".join(lines).encode() + b"\n<style>" + style + b"</style>\n</head>\n<body>\n"


def _digest(data: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(data).digest()).decode('ascii')}'"
