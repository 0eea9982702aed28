"""The page of `vle-prep browse` in a real browser: drawn, filtered, safe, without a network."""

from __future__ import annotations

from pathlib import Path

import chromium
import pytest

OPEN = "document.getElementById('viewer').open"
KEY = "document.getElementById('key').textContent"
CARDS = "document.querySelectorAll('.card').length"


@pytest.fixture
def page(prep, street: Path, tmp_path: Path) -> Path:
    made = tmp_path / "page.html"
    assert prep("browse", street, "--html", made, "--image-size", 64, "--patch-size", 16) == 0
    return made


def visible(browser, selector: str) -> int:
    return browser.run(
        f"[...document.querySelectorAll({selector!r})]"
        ".filter(node => node.getBoundingClientRect().width).length"
    )


def test_browser_shows_all_pictures_with_their_boxes(browser, page: Path):
    browser.open(page)
    assert browser.run(CARDS) == 4
    assert "4 pictures" in browser.run("document.getElementById('count').textContent")
    assert visible(browser, ".card .box.object") == 2
    assert visible(browser, ".card .box.crowd") == 1
    assert visible(browser, "#banner") == 1
    assert browser.run("document.querySelector('.card path.box.object').getAttribute('d')") == (
        "M4 6h30.5v20h-30.5z"
    )
    assert visible(browser, ".broken") == 1


def test_browser_runs_no_word_of_a_caption(browser, page: Path):
    browser.open(page, "open=toy-0001")
    assert "owned" not in browser.run("document.title")
    captions = browser.run("document.querySelector('.captions').textContent")
    assert "</script><script>document.title='owned'</script>" in captions
    assert browser.run("document.querySelector('#words b b, #words em b') === null") is True


def test_browser_lets_no_other_script_run_in_the_page(browser, page: Path):
    browser.open(page)
    browser.run(
        "(() => { const s = document.createElement('script');"
        "s.textContent = 'window.stranger = 1'; document.body.append(s); })()"
    )
    assert browser.run("window.stranger === undefined") is True


def test_browser_asks_for_nothing_but_the_file(browser, page: Path):
    browser.open(page, "open=toy-0001")
    outside = [one for one in browser.asked_for if not one.startswith(("data:image/", "file://"))]
    assert outside == []
    assert {one.partition("#")[0] for one in browser.asked_for if one.startswith("file:")} == {
        page.as_uri()
    }


def test_browser_filters_by_label_and_by_words(browser, page: Path):
    browser.open(page, "label=dog")
    assert browser.run(CARDS) == 1
    browser.run(
        "(() => { const label = document.getElementById('label'); label.value = '';"
        "label.dispatchEvent(new Event('change'));"
        "const find = document.getElementById('find'); find.value = 'BUSY street';"
        "find.dispatchEvent(new Event('input')); })()"
    )
    assert browser.run(CARDS) == 1
    assert "find=BUSY" in browser.run("location.hash")
    browser.open(page, "find=nowhere")
    assert (browser.run(CARDS), visible(browser, "#nothing")) == (0, 1)
    browser.run("document.getElementById('clear').click()")
    assert browser.run(CARDS) == 4


def test_browser_is_led_by_keys_alone(browser, page: Path):
    browser.open(page)
    browser.press("ArrowRight")
    browser.press("Enter")
    browser.wait(OPEN)
    assert browser.run(KEY) == "toy-0001"
    browser.press("ArrowRight")
    assert browser.run(KEY) == "toy-0002"
    browser.press("Escape")
    browser.wait(f"!{OPEN}")
    browser.wait("[...document.querySelectorAll('.card')].indexOf(document.activeElement) === 1")
    browser.press("/")
    assert browser.run("document.activeElement.id") == "find"


def test_browser_toggles_kinds_and_shows_the_patches_of_a_box(browser, page: Path):
    browser.open(page, "open=toy-0001&hide=patches")
    assert visible(browser, "#frame g.region") == 1
    browser.press("r")
    assert visible(browser, "#frame g.region") == 0
    browser.press("p")
    browser.run("document.querySelector('.boxes button').click()")
    told = browser.run("document.getElementById('told').textContent")
    assert told == "bus · object at 4, 6, 30.5, 20 · 9 of 4 x 4 patches"
    taken = "document.querySelector('#frame .taken').getAttribute('d')"
    assert browser.run(taken) == "M0 0h48v36h-48z"


