"""Pictures of long lists, and captions of long lists: few bytes each, and nothing lost by it."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.data_prep import plain_pictures
from vle_bench.data_prep.caption_rules import REPEATED_ELSEWHERE, CaptionCensus
from vle_bench.data_prep.found_pictures import ChosenPictures, FoundPictures, Names
from vle_bench.data_prep.sources import PictureFile
from vle_bench.data_prep.tar_files import TarSlice
from vle_bench.data_prep.web_keys import LookUp, url_key
from vle_bench.records import Caption

FAR = (1 << 40) + 512


def test_what_was_put_comes_back_wherever_it_lies():
    found = FoundPictures(4)
    tar = found.keep(Path("raw/00003.tar"), is_tar=True, width=9)
    names = Names()
    numbers = [names.add(name) for name in ("a/1.jpg", "b.png")]
    folder = found.keep(Path("raw/pictures"), is_tar=False, names=names)
    found.put(2, tar, 30_007, ending=2, offset=FAR, length=70_000)
    found.put(0, folder, numbers[1])
    found.put(0, tar, 5, offset=512, length=1)
    found.fail(1, "download: 4xx")
    assert found.there.tolist() == [True, False, True, False]
    assert (found.reason(1), found.reason(3)) == ("download: 4xx", "")
    in_tar = PictureFile("000030007.png", "raw/00003.tar", TarSlice(FAR, 70_000))
    assert found[2] == in_tar
    assert found[0] == PictureFile("b.png", "raw/pictures/b.png")
    chosen = ChosenPictures(found, [2, 0, 2])
    assert list(chosen) == [in_tar, found[0], in_tar]
    assert (len(chosen), chosen[1:], chosen[-1]) == (3, [found[0], in_tar], in_tar)
    with pytest.raises(IndexError):
        chosen[3]


def test_a_member_too_long_for_a_picture_stays_too_long():
    found = FoundPictures(1)
    tar = found.keep(Path("00000.tar"), is_tar=True, width=9)
    found.put(0, tar, 0, offset=512, length=(1 << 33) + 7)
    assert isinstance(found[0].member, TarSlice)
    assert found[0].member.length > 1 << 31


def test_an_address_takes_some_twenty_bytes():
    found = FoundPictures(1000)
    columns = [one for one in vars(found).values() if isinstance(one, np.ndarray)]
    assert sum(one.nbytes for one in columns) <= 22 * 1000


def test_a_plain_folder_takes_few_bytes_a_picture(tmp_path: Path, monkeypatch):
    count = 20_000
    urls = [f"http://h{number % 7}.example.org/photos/{number}.jpg" for number in range(count)]
    keys = np.array([url_key(url) for url in urls], dtype=np.uint64)
    look_up, found = LookUp.of(keys), FoundPictures(count)
    names = (url.removeprefix("http://") for url in urls)
    plain_pictures.find_plain(tmp_path, look_up, lambda: enumerate(urls), FoundPictures(count))
    monkeypatch.setattr(plain_pictures, "_files_below", lambda _: names)
    tracemalloc.start()  # what is imported at the first use is there by now
    try:
        plain_pictures.find_plain(tmp_path, look_up, lambda: enumerate(urls), found)
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found[count - 1].path == f"{tmp_path}/{urls[-1][7:]}"
    assert held < 8 * count  # as texts in a list they take a hundred bytes each
    assert peak < 60 * count


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=3), max_size=8))
def test_captions_of_several_pictures_are_counted_as_by_a_counter(pictures):
    census = CaptionCensus("latin")
    for texts in pictures:
        census.see([Caption(id="1", text=text) for text in texts])
    times = Counter(text for texts in pictures for text in set(texts))
    expected = sum(count for count in times.values() if count > 1)
    assert census.counts()[REPEATED_ELSEWHERE] == expected
