"""The page in a real browser: the slider, the address, two runs, odd names, small screens."""

import itertools
import json
import shutil

import pytest
from browsing import Page, opened_pages
from gankit_report.page import write_report

from gankit.runs import log

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&\u202e"
RED = [255, 0, 0]
PIXEL = """([selector, x]) => {
    const canvas = document.querySelectorAll(selector)[x];
    return [...canvas.getContext("2d").getImageData(5, 5, 1, 1).data.slice(0, 3)];
}"""


class ReportPage(Page):
    """The report in a browser."""

    def now(self):
        return self.tab.text_content("#now")

    def wait_for_grid(self, *steps):
        for number, step in enumerate(steps):
            self.tab.wait_for_selector(f'.grid[data-run="{number}"] canvas[data-step="{step}"]')

    def cursor(self):
        return self.tab.get_attribute(".cursor", "transform")


@pytest.fixture(scope="module")
def file(whole_run, tmp_path_factory):
    return write_report([whole_run], tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture
def open_page(browser):
    """`open_page(file, "#step=40")`; the page must ask for nothing but itself, and not complain."""
    with opened_pages(browser, ReportPage) as call:
        yield call


def is_near(pixel, colour):
    return all(abs(a - b) < 40 for a, b in zip(pixel, colour, strict=True))


def test_the_slider_moves_the_grid_the_cursor_and_the_numbers(open_page, file):
    page = open_page(file)
    page.wait_for_grid(100)
    at_end = page.cursor()
    page.tab.focus("#step")
    page.tab.keyboard.press("Home")
    page.wait_for_grid(0)
    assert page.now() == "step 0"
    assert is_near(page.tab.evaluate(PIXEL, ["canvas", 0]), RED)
    assert page.cursor() != at_end
    page.tab.keyboard.press("ArrowRight")
    page.tab.keyboard.press("ArrowRight")
    page.wait_for_grid(40)
    assert page.tab.text_content("[data-activity='1']") == "r1 at 40"
    assert page.tab.text_content("[data-moment]") == "20"
    assert page.tab.locator(".findings li:not(.away)").count() == 2
    page.tab.keyboard.press("End")
    page.wait_for_grid(100)
    assert page.cursor() == at_end
    assert page.tab.locator(".findings li:not(.away)").count() == 1


def test_the_address_shows_a_step_and_follows_the_slider(open_page, file):
    page = open_page(file, "#step=70")
    page.wait_for_grid(60)
    assert page.now() == "step 70"
    assert page.tab.text_content("[data-series='0']") == "0.75"
    page.tab.keyboard.press("ArrowLeft")
    page.tab.wait_for_url("**#step=60")
    page.tab.evaluate("() => { location.hash = '#step=20'; }")
    page.wait_for_grid(20)


def test_play_runs_to_the_end_and_stops_without_loop(open_page, file):
    page = open_page(file, "#step=60")
    page.tab.uncheck("#loop")
    page.tab.click("#play")
    assert page.tab.get_attribute("#play", "aria-pressed") == "true"
    page.wait_for_grid(100)
    page.tab.wait_for_selector("#play[aria-pressed=false]")
    page.tab.check("#loop")
    page.tab.click("#play")
    page.wait_for_grid(20)


@pytest.mark.parametrize("size", [(1200, 900), (1366, 768), (400, 800)])
def test_the_first_screen_shows_the_whole_grid_and_its_caption(open_page, make_run, tmp_path, size):
    make_run(tmp_path / "a")
    file = write_report([tmp_path / "a"], tmp_path / "report.html")
    width, height = size
    page = open_page(file, viewport={"width": width, "height": height})
    page.wait_for_grid(100)
    bar, caption = (
        page.tab.locator(selector).bounding_box() for selector in (".bar", ".grid figcaption")
    )
    end = caption["y"] + caption["height"]
    assert end <= min(height, bar["y"])


@pytest.mark.parametrize("width", [360, 500, 620])
def test_the_names_of_numbers_are_not_broken_within_words(open_page, file, width):
    page = open_page(file, viewport={"width": width, "height": 740})
    heights = page.tab.evaluate(
        "() => [...document.querySelectorAll('.three dt')].map(name => name.clientHeight)"
    )
    assert heights
    assert max(heights) <= 52  # px, two lines


def test_a_finger_moves_through_the_pictures_of_a_phone(open_page, file):
    phone = {"width": 360, "height": 740}
    page = open_page(file, viewport=phone, has_touch=True, is_mobile=True)
    page.wait_for_grid(100)
    width = page.tab.evaluate("() => document.documentElement.scrollWidth")
    assert width <= 360
    page.tab.dispatch_event("canvas", "pointerdown", {"clientX": 340, "pointerId": 1})
    page.tab.dispatch_event("canvas", "pointermove", {"clientX": 20, "pointerId": 1})
    page.tab.dispatch_event("canvas", "pointerup", {"clientX": 20, "pointerId": 1})
    page.wait_for_grid(0)


def test_two_runs_of_different_length_share_the_slider(open_page, whole_run, make_run, tmp_path):
    make_run(tmp_path / "b", steps=60, grid_every=30, lr_d=0.01)
    page = open_page(write_report([whole_run, tmp_path / "b"], tmp_path / "two.html"))
    page.wait_for_grid(100, 60)
    page.tab.keyboard.press("ArrowLeft")
    page.tab.keyboard.press("ArrowLeft")
    page.tab.keyboard.press("ArrowLeft")
    page.wait_for_grid(40, 30)
    assert page.now() == "step 40"


def test_without_a_script_the_first_screen_and_the_curves_are_there(open_page, file):
    page = open_page(file, java_script_enabled=False)
    for selector in (".verdict", ".three", ".grid img", "svg", ".judged img"):
        assert page.tab.locator(selector).first.is_visible(), selector
    assert not page.tab.locator("#step").is_visible()


def test_hostile_names_are_shown_as_text(open_page, make_run, tmp_path):
    folder = tmp_path / HOSTILE.replace("/", "")
    run = make_run(folder)
    record = {"verdict": HOSTILE, "text": HOSTILE, "findings": []}
    record["findings"] = [{"name": HOSTILE, "kind": "alarm", "since": 5, "text": HOSTILE}]
    (folder / "doctor.json").write_text(json.dumps(record))
    settings = json.loads((folder / "run.json").read_text())
    settings |= {"data": [f"x{HOSTILE}"], "classes": [HOSTILE]}
    settings["versions"] = {HOSTILE: HOSTILE}
    (folder / "run.json").write_text(json.dumps(settings))
    names = [*log.columns(run.tricks), f"{HOSTILE}.p"]
    rows = [{"step": step, "r1": HOSTILE, f"{HOSTILE}.p": step} for step in (10, 20)]
    log.write_rows(folder, names, rows)
    page = open_page(write_report([folder], tmp_path / "hostile.html"))
    page.wait_for_grid(100)
    assert page.tab.locator("img[src=x]").count() == 0
    shown = HOSTILE.replace("\u202e", "?")
    assert shown in page.tab.text_content(".verdict")
    assert page.tab.text_content("[data-activity='1']") == shown
    text = page.tab.evaluate("() => document.body.innerText")
    assert "\u202e" not in text
    assert folder.name.replace("\u202e", "?") in text


def test_every_picture_chart_and_control_has_a_name_for_a_screen_reader(open_page, file):
    page = open_page(file)
    page.wait_for_grid(100)
    unnamed = page.tab.evaluate(
        """() => [...document.querySelectorAll("img, svg, canvas, input")]
        .filter((e) => !(e.alt || e.ariaLabel || e.closest("label"))).length"""
    )
    assert unnamed == 0
    page.tab.wait_for_selector("#step[aria-valuetext='step 100 of 100']")
    tags = "() => [...document.querySelectorAll('h1, h2, h3, h4')].map((h) => +h.tagName[1])"
    headings = page.tab.evaluate(tags)
    assert headings[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(headings))


def test_a_page_that_was_moved_needs_no_other_file(open_page, file, tmp_path):
    moved = shutil.copy(file, tmp_path / "moved.html")
    open_page(moved).wait_for_grid(100)
