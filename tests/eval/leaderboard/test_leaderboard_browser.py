"""The leaderboard in a real browser: sorted, filtered, compared by keys, and without network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vle_bench.eval.leaderboard.page.pieces import Options
from vle_bench.eval.leaderboard.page.write import single_page, write_page
from vle_bench.results import StoredResult, stored_results

MODELS = "[...document.querySelectorAll('tbody .name')].map(node => node.textContent)"
LOOKING = "!document.getElementById('look').hidden"
OPEN = "document.getElementById('viewer').open"
TITLE = "document.getElementById('item-title').textContent"
TOLD = "document.getElementById('told').textContent"
CARDS = "document.querySelectorAll('.item').length"


@pytest.fixture
def page(found, tmp_path: Path) -> Path:
    path = tmp_path / "my board #1.html"
    write_page(path, found, options=Options())
    return path


def focus(browser, selector: str) -> None:
    """Moves on by Tab until the element has the focus: what a keyboard cannot reach fails."""
    for _ in range(60):
        if browser.run(f"Boolean(document.activeElement.closest({selector!r}))"):
            return
        browser.press("Tab")
    raise AssertionError(f"no Tab leads to {selector}")


def choose(browser, name: str, value: str) -> None:
    browser.run(
        f"(() => {{ const node = document.getElementById({name!r}); node.value = {value!r};"
        "node.dispatchEvent(new Event('change')); })()"
    )


def shown(browser, state: str) -> None:
    browser.wait(f"document.body.dataset.shown === {state!r}")


def test_board_browser_sorts_by_keys_and_says_how_to_a_screen_reader(browser, page: Path):
    browser.open(page)
    assert browser.run(MODELS)[:2] == ["all", "even"]
    sorting = "document.querySelector('[data-sort=\"0.1\"]').closest('th').ariaSort"
    assert browser.run(sorting) == "none"
    focus(browser, '[data-sort="0.1"]')
    browser.press("Enter")
    assert browser.run(sorting) == "descending"
    browser.press("Enter")
    assert browser.run(sorting) == "ascending"
    assert browser.run(MODELS)[-1] == "all"
    assert browser.run("document.activeElement.dataset.sort") == "0.1"
    assert "sort=0.1.u" in browser.run("location.hash")
    browser.press("Enter")
    assert browser.run(sorting) == "none"
    browser.open(page, "sort=0.1.u")
    assert browser.run(MODELS)[-1] == "all"


def test_board_browser_draws_the_interval_of_every_number_of_ours(browser, page: Path):
    browser.open(page)
    assert browser.run("document.querySelectorAll('tr.ours svg circle.ours').length") == 3
    assert browser.run("document.querySelectorAll('tr.ours svg .whisker').length") == 3
    row = "[...document.querySelectorAll('tr.ours')][1]"
    assert browser.run(f"{row}.querySelector('.name').textContent") == "even"
    written = browser.run(f"{row}.querySelector('.main small').textContent")
    path = browser.run(f"{row}.querySelector('.whisker').getAttribute('d')")
    spot = float(browser.run(f"{row}.querySelector('circle').getAttribute('cx')"))
    low, high = map(float, written.split("\u2013"))
    ends = {float(number) for number in re.findall(r"[MH]([\d.]+)", path)}
    assert len(ends) == 2
    assert min(ends) < spot < max(ends)
    share = (spot - min(ends)) / (max(ends) - min(ends))
    assert share == pytest.approx((50 - low) / (high - low), abs=1e-6)
    told = browser.run("document.querySelector('tr.ours .main').title")
    assert all(part in told for part in ("95 % interval", "n = 12", "protocol official"))


def test_board_browser_filters_by_words_and_offers_a_way_back(browser, page: Path):
    browser.open(page)
    browser.press("/")
    assert browser.run("document.activeElement.id") == "find"
    for letter in "even":
        browser.press(letter)
    assert browser.run(MODELS) == ["even"]
    assert "1 of 3 rows" in browser.run("document.getElementById('count').textContent")
    for letter in "zz":
        browser.press(letter)
    assert browser.run(MODELS) == []
    assert browser.run("document.getElementById('nothing').hidden") is False
    browser.run("document.getElementById('clear').click()")
    assert len(browser.run(MODELS)) == 3


def test_board_browser_opens_an_item_and_walks_on_by_keys(browser, page: Path):
    browser.open(page)
    focus(browser, ".open")
    browser.press("Enter")
    browser.wait(LOOKING)
    shown(browser, "0.-1.items")
    browser.wait(f"{CARDS} === 12")
    choose(browser, "view", "all")
    second = "(document.querySelectorAll('.item .question')[1] || {}).textContent"
    browser.wait(f"{second} === 'What is 1?'")
    browser.press("ArrowRight")
    browser.press("ArrowRight")
    browser.press("Enter")
    browser.wait(OPEN)
    assert browser.run(TITLE) == "What is 1?"
    side = browser.run("document.querySelector('.side').textContent")
    assert "right 1" in side
    assert "100 %" in side
    assert "8 annotators gave this answer" in side
    gold = browser.run("[...document.querySelectorAll('.gold li')].map(node => node.textContent)")
    assert gold == ["right 18", "(empty)1", "</script><b>bold</b>1"]
    browser.press("ArrowRight")
    browser.wait(f"{TITLE} === 'What is 2?'")
    assert "item=3" in browser.run("location.hash")
    browser.press("Escape")
    browser.wait(f"!{OPEN}")
    browser.wait("document.activeElement.className === 'item'")
    browser.press("Escape")
    browser.wait(f"!({LOOKING})")
    assert browser.run("document.activeElement.className") == "open"


def test_board_browser_lays_two_models_side_by_side_where_they_differ(browser, page: Path):
    browser.open(page, "run=0&tab=items")
    focus(browser, "#right")
    browser.press("e")
    browser.wait("document.getElementById('right').selectedOptions[0].textContent === 'even'")
    browser.wait(f"{TOLD} === '6 items'")
    choose(browser, "view", "right")
    browser.wait(f"{TOLD} === '0 items'")
    choose(browser, "view", "left")
    browser.wait(f"{TOLD} === '6 items'")
    browser.run("document.querySelector('.item').click()")
    browser.wait(OPEN)
    assert browser.run(TITLE) == "What is 1?"
    sides = browser.run(
        "[...document.querySelectorAll('.side')].map(node => "
        "[node.querySelector('h3').textContent, node.querySelector('.answer').textContent])"
    )
    assert sides == [["all", "right 1"], ["even", "wrong 1"]]


def test_board_browser_finds_items_by_words_and_by_kind(browser, page: Path):
    browser.open(page, "run=1&tab=items&view=all&seek=wrong%207")
    browser.wait(f"{TOLD} === '1 item'")
    choose(browser, "group", "other")
    browser.wait(f"{TOLD} === '0 items'")
    browser.open(page, "run=1&tab=items&view=all&group=other")
    browser.wait(f"{TOLD} === '4 items'")


def test_board_browser_turns_pages_through_all_pieces(browser, store, tmp_path, monkeypatch):
    monkeypatch.setattr("vle_bench.eval.leaderboard.page.pieces.ITEMS_A_PIECE", 7)
    monkeypatch.setattr("vle_bench.eval.leaderboard.page.write.ITEMS_A_PIECE", 7)
    root = store({"one": lambda at: f"right {at}"}, questions=50)
    path = tmp_path / "board.html"
    write_page(path, stored_results(root), options=Options())
    browser.open(path, "run=0&tab=items&view=all")
    seen = set()
    names = "[...document.querySelectorAll('.item .question')].map(node => node.textContent)"
    for number in (1, 2, 3):
        browser.wait(f"document.getElementById('page-number').textContent === 'page {number} of 3'")
        seen.update(browser.run(names))
        browser.press("n")
    assert len(seen) == 50


def test_board_browser_shows_breakdowns_of_both_models(browser, page: Path):
    browser.open(page, "run=0&beside=1&tab=charts")
    titles = browser.run(
        "[...document.querySelectorAll('.chart h3')].map(node => node.textContent)"
    )
    assert "Accuracy by answer type" in titles
    assert "Accuracy by question type" in titles
    assert browser.run("document.querySelectorAll('.chart .second .fill').length") > 5
    width = browser.run("document.querySelector('.chart .first .fill').style.width")
    assert width == "100%"


def test_board_browser_runs_no_word_of_a_name_a_question_or_an_answer(browser, page: Path):
    browser.open(page, "run=2&tab=items&view=all&item=4")
    browser.wait(OPEN)
    assert "onerror" in browser.run(TITLE)
    assert "owned" not in browser.run("document.title")
    assert browser.run("document.querySelectorAll('img, .gold b b').length") == 0
    browser.run(
        "(() => { const s = document.createElement('script');"
        "s.textContent = 'window.stranger = 1'; document.body.append(s); })()"
    )
    assert browser.run("window.stranger === undefined") is True


def test_board_browser_asks_for_nothing_outside_of_its_folder(browser, page: Path):
    browser.open(page, "run=0&beside=1&tab=items&item=1")
    folder = page.parent.as_uri()
    assert len(browser.asked_for) > 3
    for asked in browser.asked_for:
        assert asked.startswith(("data:image/", folder)), asked


def test_board_browser_says_what_to_do_when_the_folder_is_gone(browser, page: Path):
    (page.parent / f"{page.stem}_items").rename(page.parent / "elsewhere")
    browser.open(page, "run=0&tab=items")
    browser.wait(f"{TOLD}.includes('keep the folder beside the page')")
    assert browser.run("document.querySelectorAll('.board').length") == 1


def test_board_browser_single_page_needs_no_folder(browser, found, tmp_path):
    path = tmp_path / "one.html"
    path.write_bytes(single_page(found, options=Options(most_items=8)))
    browser.open(path, "run=0&beside=1&tab=items&view=all")
    browser.wait(f"{CARDS} === 8")
    assert "this page holds 8 of 12" in browser.run(TOLD)
    assert [asked.partition("#")[0] for asked in browser.asked_for] == [path.as_uri()]


@pytest.mark.parametrize("state", ["", "run=0&beside=2&tab=items", "run=0&beside=2&tab=charts",
                                   "run=2&beside=1&tab=items&item=1"])  # fmt: skip
def test_board_browser_needs_no_sideways_scrolling_on_a_phone(browser, page: Path, state: str):
    browser.open(page, state, width=360, height=740)
    assert browser.run("document.documentElement.scrollWidth") <= 360
    assert browser.run("document.getElementById('viewer').scrollWidth") <= 360


def test_board_browser_follows_the_reader_in_colours_and_lets_him_choose(browser, page: Path):
    def level() -> int:
        colour = browser.run("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))

    for scheme in ("light", "dark"):
        feature = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.send("Emulation.setEmulatedMedia", features=feature)
        browser.open(page)
        assert (level() < 200) == (scheme == "dark")
    browser.press("t")
    assert level() > 600
    browser.press("t")
    assert level() < 200
    browser.press("t")


def test_board_browser_marks_what_is_not_verified_beside_its_name(browser, make_document, tmp_path):
    found = [StoredResult(tmp_path, make_document("mine", setting="finetuned"))]
    path = tmp_path / "board.html"
    write_page(path, found, options=Options())
    browser.open(path)
    rows = browser.run(
        "[...document.querySelectorAll('tbody tr')].map(row => "
        "[...row.querySelectorAll('.word')].map(node => node.textContent))"
    )
    recalled = [words for words in rows if "NO, recalled" in words]
    assert recalled
    assert all(words.count("NO, recalled") == 2 for words in recalled)
    assert rows[0][0] == "measured here"
    browser.run("document.getElementById('verified').click()")
    left = browser.run(
        "[...document.querySelectorAll('td.word:not(.ours)')].map(n => n.textContent)"
    )
    assert "NO, recalled" not in left
    assert "second hand" not in left
    assert "yes" in left
    assert browser.run(MODELS)[0] == "mine"
