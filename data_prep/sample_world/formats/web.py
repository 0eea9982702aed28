"""CC3M and SBU: captions with addresses, and the pictures a local server would serve.

CC3M is a TSV without header, caption then address; SBU is one JSON object of
columns. The hosts are reserved names that no network knows: the path of an
address is the path of the picture below RAW/<corpus>/pictures, and the ledger
says so.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from vle_bench.data_prep.sample_world.language.captions import Captioner, Style
from vle_bench.data_prep.sample_world.roster import Drawn, Roster
from vle_bench.data_prep.sample_world.sharing import Hidden
from vle_bench.data_prep.sample_world.streams import stream
from vle_bench.data_prep.sample_world.world import World

CC3M_HOST = "http://images.example.org"
SBU_HOST = "http://static.flickr.example.org"
_NOBODYS = 10_000_000_000
"""Photo ids from here on belong to no picture of the world."""
_SITES = ("travel", "news", "garden", "school", "prints", "blog")


class WebPicture(NamedTuple):
    """One row of a web corpus."""

    row: int
    host: str
    path: str
    """Path of the address, without the leading slash."""
    corpus: str
    drawn: Drawn
    hidden: Hidden | None

    @property
    def url(self) -> str:
        """The address as the corpus writes it."""
        return f"{self.host}/{self.path}"

    @property
    def file(self) -> str:
        """Path below RAW."""
        return f"{self.corpus}/pictures/{self.path}"


def cc3m_pictures(
    roster: Roster, hidden: tuple[Hidden, ...]
) -> tuple[list[WebPicture], list[WebPicture]]:
    """Rows of the training and of the validation file."""
    rng = stream(roster.seed, "cc3m")
    own = roster.parts["cc3m-train"]
    members: list[tuple[Drawn, Hidden | None]] = [(drawn, None) for drawn in own]
    members += [(entry.drawn, entry) for entry in hidden if entry.corpus == "cc3m"]
    rng.shuffle(members)
    names = _Addresses(rng)
    train = [
        WebPicture(row, CC3M_HOST, names.site(drawn, entry), "cc3m", drawn, entry)
        for row, (drawn, entry) in enumerate(members)
    ]
    val = [
        WebPicture(row, CC3M_HOST, names.site(drawn, None), "cc3m", drawn, None)
        for row, drawn in enumerate(roster.parts["cc3m-val"])
    ]
    return train, val


def sbu_pictures(roster: Roster, hidden: tuple[Hidden, ...]) -> list[WebPicture]:
    """Rows of SBU; every address holds a photo id, a true one only where it is meant to tell."""
    rng = stream(roster.seed, "sbu")
    members: list[tuple[Drawn, Hidden | None]] = [(drawn, None) for drawn in roster.parts["sbu"]]
    members += [(entry.drawn, entry) for entry in hidden if entry.corpus == "sbu"]
    rng.shuffle(members)
    names = _Addresses(rng)
    return [
        WebPicture(row, SBU_HOST, names.photo(drawn, entry), "sbu", drawn, entry)
        for row, (drawn, entry) in enumerate(members)
    ]


def write_cc3m(world: World, train: list[WebPicture], val: list[WebPicture]) -> None:
    """Writes the two TSV files."""
    for name, pictures in (
        ("Train_GCC-training.tsv", train),
        ("Validation_GCC-1.1.0-Validation.tsv", val),
    ):
        captions = _captions(world, pictures, "alt text")
        lines = [f"{text}\t{p.url}" for p, text in zip(pictures, captions, strict=True)]
        world.write_lines(f"cc3m/{name}", lines)


def write_sbu(world: World, pictures: list[WebPicture]) -> None:
    """Writes the columns of SBU."""
    rng = stream(world.seed, "sbu users")
    users = [f"{rng.randint(10**7, 10**8 - 1)}@N{rng.randint(0, 8):02d}" for _ in pictures]
    world.write_json(
        "sbu/sbu-captions-all.json",
        {
            "image_urls": [picture.url for picture in pictures],
            "captions": _captions(world, pictures, "album"),
            "user_ids": users,
        },
    )


def _captions(world: World, pictures: list[WebPicture], style: Style) -> list[str]:
    scenes = world.scenes_of([picture.drawn for picture in pictures])
    captioner = Captioner(world.seed, pictures[0].corpus if pictures else "", scenes)
    return [captioner.write(row, 1, style)[0].text for row in range(len(pictures))]


class _Addresses:
    """Paths as web sites and photo services have them."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def site(self, drawn: Drawn, hidden: Hidden | None) -> str:
        """A page's picture; a photo service's own path where the photo id is to tell."""
        if hidden is not None and hidden.how == "flickr_id":
            return self._service(drawn.photo_id)
        name = "-".join(self._rng.sample(("big", "small", "day", "out", "the", "our", "new"), 3))
        folder = f"{self._rng.choice(_SITES)}/{self._rng.randint(2004, 2017)}"
        return f"{folder}/{name}-{self._rng.getrandbits(40):010x}.jpg"

    def photo(self, drawn: Drawn, hidden: Hidden | None) -> str:
        """A photo service's path: the picture's own id, or that of nobody's picture."""
        if hidden is None or hidden.how == "flickr_id":
            return self._service(drawn.photo_id)
        return self._service(_NOBODYS + self._rng.getrandbits(30))

    def _service(self, photo_id: int) -> str:
        return f"{self._rng.randint(1000, 9999)}/{photo_id}_{self._rng.getrandbits(40):010x}.jpg"
