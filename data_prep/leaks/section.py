"""The leak guard in the dataset card: what was looked for, by what, and what it kept out."""

from __future__ import annotations

from collections.abc import Iterator

from vle_bench.data_prep.leaks.evidence import EVIDENCE
from vle_bench.data_prep.leaks.rules import all_rules
from vle_bench.shards.report import Report, RuleReport

_HEADS = {"coco_id": "COCO id", "flickr_id": "Flickr id", "bytes": "bytes"}


def section(report: Report) -> Iterator[str]:
    """The lines of the section; none where no split was guarded."""
    guarded = {name: split.overlap for name, split in report.splits.items() if split.overlap}
    switched_off = report.parameters.get("rules") == "none"
    if not guarded and not switched_off:
        return
    yield "## Evaluation pictures left out"
    yield ""
    if switched_off:
        yield "Every rule was switched off: this may hold pictures of evaluation sets."
        yield ""
        return
    yield "A picture known to be of one of these evaluation sets is in no split for training."
    yield "Beside each kind of evidence: how many pictures of the evaluation set it knows."
    yield ""
    yield f"| split | evaluation set | {' | '.join(_HEADS.values())} | left out |"
    yield "|---|---|" + "---|" * len(_HEADS) + "---|"
    for name, rules in guarded.items():
        for rule in rules:
            yield f"| {name} | {rule.rule} | {_known(rule)} | {_left_out(rule)} |"
    yield ""
    applied = {rule.rule for rules in guarded.values() for rule in rules}
    off = [rule.name for rule in all_rules().rules if rule.default and rule.name not in applied]
    if off:
        yield f"Switched off, so not looked for: {', '.join(off)}."
        yield ""
    yield "A picture of two sets counts in both. `excluded.jsonl` in the folder of a split names"
    yield "each with its evidence. Re-encoded or resized copies are not found by these rules."
    yield ""


def _known(rule: RuleReport) -> str:
    cells = (f"{rule.known[kind]:,}" if kind in rule.known else "-" for kind in EVIDENCE)
    return " | ".join(cells)


def _left_out(rule: RuleReport) -> str:
    """How many pictures, and no bare 0 where nothing, or not everything, was looked for."""
    if not rule.not_checked:
        return f"{sum(rule.excluded.values()):,}"
    if not any(rule.known.values()):
        return "not checked"
    return f"{sum(rule.excluded.values()):,}, in part not checked"
