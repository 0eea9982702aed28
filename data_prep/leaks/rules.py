"""The rules of the leak guard: which evaluation pictures a training corpus may not hold.

They are data (`manifests/leaks/rules.toml`). What a run goes by is one text, the
names of the rules in force, which stands among the parameters of its report:
another set of rules makes other shards.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal

import msgspec

from vle_bench.catalog.files import packaged_file
from vle_bench.catalog.strict_toml import read_toml
from vle_bench.data_prep.leaks.evidence import Evidence
from vle_bench.errors import UsageProblem

NO_RULES = "none"
"""The rules in force where every one is switched off."""

_BETWEEN = "+"


class RuleList(msgspec.Struct, frozen=True, kw_only=True):
    """A file that names evaluation pictures.

    Attributes:
        dataset: Whose raw folder holds it.
        file: Its path there.
        form: How it is read.
        splits: Which of the splits in it; () where it holds one only.
        count: How many ids it should name; 0 is not known.
        sha256: `id_list_digest` of them; "" is not known.
        source: Who says so.
    """

    dataset: str
    file: str
    form: Literal["karpathy", "questions", "images", "photos", "stills"]
    splits: tuple[str, ...] = ()
    count: int = 0
    sha256: str = ""
    source: str = ""

    @property
    def place(self) -> str:
        """Its path below RAW."""
        return f"{self.dataset}/{self.file}"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One set of evaluation pictures.

    Attributes:
        name: As users name it.
        what: The pictures, in words.
        dataset: Whose pictures they are: `coco`, `flickr30k` or `vcr`.
        lists: Files that name them.
        part: Which pictures of COCO (`val2014`).
        enough: Whether the rule is the pictures of all lists, or any one list names them all.
        default: Whether the rule is in force unless switched off.
    """

    name: str
    what: str
    dataset: Literal["coco", "flickr30k", "vcr"]
    lists: tuple[RuleList, ...]
    part: str = ""
    enough: Literal["all", "one"] = "all"
    default: bool = True


class Corpus(msgspec.Struct, frozen=True, kw_only=True):
    """A training corpus, and by what its pictures can be known."""

    name: str
    evidence: tuple[Evidence, ...]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    splits: tuple[str, ...]
    corpora: tuple[Corpus, ...]
    rules: tuple[Rule, ...]


@cache
def all_rules() -> Rules:
    """The packaged rules."""
    return read_toml(packaged_file("leaks", "rules.toml"), Rules).record


def corpus_of(dataset: str) -> Corpus | None:
    """The training corpus of that name; None for a dataset that is there to evaluate on."""
    return next((one for one in all_rules().corpora if one.name == dataset), None)


def settled(dataset: str, asked: str = "") -> str:
    """The rules in force as one text: those asked for, or those that hold by default.

    >>> settled("vqav2"), settled("vg", "none")
    ('', 'none')
    """
    if corpus_of(dataset) is None:
        return ""
    return asked or _text([rule for rule in all_rules().rules if rule.default])


def in_force(text: str) -> tuple[Rule, ...]:
    """The rules that a settled text names.

    Raises:
        UsageProblem: It names one that does not exist.

    >>> [rule.name for rule in in_force("karpathy-val+vcr-test")]
    ['karpathy-val', 'vcr-test']
    """
    names = [] if text in ("", NO_RULES) else text.split(_BETWEEN)
    _check(names, "rules")
    return tuple(rule for rule in all_rules().rules if rule.name in names)


def choose(
    dataset: str, *, with_rules: Sequence[str], without: Sequence[str], strict: bool = False
) -> str:
    """The rules in force where a user switched some on or off; "" where nothing was said.

    Args:
        dataset: Its name.
        with_rules: Rules switched on.
        without: Rules switched off.
        strict: Whether all of them must be checked.

    Raises:
        UsageProblem: No such rule, one both on and off, or a dataset that has no rules.
    """
    if (with_rules or without or strict) and corpus_of(dataset) is None:
        corpora = ", ".join(one.name for one in all_rules().corpora)
        raise UsageProblem(
            f"{dataset} is there to evaluate on, and nothing is left out of it. --rule, --no-rule "
            f"and --strict-overlap are for {corpora}."
        )
    if not with_rules and not without:
        return ""
    _check(with_rules, "--rule")
    _check(without, "--no-rule")
    both = sorted({*with_rules} & {*without})
    if both:
        raise UsageProblem(f"--rule and --no-rule both name {', '.join(both)}. Give one of them.")
    return _text(
        [
            rule
            for rule in all_rules().rules
            if (rule.default or rule.name in with_rules) and rule.name not in without
        ]
    )


def _check(names: Sequence[str], where: str) -> None:
    known = [rule.name for rule in all_rules().rules]
    strange = [name for name in names if name not in known]
    if strange:
        raise UsageProblem(
            f"{where} {', '.join(strange)}: no such rule. Known are {', '.join(known)}."
        )


def _text(rules: Sequence[Rule]) -> str:
    return _BETWEEN.join(rule.name for rule in rules) or NO_RULES
