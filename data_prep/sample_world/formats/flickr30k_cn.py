"""Flickr30k-CN in Chinese-CLIP's form: Chinese texts in jsonl, pictures as base64 in tsv.

Format: OFA-Sys/Chinese-CLIP, "Prepare data". The pictures are Flickr30k's own bytes,
the splits are those of Entities and not Karpathy's, and validation is called "valid".
"""

from __future__ import annotations

import base64

import msgspec

from vle_bench.atomic import replacing
from vle_bench.data_prep.sample_world.formats import flickr30k
from vle_bench.data_prep.sample_world.language.captions import Captioner
from vle_bench.data_prep.sample_world.roster import Drawn
from vle_bench.data_prep.sample_world.streams import stream
from vle_bench.data_prep.sample_world.world import World

_TEXTS = 5


def write_flickr30k_cn(world: World) -> None:
    """Writes RAW/flickr30k-cn; the pictures of Flickr30k are there already."""
    pictures = world.roster.parts["flickr30k"]
    captioner = Captioner(world.seed, "flickr30k-cn", world.scenes_of(pictures))
    text_id = 0
    for split, name in (("train", "train"), ("val", "valid"), ("test", "test")):
        chosen = [(k, drawn) for k, drawn in enumerate(pictures) if drawn.entities == split]
        lines = []
        for index, drawn in chosen:
            for caption in captioner.write(index, _TEXTS, "chinese"):
                row = {"text_id": text_id, "text": caption.text, "image_ids": [drawn.photo_id]}
                lines.append(msgspec.json.encode(row).decode("utf-8"))
                text_id += 1
        world.write_lines(f"flickr30k-cn/{name}_texts.jsonl", lines)
        order = [drawn for _, drawn in chosen]
        stream(world.seed, "chinese order", split).shuffle(order)
        _write_pictures(world, name, order)


def _write_pictures(world: World, name: str, pictures: list[Drawn]) -> None:
    with replacing(world.out / "flickr30k-cn" / f"{name}_imgs.tsv") as stream_out:
        for drawn in pictures:
            data = (world.out / flickr30k.picture_file(drawn)).read_bytes()
            stream_out.write(b"%d\t%s\n" % (drawn.photo_id, base64.b64encode(data)))
        if not pictures:
            stream_out.write(b"\n")
