"""What proves that two pictures are one, and what only looks as if it did."""

from __future__ import annotations

import pytest

from vle_bench.data_prep.leaks.evidence import (
    Facts,
    coco_photo,
    facts_of,
    flickr30k_photo,
    flickr_photo,
    id_number,
)
from vle_bench.records import Picture


@pytest.mark.parametrize(
    "address",
    [
        " http://static.flickr.com/2723/4385058960_b0f291553e.jpg\n",
        "http://static.flickr.com/2723/4385058960_b0f291553e.jpg",
        "http://farm5.static.flickr.com/4051/4385058960_b0f291553e_z.jpg",
        "https://live.staticflickr.com/65535/4385058960_b0f291553e_o.png",
        "https://c1.staticflickr.com:443/3/2723/4385058960_B0F291553E_b.JPG?zz=1",
        "https://live.staticflickr.com/65535/4385058960_b0f291553eb0f291.jpg",
        "https://live.staticflickr.com/2723/4385058960_b0f291553e_b_d.jpg",
        "http://static.flickr.com//2723/4385058960_b0f291553e.jpg",
        "http://mirror.example.org/a/b/4385058960_b0f291553e.jpg",
        "https://archive.example.org/2010/http://static.flickr.com/2/4385058960_b0f291553e.jpg",
    ],
)
def test_a_photo_keeps_its_id_on_old_hosts_new_hosts_and_mirrors(address: str):
    assert flickr_photo(address) == "4385058960"


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/36979_20070412.jpg",
        "http://example.org/4385058960.jpg",
        "http://notflickr.com/36979_20070412.jpg",
        "http://static.flickr.com/2723/4385058960_b0f291553e_b_d_e.jpg",
        "http://static.flickr.com/4385058960_b0f291553e.html",
        "ftp://static.flickr.com/1/4385058960_b0f291553e.jpg",
        "4385058960_b0f291553e.jpg",
        "",
    ],
)
def test_an_address_that_only_looks_like_flickrs_has_no_photo_id(address: str):
    assert flickr_photo(address) == ""


def test_ids_that_name_nobody_are_no_evidence():
    assert [id_number(text) for text in ("0", "", "None", "-7", "1e5", "9" * 19)] == [0] * 6
    assert id_number("0012") == 12


def test_cocos_addresses_are_flickrs_whatever_follows_the_id():
    assert coco_photo("http://farm1.staticflickr.com/1/77_x") == "77"
    assert coco_photo("http://farm1.staticflickr.com/1/") == ""


def test_flickr30k_names_its_pictures_by_photo_id():
    assert flickr30k_photo("36979.jpg") == "36979"
    assert flickr30k_photo("36979_2.jpg") == ""


def test_the_facts_of_a_record_are_numbers_and_bytes():
    picture = Picture(
        id="7",
        file_name="7.jpg",
        width=1,
        height=1,
        orientation=1,
        sha256="00ff",
        format="jpg",
        coco_id="000000000042",
    )
    assert facts_of(picture) == Facts(42, 0, b"\x00\xff")
