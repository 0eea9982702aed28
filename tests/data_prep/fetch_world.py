"""A dataset of one archive, offered by a server of our own, and fetched from there."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from contextlib import contextmanager
from pathlib import Path

import fetch_server as serve
from fetch_server import Site

from vle_bench.catalog.datasets import read_dataset_manifest
from vle_bench.data_prep.fetch.call import Call, Fetched, fetch
from vle_bench.data_prep.fetch.rules import Rules
from vle_bench.data_prep.sources import NeedState, RawTree


def zipped(size: int = 40_000) -> bytes:
    """A zip of a text that does not repeat."""
    stream = io.BytesIO()
    text = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(size // 32))
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("things.json", text)
    return stream.getvalue()


DATA = zipped()
SHA256 = hashlib.sha256(DATA).hexdigest()


class Silent:
    """Nobody listens; what is said is kept."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.steps: list[int] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    @contextmanager
    def bar(self, *_: object):
        yield self.steps.append


class World:
    """A dataset of one archive, served here."""

    def __init__(self, site: Site, tmp_path: Path) -> None:
        self.site = site
        self.raw = tmp_path / "raw"
        self.path = self.raw / "things" / "things.zip"
        self.ears = Silent()
        self._toml = tmp_path / "things.toml"
        self.url = ""

    def offer(self, answer: serve.Answer, **facts: object) -> None:
        self.url = facts.pop("url", "") or self.site.put("/things.zip", answer)
        if "size" in facts or "sha256" in facts:
            facts["checksum_source"] = "here"
        told = "".join(f"{name} = {json.dumps(value)}\n" for name, value in facts.items())
        self._toml.write_text(
            f"""
name = "things"
title = "Things"
summary = "Things."
homepage = "http://example.org/things"
licences = []
citations = []
counts = []
splits = [{{ name = "train" }}]
needs = [{{ path = "things.json", gives = "things", splits = ["train"] }}]
[[downloads]]
file = "things.zip"
url = "{self.url}"
verified = "yes"
source = "here"
holds = ["things.json"]
{told}"""
        )

    def fetch(self, **more: object) -> Fetched:
        rules = {"delay": 0.0, "first_wait": 0.05, "attempts": 3, "allow_private": True}
        rules |= {"silence_seconds": 10.0, "connect_seconds": 10.0}
        rules |= {name: more.pop(name) for name in list(more) if name in Rules.__struct_fields__}
        call = Call(
            dataset="things",
            raw=self.raw,
            rules=Rules(**rules),
            manifests=lambda _: read_dataset_manifest(self._toml),
            **more,
        )
        return fetch(call, self.ears)

    def ranges(self) -> list[str]:
        return [one.headers.get("range", "") for one in self.site.log]


def state(self: RawTree, manifest, need):
    """A need of our dataset is filled by its archive; the real one asks packaged manifests."""
    there = (self.root / "things" / "things.zip").is_file()
    return NeedState(need, "things/things.zip" if there else "")
