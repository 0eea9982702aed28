"""`vle-prep verify`: every damaged, missing, extra, renamed or swapped shard, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vle_bench.console import amount, say, typed

if TYPE_CHECKING:
    from vle_bench.data_prep.verify import Finding, Verification


@click.command("verify", help="Find every damaged, missing, extra, renamed or swapped shard.")
@click.argument("folder", metavar="DIR|URL")
@click.option("--quick", is_flag=True, help="Sizes, headers and places only; hash no shard.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(folder: str, quick: bool, as_json: bool) -> None:
    """Prints a line per finding; exits 1 when there is one."""
    from vle_bench.canonical import pretty_json_bytes
    from vle_bench.data_prep.remote.urls import is_url
    from vle_bench.errors import GateFailed, MachineProblem

    verdicts = _of_url(folder, quick) if is_url(folder) else _of_folder(folder, quick)
    if as_json:
        document = {"schema": "vle-bench/verification/1", "datasets": verdicts}
        click.echo(pretty_json_bytes(document), nl=False)
    failed = unread = 0
    for verdict in verdicts:
        for finding in verdict.findings:
            failed += 1
            if not as_json:
                click.echo(str(finding))
        for finding in verdict.unread:
            unread += 1
            if not as_json:
                click.echo(str(finding))
        if not verdict.findings and not verdict.unread:
            seen = "sizes are" if is_url(folder) else "sizes and headers are"
            how = seen if quick else "every byte is"
            say(
                f"{verdict.folder}: {amount(verdict.shards, 'shard')}, "
                f"{amount(verdict.samples, 'sample')}, {how} as written."
            )
    if failed:
        findings = [finding for verdict in verdicts for finding in verdict.findings]
        more = f" and {amount(unread, 'file')} that could not be read" if unread else ""
        raise GateFailed(f"{folder}: {amount(failed, 'finding')}{more}. {_cure(folder, findings)}")
    if unread:
        raise MachineProblem(
            f"{folder}: {amount(unread, 'file')} could not be read, nothing wrong was found in the "
            "others. Check the disk and permissions, then verify again."
        )


def _cure(folder: str, findings: list[Finding]) -> str:
    from vle_bench.data_prep.remote.urls import is_url
    from vle_bench.data_prep.verify import extra

    if all(finding.reason == extra(finding.place) for finding in findings):
        return "What is extra is none of our files: move or remove it."
    repair = f"vle-prep repair {typed(folder)} --raw RAW or the run that made them"
    ways = "The vle-prep run that made them" if is_url(folder) else repair
    return f"{ways} builds just the damaged and missing shards again."


def _of_folder(folder: str, quick: bool) -> list[Verification]:
    from vle_bench.data_prep.remote.urls import as_path
    from vle_bench.data_prep.verify import dataset_folders, verify

    return [verify(place, quick=quick) for place in dataset_folders(as_path(folder))]


def _of_url(url: str, quick: bool) -> list[Verification]:
    from vle_bench.data_prep.remote.verify import remote_folders, verify_remote

    return [verify_remote(place, quick=quick) for place in remote_folders(url)]
