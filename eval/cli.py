"""`vle-eval`: score predictions, compare with the published scores, guard what was scored."""

from __future__ import annotations

import os

from vle_bench.console import CommandEntry, LazyGroup, run

_COMMANDS = {
    "vqa": CommandEntry(
        "vle_bench.eval.commands.vqa:command", "VQA accuracy under a named protocol."
    ),
    "vcr": CommandEntry("vle_bench.eval.commands.vcr:command", "VCR Q2A, QA2R and joint Q2AR."),
    "retrieval": CommandEntry(
        "vle_bench.eval.commands.retrieval:command", "Recall of images and texts, ties included."
    ),
    "retrieval-transform": CommandEntry(
        "vle_bench.eval.commands.retrieval_transform:command", "References of texts, for pictures."
    ),
    "grounding": CommandEntry(
        "vle_bench.eval.commands.grounding:command", "Patches, classes and boxes that texts name."
    ),
    "compare": CommandEntry(
        "vle_bench.eval.commands.compare:command", "Paired tests of stored runs."
    ),
    "leaderboard": CommandEntry(
        "vle_bench.eval.commands.leaderboard:command", "Stored results beside published scores."
    ),
    "submit": CommandEntry(
        "vle_bench.eval.commands.submit:command", "A checked file for the official server."
    ),
    "explain": CommandEntry(
        "vle_bench.eval.commands.explain:command", "Why one item scored as it did."
    ),
    "check": CommandEntry(
        "vle_bench.eval.commands.check:command", "The gate: golden cases, tables, published rows."
    ),
}

group = LazyGroup(
    "vle-eval",
    entries=_COMMANDS,
    help_text="Scores of vision-language models that say how they were made.",
)


def main() -> None:
    """Entry point of the console command."""
    # What is multiplied here is cut into tiles, a thread each. NumPy would start threads of its
    # own as it is imported, which takes a good part of the time of a small score.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    run(group, "vle-eval")
