"""The small files that other people's readers look for beside the shards of a split.

`sizes.json` tells open_clip how many samples each shard holds; `index.json` is a
wids index of version 1. What makes wids indexes writes an `md5sum` too, but no
reader asks for it and it would cost a pass of its own over every byte, so it is
left out; what guards a shard is the sha256 in `report.json`.
Formats: https://github.com/webdataset/webdataset (wids),
https://github.com/mlfoundations/open_clip (sizes.json).
"""

from __future__ import annotations

from collections.abc import Sequence

from vle_bench.canonical import pretty_json_bytes
from vle_bench.shards.layout import SIZES, WIDS_INDEX
from vle_bench.shards.report import ShardReport

_WIDS_KIND = "wids-shard-index-v1"


def split_sidecars(dataset: str, split: str, shards: Sequence[ShardReport]) -> dict[str, bytes]:
    """The files beside the shards of a split, by path below the dataset's folder.

    Args:
        dataset: The dataset's name.
        split: The split's name.
        shards: Its shards, in order.
    """
    return {
        f"{split}/{SIZES}": sizes_bytes(shards),
        f"{split}/{WIDS_INDEX}": wids_bytes(f"{dataset}-{split}", shards),
    }


def sizes_bytes(shards: Sequence[ShardReport]) -> bytes:
    r"""`{"shard.tar": samples}`.

    >>> sizes_bytes([ShardReport(name="a-val-000000.tar", samples=2, bytes=9, sha256="")])
    b'{\n  "a-val-000000.tar": 2\n}\n'
    """
    return pretty_json_bytes({shard.name: shard.samples for shard in shards})


def wids_bytes(name: str, shards: Sequence[ShardReport]) -> bytes:
    """A wids index; `url` is relative to the index, as wids resolves it."""
    rows = [
        {"url": shard.name, "nsamples": shard.samples, "filesize": shard.bytes} for shard in shards
    ]
    return pretty_json_bytes(
        {"__kind__": _WIDS_KIND, "wids_version": 1, "name": name, "shardlist": rows}
    )
