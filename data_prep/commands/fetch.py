"""`vle-prep fetch`: official files, and the web pictures of CC3M and SBU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vle_bench.console import PLACE, amount, say, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vle_bench.data_prep.fetch.call import Fetched, PictureLine


@click.command("fetch", help="Download official files, and web pictures of CC3M and SBU; resumes.")
@click.argument("name")
@click.option("--raw", required=True, type=PLACE, help="Folder of raw downloads.")
@click.option("--split", multiple=True, metavar="SPLIT", help="Only this split (repeatable).")
@click.option("--file", "files", multiple=True, metavar="FILE", help="Only this official file.")
@click.option("--scheme", default="", help="COCO, Flickr30k: files of this way of splitting.")
@click.option("--dry-run", is_flag=True, help="Say what would be fetched, with sizes.")
@click.option("--no-pictures", is_flag=True, help="CC3M, SBU: the lists alone.")
@click.option("--limit", type=click.IntRange(0), help="Only the first N addresses of a list.")
@click.option("--concurrency", default=64, show_default=True, type=click.IntRange(1, 1024))
@click.option(
    "--per-host",
    default=4,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Requests at one host at a time.",
)
@click.option(
    "--delay",
    default=0.05,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds between requests at one host.",
)
@click.option(
    "--attempts",
    default=3,
    show_default=True,
    type=click.IntRange(1, 20),
    help="Tries of what fails for the moment.",
)
@click.option(
    "--timeout",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0.1),
    help="Seconds for one picture; a third of it for silence, 20 at most.",
)
@click.option("--ignore-opt-out", is_flag=True, help="Also pictures marked noai or noimageai.")
@click.option("--allow-private", is_flag=True, help="Also addresses of this machine and network.")
@click.option("--seed", default=0, show_default=True, help="Of the waits between tries.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(name: str, raw: Path, **options: Any) -> None:
    """Fetches what is missing; a second call asks only what is undecided."""
    from vle_bench.data_prep.fetch.call import Call, IncompleteFetch, fetch
    from vle_bench.data_prep.fetch.progress import Terminal
    from vle_bench.data_prep.fetch.rules import Rules

    rules = Rules(
        concurrency=options["concurrency"],
        per_host=options["per_host"],
        delay=options["delay"],
        attempts=options["attempts"],
        picture_seconds=options["timeout"],
        silence_seconds=min(20.0, options["timeout"] / 3),
        connect_seconds=min(10.0, options["timeout"] / 3),
        allow_private=options["allow_private"],
        ignore_opt_out=options["ignore_opt_out"],
        seed=options["seed"],
    )
    call = Call(
        dataset=name,
        raw=raw,
        splits=options["split"],
        files=options["files"],
        scheme=options["scheme"],
        pictures=not options["no_pictures"],
        limit=options["limit"],
        dry_run=options["dry_run"],
        rules=rules,
    )
    try:
        answer = fetch(call, Terminal())
    except IncompleteFetch as problem:
        _tell(problem.answer, as_json=options["as_json"])
        raise
    except KeyboardInterrupt:
        say("What came is kept; the same command goes on from there.")
        raise
    _tell(answer, as_json=options["as_json"])
    if not answer.dry_run:
        say(f"{raw / name}: next, vle-prep plan {name} --raw {typed(raw)} --out SHARDS")


def _tell(answer: Fetched, *, as_json: bool) -> None:
    from vle_bench.canonical import pretty_json_bytes

    if as_json:
        click.echo(pretty_json_bytes(answer), nl=False)
    table = "\n".join(
        [*_file_table(answer), *(line for one in answer.pictures for line in _list(one))]
    )
    if not table:
        table = f"{answer.dataset}: nothing to fetch."
    if answer.dry_run and not as_json:
        click.echo(table)  # the plan is what was asked for
    else:
        say(table)


def _file_table(answer: Fetched) -> Iterator[str]:
    for line in answer.files:
        facts = [f"{line.size:,} bytes"] if line.size else []
        if line.state == "to fetch" and not line.size:
            facts.append("size not known")
        if line.checked_by != "not checked":
            facts.append(f"sha256 by {line.checked_by}")
        if line.note and line.state != "failed":  # a failure is told at the end
            facts.append(line.note)
        where = line.path if line.state == "present" else f"{line.dataset}/{line.file}"
        yield f"{line.state:<9} {where}{': ' if facts else ''}{', '.join(facts)}"
    known = sum(line.size for line in answer.files if line.state == "to fetch")
    if known:
        yield f"{'':<9} {known:,} bytes to fetch, as far as sizes are known"


def _list(line: PictureLine) -> Iterator[str]:
    yield f"{line.split}: {amount(line.addresses, 'address', 'addresses')}"
    yield f"  {line.before:>12,}  pictures were there"
    if not line.requests:
        yield f"  {line.to_ask:>12,}  to ask"
    else:
        told = f"{line.bytes:,} bytes, {amount(line.requests, 'request')}"
        yield f"  {line.got:>12,}  pictures fetched, {told}"
    for reason, count in sorted(line.failed.items(), key=lambda pair: (-pair[1], pair[0])):
        yield f"  {count:>12,}  {reason}"
    if line.again:
        yield f"  {line.again:>12,}  of these failed for the moment: the next call asks again"
    if line.left:
        yield f"  {line.left:>12,}  beyond --limit"