def test_browser_lays_the_cut_of_the_model_over_the_picture(browser, page: Path):
    browser.open(page, "open=toy-0001&hide=")
    told = "document.getElementById('told').textContent"
    assert "laid over the whole picture (stretch)" in browser.run(told)
    browser.press("v")
    assert "view=center_crop" in browser.run("location.hash")
    assert "cuts out (center_crop) · MPC: 4 patches hidden (bus 4)" in browser.run(told)
    unseen = "document.querySelector('#frame .unseen').getAttribute('d')"
    assert browser.run(unseen) == "M0 0H64V48H0zM7.53 0V48H55.72V0z"
    cells = browser.run("document.querySelector('#frame .hidden').getAttribute('d')")
    assert cells.split("M")[1:] == [
        f"{at}h12.05v12h-12.05z" for at in ("7.53 0", "19.58 0", "7.53 12", "19.58 12")
    ]
    choice = "document.querySelector('[data-view]')"
    browser.run(f"{choice}.value = 'stretch'; {choice}.dispatchEvent(new Event('change'))")
    assert browser.run(unseen) == "M0 0H64V48H0zM0 0V48H64V0z"
    browser.open(page, "open=toy-0002&hide=&view=center_crop")
    assert "center_crop" in browser.run(told)
    browser.open(page, "open=toy-0003&view=nonsense")
    assert browser.run(f"{choice}.value") == "stretch"


def test_browser_counts_the_columns_of_a_mirrored_frame_from_the_right(browser, page: Path):
    browser.open(page)
    view = "{ frame: [8, 0, 56, 48], mirrored: true }"
    path = browser.run(f"framesOf({{ columns: 4, rows: 4 }}).cells({view}, [0, 1, 1, 2], true)")
    assert path == "M44 12h12v12h-12z"


def test_browser_shows_no_two_names_upon_each_other(browser, prep, make, tmp_path: Path):
    boxes = [make.box((2 + at / 4, 2, 30 - at, 30), f"thing {at}") for at in range(6)]
    folder = make.pack(tmp_path / "toy2", [make.sample(1, make.photo(64, 48), boxes=tuple(boxes))])
    page = tmp_path / "names.html"
    assert prep("browse", folder, "--html", page) == 0
    browser.open(page, "open=toy-0001&hide=")
    shown = (
        "[...document.querySelectorAll('.tag')].filter(tag => getComputedStyle(tag).visibility"
        " !== 'hidden').map(tag => tag.textContent)"
    )
    assert browser.run(shown) == ["thing 0"]
    browser.run("document.querySelectorAll('.boxes button')[4].focus()")
    assert browser.run(shown) == ["thing 0", "thing 4"]


def test_browser_lays_boxes_where_they_belong(browser, page: Path):
    browser.open(page, "open=toy-0001")
    # The box (4, 6, 30.5, 20) of a picture of 64 x 48, as shares of the image on the screen.
    shares = browser.run(
        "(() => { const p = document.querySelector('#frame img').getBoundingClientRect();"
        "const b = document.querySelector('#frame [data-box=\"0\"] .box').getBoundingClientRect();"
        "return [(b.x - p.x) / p.width * 64, (b.y - p.y) / p.height * 48,"
        "b.width / p.width * 64, b.height / p.height * 48]; })()"
    )
    assert shares == pytest.approx([4, 6, 30.5, 20], abs=0.4)


@pytest.mark.parametrize("state", ["", "open=toy-0001"])
def test_browser_needs_no_sideways_scrolling_on_a_phone(browser, page: Path, state: str):
    browser.open(page, state, width=360, height=740)
    assert browser.run("document.documentElement.scrollWidth") <= 360
    assert browser.run("document.getElementById('viewer').scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_browser_follows_the_colours_of_the_reader(browser, page: Path, scheme: str):
    feature = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.send("Emulation.setEmulatedMedia", features=feature)
    browser.open(page)
    colour = browser.run("getComputedStyle(document.body).backgroundColor")
    level = sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    assert (level < 200) == (scheme == "dark")


def test_browser_shows_what_is_hidden_and_what_a_caption_is_about(browser, page: Path):
    browser.open(page, "open=toy-0001&hide=patches,mask")
    assert visible(browser, "#frame .hidden") == 0
    browser.press("m")
    assert visible(browser, "#frame .hidden") == 1
    told = "document.getElementById('told').textContent"
    assert browser.run(told) == "MPC: 3 patches hidden (bus 3)"
    browser.run("document.querySelector('.captions button').focus()")
    assert browser.run(told).endswith("PBC: 3 related patches")
    cells = browser.run("document.querySelector('#frame .about').getAttribute('d')")
    assert cells.split("M")[1:] == [f"{at}h16v12h-16z" for at in ("16 0", "0 12", "16 12")]


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_browser_is_found_by_each_of_its_names(tmp_path: Path, monkeypatch, name: str):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert chromium.find_browser() is None
    program = tmp_path / name
    program.touch(0o755)
    assert chromium.find_browser() == str(program)


def test_browser_offers_no_names_where_no_picture_has_a_box(browser, prep, make, tmp_path: Path):
    plain = make.sample(1, make.photo(64, 48), captions=("A red bus.",))
    made = tmp_path / "plain.html"
    assert prep("browse", make.pack(tmp_path / "toy", [plain]), "--html", made) == 0
    browser.open(made, "open=toy-0001")
    assert visible(browser, "#viewer .toggles button") == 1
    assert visible(browser, "#viewer [data-show=patches]") == 1
