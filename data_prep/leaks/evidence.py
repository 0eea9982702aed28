"""By what a picture of one collection is known to be a picture of another.

Three things prove it without looking at a pixel: COCO's id, Flickr's photo id,
and the same bytes. A photo id stands in many places and never under the same
name: in the addresses of COCO and SBU, in a field of Visual Genome, in the file
names of Flickr30k. An id of 0, or one that is no number, proves nothing.
Addresses: https://www.flickr.com/services/api/misc.urls.html
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Literal, NamedTuple, Protocol

from vle_bench.identity import number_of

Evidence = Literal["coco_id", "flickr_id", "bytes"]
Leak = tuple[Evidence, str]
"""What gives a picture away, and its value: an id, or a sha256 in hex."""
EVIDENCE: tuple[Evidence, ...] = ("coco_id", "flickr_id", "bytes")
"""In the order in which one is named where several hold."""

EXCLUDED = "excluded by overlap"
"""The reason in the books of a picture that was left out for being an evaluation picture."""

NO_ID = 0

_ADDRESS = re.compile(
    r"https?://(?P<host>[^/?#]+)(?:/[^/?#]*)*/(?P<id>[0-9]{1,18})_(?P<secret>[0-9a-f]{8,16})"
    r"(?:_[a-z0-9]{1,2}){0,2}\.(?:jpe?g|png|gif)(?:[?#].*)?",
    re.IGNORECASE,
)
_FLICKR_HOST = re.compile(r"(?:.*\.)?(?:static)?flickr\.com(?::[0-9]+)?", re.IGNORECASE)
_SECRET_DIGITS = 10
_COCO_ADDRESS = re.compile(r"/(?P<id>[0-9]{1,18})_[^/]*$")


class Identified(Protocol):
    """What a `Picture` of a record and a `SampleRow` of an index have in common."""

    @property
    def coco_id(self) -> str:
        """COCO's id, or ""."""
        ...

    @property
    def flickr_id(self) -> str:
        """Flickr's photo id, or ""."""
        ...

    @property
    def sha256(self) -> str:
        """Digest of the bytes in hex; "" where they were not looked at yet."""
        ...


class Facts(NamedTuple):
    """What is known of a picture.

    Attributes:
        coco_id: COCO's id; 0 where it has none.
        flickr_id: Flickr's photo id; 0 where it has none.
        sha256: Digest of the bytes; b"" where they were not looked at.
    """

    coco_id: int = NO_ID
    flickr_id: int = NO_ID
    sha256: bytes = b""


def facts_of(picture: Identified) -> Facts:
    """The facts of a picture of a record or of an index.

    Raises:
        ValueError: A digest that is no hex.
    """
    return Facts(
        id_number(picture.coco_id), id_number(picture.flickr_id), bytes.fromhex(picture.sha256)
    )


def id_number(text: str) -> int:
    """The number an id is; 0, which is nobody's, for anything else.

    >>> id_number("000042"), id_number(""), id_number("x7")
    (42, 0, 0)
    """
    return number_of(text) or NO_ID


def flickr_photo(url: str) -> str:
    """The photo id in an address of Flickr's form; "" for any other.

    Old and new hosts (`static.flickr.com`, `farm1.static.flickr.com`, `live.staticflickr.com`) are
    alike; behind size may stand `_d`, which asks a browser to keep the file. Mirrors and archives
    keep the form, so any host will do where the id is followed by the ten digits that Flickr
    gives; eight are often a date.

    >>> flickr_photo("http://static.flickr.com/2723/4385058960_b0f291553e.jpg")
    '4385058960'
    >>> flickr_photo("http://example.org/2007/36979_20070412.jpg")
    ''
    """
    match = _ADDRESS.fullmatch(url.strip())
    if match is None:
        return ""
    sure = _FLICKR_HOST.fullmatch(match["host"]) or len(match["secret"]) == _SECRET_DIGITS
    return match["id"] if sure else ""


def coco_photo(flickr_url: str) -> str:
    """The photo id in the `flickr_url` of COCO's files, which are Flickr's whatever their form.

    >>> coco_photo("http://farm9.staticflickr.com/8186/8119368305_4e622c8349_z.jpg")
    '8119368305'
    """
    match = _COCO_ADDRESS.search(flickr_url)
    return match["id"] if match else ""


def flickr30k_photo(file_name: str) -> str:
    """The photo id that is the name of a file of Flickr30k; "" for any other name.

    >>> flickr30k_photo("flickr30k-images/1000092795.jpg"), flickr30k_photo("readme.txt")
    ('1000092795', '')
    """
    stem = PurePosixPath(file_name).stem
    return stem if id_number(stem) else ""
