"""The bytes of an annotation file that lies inside a zip, as those of one on disk.

A zip cannot be read from its middle, so a member is unpacked once to an unnamed file.
"""

from __future__ import annotations

import hashlib

from vle_bench.data_prep.archives import DamagedMember, ZipMember, member_pieces
from vle_bench.errors import DataProblem
from vle_bench.inputs.bytes import MOST_BYTES
from vle_bench.inputs.content import Content
from vle_bench.scratch import scratch_file, write_whole


def member_content(member: ZipMember) -> Content:
    """The content of a member of a zip, checked against its declared size and CRC-32.

    Raises:
        DataProblem: It is damaged.
    """
    kept = scratch_file()
    digest = hashlib.sha256()
    try:
        for piece in member_pieces(member, most_bytes=MOST_BYTES):
            digest.update(piece)
            write_whole(kept, piece)
    except DamagedMember as error:
        raise DataProblem(f"{member.place}: {error}. Fetch the archive again.") from error
    return Content(kept, member.place, digest.hexdigest())
