"""A raw folder, its local tree, and runs into a bucket."""

from __future__ import annotations

from pathlib import Path

from s3_server import S3Server

from vle_bench.console import exit_code
from vle_bench.data_prep.cli import group

NAME = "vqav2"


def arguments(raw: Path, out: str | Path, *more: str, per_shard: int = 2) -> list[str]:
    return [
        *("run", NAME, "--raw", str(raw), "--out", str(out), "--workers", "1"),
        *("--samples-per-shard", str(per_shard), "--min-answer-count", "2", *more),
    ]


def run(raw: Path, out: str | Path, *more: str, per_shard: int = 2) -> int:
    return exit_code(group, "vle-prep", arguments(raw, out, *more, per_shard=per_shard))


def local_tree(raw: Path, out: Path, *more: str, per_shard: int = 2) -> dict[str, bytes]:
    assert run(raw, out, *more, per_shard=per_shard) == 0
    return tree_of(out)


def tree_of(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out / NAME).as_posix(): path.read_bytes()
        for path in (out / NAME).rglob("*")
        if path.is_file()
    }


def remote_tree(server: S3Server, bucket: str) -> dict[str, bytes]:
    return server.objects(bucket, f"out/{NAME}/")


def shard(number: int, split: str = "train") -> str:
    return f"{split}/{NAME}-{split}-{number:06d}.tar"


def writes(server: S3Server, bucket: str) -> set[str]:
    """Below the dataset's folder."""
    start = f"/{bucket}/out/{NAME}/"
    return {
        asked.path.removeprefix(start)
        for asked in server.asked
        if asked.writes and asked.path.startswith(start)
    }
