"""The gate for machines: JUnit XML and one JSON document.

Neither holds a time: the same state of the repository gives the same bytes. Names
and digits come from files of strangers, and XML has no way to write a control
character, so those are spelt out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from vle_bench.canonical import pretty_json_bytes
from vle_bench.eval.gate.difference import Checked, difference_table

SCHEMA = "vle-bench/check/1"
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_bytes(checks: Sequence[Checked], *, strict: bool) -> bytes:
    r"""A JUnit document of one suite with a test case for each check.

    Args:
        checks: What was checked.
        strict: Whether what could not be checked is a failure.

    >>> one = Checked(kind="case", name="a<b")
    >>> junit_bytes([one], strict=False).decode().splitlines()[2].strip()
    '<testsuite name="vle-eval check" tests="1" failures="0" errors="0" skipped="0">'
    """
    skipped = 0 if strict else _count(checks, "not checked")
    failures = _count(checks, "moved") + (_count(checks, "not checked") if strict else 0)
    top = ET.Element("testsuites")
    counts = {"tests": len(checks), "failures": failures, "errors": _count(checks, "broken"),
              "skipped": skipped}  # fmt: skip
    suite = ET.SubElement(top, "testsuite", {"name": "vle-eval check"})
    for key, count in counts.items():
        suite.set(key, str(count))
    for check in checks:
        case = ET.SubElement(suite, "testcase", classname=check.kind, name=_plain(check.name))
        _outcome(case, check, strict=strict)
    ET.indent(top)
    text: str = ET.tostring(top, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def check_bytes(checks: Sequence[Checked], *, open_gate: bool, written: bool) -> bytes:
    """The document that `--json` prints.

    Args:
        checks: What was checked.
        open_gate: Whether the command ends well.
        written: Whether what moved was written.
    """
    states = ("passed", "moved", "not checked", "broken")
    document = {
        "schema": SCHEMA,
        "open": open_gate,
        "written": written,
        "counts": {state.replace(" ", "_"): _count(checks, state) for state in states},
        "checks": [
            {
                "kind": check.kind,
                "name": check.name,
                "status": check.status.replace(" ", "_"),
                "reason": check.reason,
                "since": list(check.since),
                "differences": [row._asdict() for row in check.differences],
            }
            for check in checks
        ],
    }
    return pretty_json_bytes(document)


def _outcome(case: ET.Element, check: Checked, *, strict: bool) -> None:
    lines = [difference_table(check.differences)] if check.differences else []
    lines += [f"since it was stored: {change}" for change in check.since]
    moved = f"{len(check.differences)} moved"
    match check.status:
        case "passed":
            return
        case "moved":
            tag, message = "failure", moved
        case "broken":
            tag, message = "error", check.reason
        case "not checked":
            tag, message = ("failure" if strict else "skipped"), f"not checked: {check.reason}"
    told = ET.SubElement(case, tag, message=_plain(message))
    if tag != "skipped":
        told.set("type", check.status)
        told.text = _plain("\n".join(lines))


def _count(checks: Sequence[Checked], status: str) -> int:
    return sum(check.status == status for check in checks)


def _plain(text: str) -> str:
    return _NO_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
