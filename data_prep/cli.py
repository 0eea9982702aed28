"""`vle-prep`: raw downloads to verified shards."""

from __future__ import annotations

from vle_bench.console import CommandEntry, LazyGroup, run

_COMMANDS = {
    "browse": CommandEntry(
        "vle_bench.data_prep.commands.browse:command", "One HTML file of pictures to look at."
    ),
    "diff": CommandEntry(
        "vle_bench.data_prep.commands.diff:command", "Which samples differ between two builds."
    ),
    "export": CommandEntry(
        "vle_bench.data_prep.commands.export:command", "Shards in other people's formats."
    ),
    "fetch": CommandEntry(
        "vle_bench.data_prep.commands.fetch:command", "Download official files and web pictures."
    ),
    "list": CommandEntry(
        "vle_bench.data_prep.commands.list:command", "Datasets, their splits, licences and files."
    ),
    "overlap": CommandEntry(
        "vle_bench.data_prep.commands.overlap:command",
        "Pictures shared between training shards and evaluation splits.",
    ),
    "plan": CommandEntry(
        "vle_bench.data_prep.commands.plan:command", "What a run would find and write."
    ),
    "repair": CommandEntry(
        "vle_bench.data_prep.commands.repair:command", "Build just the damaged shards again."
    ),
    "run": CommandEntry(
        "vle_bench.data_prep.commands.run:command", "Turn raw files into verified shards."
    ),
    "sample": CommandEntry(
        "vle_bench.data_prep.commands.sample:command", "Write the sample world in raw formats."
    ),
    "stats": CommandEntry(
        "vle_bench.data_prep.commands.stats:command", "Counts and histograms of prepared shards."
    ),
    "subset": CommandEntry(
        "vle_bench.data_prep.commands.subset:command", "A filtered copy, pictures untouched."
    ),
    "verify": CommandEntry(
        "vle_bench.data_prep.commands.verify:command", "Find every shard that is not as written."
    ),
    "vocab": CommandEntry(
        "vle_bench.data_prep.commands.vocab:command", "A class vocabulary from the data."
    ),
}

group = LazyGroup(
    "vle-prep",
    entries=_COMMANDS,
    help_text="From the raw downloads of vision-language datasets to verified shards.",
)


def main() -> None:
    """Entry point of the console command."""
    run(group, "vle-prep")


if __name__ == "__main__":
    main()
