"""Flickr30k: five captions a picture, Karpathy's split file, the token file, Entities' lists.

Formats: dataset_flickr30k.json of Karpathy's neuraltalk data; results_20130124.token
of the original corpus (name#number, tab, spaced words); train/val/test.txt of
Flickr30k Entities, one photo id a line. The two splittings of the same pictures differ.
"""

from __future__ import annotations

from typing import Any

from vle_bench.data_prep.sample_world.formats.flickr30k_entities import write_entities
from vle_bench.data_prep.sample_world.language.captions import Captioner
from vle_bench.data_prep.sample_world.language.tokens import caption_tokens, spaced
from vle_bench.data_prep.sample_world.roster import Drawn
from vle_bench.data_prep.sample_world.world import World

Json = dict[str, Any]

_CAPTIONS = 5


def picture_file(drawn: Drawn) -> str:
    """Path below RAW of a Flickr30k picture."""
    return f"flickr30k/flickr30k-images/{drawn.photo_id}.jpg"


def write_flickr30k(world: World) -> None:
    """Writes everything below RAW/flickr30k but the pictures."""
    pictures = world.roster.parts["flickr30k"]
    captioner = Captioner(world.seed, "flickr30k", world.scenes_of(pictures))
    written = {
        drawn: captioner.write(index, _CAPTIONS, "observer") for index, drawn in enumerate(pictures)
    }
    captions = {drawn: [one.text for one in sentences] for drawn, sentences in written.items()}
    ordered = sorted(pictures, key=lambda drawn: str(drawn.photo_id))
    world.write_json(
        "flickr30k/dataset_flickr30k.json",
        {
            "images": [_image(drawn, k, captions[drawn]) for k, drawn in enumerate(ordered)],
            "dataset": "flickr30k",
        },
    )
    world.write_lines(
        "flickr30k/results_20130124.token",
        [
            f"{drawn.photo_id}.jpg#{k}\t{spaced(text)}"
            for drawn in ordered
            for k, text in enumerate(captions[drawn])
        ],
    )
    for split in ("train", "val", "test"):
        ids = [str(drawn.photo_id) for drawn in ordered if drawn.entities == split]
        world.write_lines(f"flickr30k/{split}.txt", ids)
    write_entities(world, [(drawn, written[drawn]) for drawn in ordered])


def _image(drawn: Drawn, number: int, captions: list[str]) -> Json:
    sentids = [number * _CAPTIONS + k for k in range(len(captions))]
    return {
        "sentids": sentids,
        "imgid": number,
        "sentences": [
            {"tokens": caption_tokens(text), "raw": text, "imgid": number, "sentid": sentid}
            for sentid, text in zip(sentids, captions, strict=True)
        ],
        "split": drawn.karpathy,
        "filename": f"{drawn.photo_id}.jpg",
    }
