"""The page one plays with, in a real browser: each control changes the picture that it draws."""

import dataclasses
import itertools
import json
import re
import struct

import numpy as np
import pytest
from browsing import opened_pages
from exploring import ExplorePage
from gankit_explore.directions import find_directions
from gankit_explore.page import MAX_CHECKPOINTS, render, thin_out, write_page
from gankit_explore.program.lower import lower
from gankit_explore.show import ShownPage
from PIL import Image
from torch.nn import ConvTranspose2d

import gankit
from gankit.runs.provenance import read_provenance

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&\u202e"
UNNAMED = """() => [...document.querySelectorAll("button, input, select, canvas")]
    .filter((e) => !(e.ariaLabel || e.ariaHidden || e.closest("label") || e.textContent.trim()))
    .map((e) => e.outerHTML)"""

TAB_STOPS = """(group) => [...document.querySelectorAll(`${group} button`)]
    .map((button, index) => (button.tabIndex < 0 ? null : index))
    .filter((index) => index !== null)"""

SCROLLED_TO = """(seed) => {
    const wall = document.getElementById("wall");
    wall.scrollTop = 1e9;
    return Number(wall.querySelector(".tile:last-child .number").textContent) > seed;
}"""


@pytest.fixture(scope="module")
def run(tmp_path_factory, registry, tiny):
    """A finished run with checkpoints at the steps 10 and 20."""
    settings = tiny(dataset="petals:count=200", image_size=32, length="20 steps", save_every=10)
    settings |= {"model": "dcgan64:base_channels=8", "batch_size": 16}
    out = tmp_path_factory.mktemp("runs") / "explored"
    return gankit.train(gankit.compose(**settings, out=str(out)))


@pytest.fixture(scope="module")
def samplers(run):
    """G at both steps, with more contrast than G has so early, so that no two seeds look alike."""
    samplers = [gankit.load(run, step=step) for step in (10, 20)]
    for sampler in samplers:
        layers = [layer for layer in sampler.net.modules() if isinstance(layer, ConvTranspose2d)]
        layers[-1].weight.mul_(40)
    return samplers


@pytest.fixture(scope="module")
def file(samplers, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "explore.html"
    write_page(samplers, path)
    return path


@pytest.fixture
def open_page(browser):
    """`open_page(file, "#seed=3")`; the page must ask for nothing but itself, and not complain."""
    with opened_pages(browser, ExplorePage) as call:
        yield call


@pytest.fixture(scope="module")
def shared(browser, file):
    """One page for the tests of single controls."""
    page = ExplorePage(browser, file).begin()
    yield page
    page.context.close()
    page.require_silence()


def test_a_seed_gives_the_picture_that_pytorch_gives(open_page, file, samplers):
    for step, sampler in ((10, samplers[0]), (20, samplers[1])):
        page = open_page(file, f"#seed=7&step={step}").begin()
        expected = np.asarray(sampler.sample(7)).astype(int)
        assert np.abs(page.picture() - expected).max() <= 2
        other = np.asarray(sampler.sample(8)).astype(int)
        assert np.abs(other - expected).max() > 5


def test_the_command_names_the_seed_and_an_earlier_checkpoint(open_page, file):
    page = open_page(file, "#seed=7").begin()
    assert page.tab.text_content("#command").endswith("explored --seeds 7")
    page.set_range("#time", 0)
    assert page.tab.text_content("#command").endswith("--seeds 7 --checkpoint 10")
    page.set_range("#direction-0 > input", 2)
    assert not page.tab.is_visible("#command")


CONTROLS = {
    "seed": lambda page: page.tab.fill("#seed", "4") or page.tab.press("#seed", "Enter"),
    "next": lambda page: page.tab.click("#after"),
    "before": lambda page: page.tab.click("#before"),
    "surprise": lambda page: page.tab.click("#random"),
    "time": lambda page: page.set_range("#time", 0),
    "time thumbnail": lambda page: page.tab.click("#time-film button:last-child"),
    "#time-play": lambda page: page.tab.click("#time-play"),
    "garden": lambda page: page.tab.click("[aria-label='seed 9']"),
    "tray": lambda page: page.tab.click("#tray li:nth-child(2) .tile"),
    "walk slider": lambda page: page.tool("walk").set_range("#walk-at", 300),
    "#walk-play": lambda page: page.tool("walk").tab.click("#walk-play"),
    "slider": lambda page: page.tool("sliders").set_range("#direction-0 > input", 4),
    "film": lambda page: page.tool("sliders").tab.click("#direction-1 .film button:first-child"),
    "sliders reset": lambda page: page.tool("sliders").tab.click("#sliders-reset"),
    "arithmetic": lambda page: page.tool("arithmetic").tab.select_option("#sum-a", "1"),
    "arithmetic swap": lambda page: page.tool("arithmetic").tab.select_option("#sum-c", "0"),
    "map pointer": lambda page: page.tool("map").tab.hover("#map-box", position={"x": 40, "y": 90}),
    "map keys": lambda page: page.tool("map").tab.press("#map-box", "ArrowLeft"),
    "map snap": lambda page: page.tool("map").tab.check("#map-snap"),
    "unit": lambda page: page.tool("units").tab.click("#units button:nth-child(3)"),
    "units reset": lambda page: page.tool("units").tab.click("#units-reset"),
}


def test_each_control_changes_the_picture(shared):
    shared.tab.click("#some")
    for name, act in CONTROLS.items():
        shared.settle()
        try:
            shared.changes(act, shared)
        except Exception as error:
            raise AssertionError(f"the picture stays the same: {name}") from error
        if name.endswith("-play"):
            shared.tab.click(name)  # stop it


def test_an_address_brings_back_the_picture_the_picks_and_the_tool(open_page, file):
    page = open_page(file, "#seed=3&picks=3,17,5*0.6~9*0.8").begin().tool("sliders")
    page.changes(page.set_range, "#direction-1 > input", -3)
    page.changes(page.tool("units").tab.click, "#units button:nth-child(2)")
    page.changes(page.set_range, "#time", 0)
    page.tab.wait_for_function("() => /off=/.test(location.hash) && /step=10/.test(location.hash)")
    other = open_page(file, "#" + page.tab.url.split("#")[1]).begin()
    assert np.abs(page.picture().astype(int) - other.picture()).max() <= 1
    assert other.tab.locator("#tray li").count() == 3
    assert other.tab.get_attribute("#tab-units", "aria-selected") == "true"


def test_an_address_may_encode_its_commas(open_page, file):
    page = open_page(file, "#seed=3&picks=3%2C5%2A0.6%7E9%2A0.8").begin()
    assert page.tab.locator("#tray span").all_text_contents() == ["3", "blend"]


@pytest.mark.parametrize("address", ["#seed=-1&step=7&tool=x&picks=,,", "#at=1*~!&off=%E0%A4%A:1"])
def test_an_address_that_makes_no_sense_shows_seed_0(open_page, file, address):
    page = open_page(file, address).begin()
    assert page.tab.input_value("#seed") == "0"
    assert page.tab.locator("#tray li").count() == 0


def test_the_page_says_how_many_pictures_it_keeps(open_page, file):
    page = open_page(file, f"#seed=30&picks={','.join(map(str, range(24)))}").begin()
    page.tab.click("[aria-label='seed 24']")
    assert page.tab.text_content("#count") == "24"
    assert "at most 24" in page.tab.text_content("#limit")
    for button in ("#pick", "#some", "#sum-pick"):
        assert page.tab.locator(button).is_disabled(), button
    page.tab.click("#tray li:first-child .remove")
    assert page.tab.text_content("#limit") == ""
    page.tab.click("#pick")
    assert page.tab.text_content("#count") == "24"
    assert page.tab.locator("#pick").is_enabled()  # it is picked


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("#picks=1,2,3", "#tray"),
        ("", "#time-film"),
        ("#tool=sliders", "#direction-0 .film"),
        ("#tool=units", "#units"),
    ],
)
def test_the_tab_key_reaches_a_group_once_and_returns_to_its_place(open_page, file, address, group):
    page = open_page(file, address).begin()
    (first,) = page.tab.evaluate(TAB_STOPS, group)
    page.tab.locator(f"{group} button").nth(first).focus()
    page.tab.keyboard.press("ArrowRight")
    (second,) = page.tab.evaluate(TAB_STOPS, group)
    assert second > first
    page.tab.keyboard.press("Tab")
    page.tab.keyboard.press("Shift+Tab")
    button = page.tab.locator(f"{group} button").nth(second)
    assert button.evaluate("(button) => button === document.activeElement")


@pytest.mark.parametrize("key", ["Delete", "Backspace"])
def test_a_key_removes_a_pick_and_stays_in_the_tray(open_page, file, key):
    page = open_page(file, "#picks=1,2,3").begin()
    page.tab.focus("#tray li:nth-child(2) .tile")
    page.tab.keyboard.press(key)
    assert page.tab.locator("#tray span").all_text_contents() == ["1", "3"]
    assert page.tab.evaluate("() => document.activeElement.ariaLabel") == "show seed 3"
    assert page.tab.evaluate(TAB_STOPS, "#tray") == [2]  # the second tile


def test_the_garden_has_no_end_and_keeps_only_what_is_in_sight(open_page, file):
    page = open_page(file).begin()
    page.tab.wait_for_function(SCROLLED_TO, arg=600)
    page.tab.wait_for_function("""() => [...document.querySelectorAll("#wall .tile")]
        .every((tile) => tile.dataset.step === "20")""")
    numbers = page.tab.locator("#wall .number").all_text_contents()
    assert min(map(int, numbers[1:])) > 400  # the first is the one that the Tab key reaches
    assert len(numbers) < 150


def test_keys_walk_through_the_garden_and_pick(open_page, file):
    page = open_page(file).begin()
    page.tab.focus("[aria-label='seed 0']")
    page.tab.keyboard.press("ArrowRight")
    page.tab.keyboard.press("ArrowDown")
    page.changes(page.tab.keyboard.press, "Enter")
    columns = int(page.tab.input_value("#seed")) - 1
    assert columns > 3
    assert page.tab.locator("#tray li").count() == 1
    assert page.tab.get_attribute(f"[aria-label='seed {columns + 1}']", "aria-pressed") == "true"
    page.tab.keyboard.press("Enter")
    assert page.tab.locator("#tray li").count() == 0


def test_a_saved_picture_tells_how_to_draw_it_again(open_page, file, run, tmp_path):
    page = open_page(file, "#seed=7&step=10").begin()
    page.tab.select_option("#size", "0")
    saved = tmp_path / "saved.png"
    page.download("#save").save_as(saved)
    provenance = read_provenance(saved)
    assert provenance.command.endswith("--seeds 7 --checkpoint 10")
    assert (provenance.seed, provenance.step) == (7, 10)
    assert provenance.run.startswith("gankit run")
    with Image.open(saved) as picture:
        assert np.array_equal(np.asarray(picture.convert("RGB")), page.picture())
    page.tab.select_option("#size", "512")
    page.download("#save").save_as(saved)
    with Image.open(saved) as picture:
        assert picture.size == (512, 512)


def test_a_picture_is_saved_as_it_was_asked_for(open_page, file, samplers, tmp_path):
    page = open_page(file, "#seed=7").begin()
    page.tab.select_option("#size", "0")
    with page.tab.expect_download() as download:
        page.tab.evaluate(
            "() => ['after', 'save'].forEach((id) => document.getElementById(id).click())"
        )
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    assert saved.name == "seed-8-step-20.png"
    assert read_provenance(saved).seed == 8
    with Image.open(saved) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert np.abs(pixels - np.asarray(samplers[1].sample(8))).max() <= 2


def test_a_walk_that_ended_plays_again_from_its_start(open_page, file):
    page = open_page(file, "#tool=walk&picks=3,5").begin()
    page.tab.uncheck("#walk-loop")
    page.set_range("#walk-at", 1000)
    page.tab.click("#walk-play")
    page.tab.wait_for_function("() => document.getElementById('walk-at').value < 500")
    page.tab.wait_for_selector("#walk-play[aria-pressed=false]")
    assert page.tab.input_value("#walk-at") == "1000"


def test_a_walk_is_saved_as_strip_film_and_directions(open_page, file, samplers, tmp_path):
    page = open_page(file, "#tool=walk&picks=3,5*0.6~9*0.8").begin()
    page.set_range("#walk-speed", 0.4)
    saved = tmp_path / "walk.png"
    page.download("#walk-save").save_as(saved)
    provenance = read_provenance(saved)  # a strip is of no single seed
    assert (provenance.command, provenance.seed, provenance.step) == ("", None, 20)
    with Image.open(saved) as strip:
        assert strip.height == 32
        assert strip.width >= 10 * 32
    directions = json.loads(page.download("#walk-directions").path().read_text())
    points = directions.pop("points")
    assert directions == {
        "gankit": "walk",
        "version": 1,
        "latent_dim": samplers[0].run.latent_dim,
        "seconds_per_picture": 0.4,
        "loop": True,
    }
    z = samplers[0].latents([5, 9])
    assert points[0] == {"seed": 3}
    assert np.allclose(points[1]["z"], (0.6 * z[0] + 0.8 * z[1]).numpy(), atol=1e-5)
    film = page.download("#walk-film")
    assert film.suggested_filename.split(".")[1] in ("mp4", "webm")
    assert film.path().stat().st_size > 1000


def test_blends_of_the_map_spread_as_widely_as_seeds(open_page, file):
    page = open_page(file, "#tool=map&seed=0").begin()
    page.changes(page.tab.press, "#map-box", "ArrowRight")
    page.changes(page.tab.press, "#map-box", "ArrowDown")
    page.tab.wait_for_function("() => location.hash.includes('at=')")
    parts = page.tab.url.split("at=")[1].split("&")[0].split("~")
    weights = {int(seed): float(weight) for seed, weight in (part.split("*") for part in parts)}
    assert set(weights) == {0, 1, 100, 101}
    assert sum(weight**2 for weight in weights.values()) == pytest.approx(1, abs=1e-4)
    page.tab.check("#map-snap")
    assert page.tab.input_value("#seed") == "0"


def test_a_click_on_the_map_keeps_the_picture_until_the_next(open_page, file):
    page = open_page(file, "#tool=map&seed=0").begin()
    page.tab.click("#map-box", position={"x": 200, "y": 200})
    kept = page.tab.text_content("#map-where")
    page.tab.hover("#map-box", position={"x": 60, "y": 60})
    assert page.tab.text_content("#map-where") == kept
    page.tab.click("#map-box", position={"x": 60, "y": 60})
    assert page.tab.text_content("#map-where") != kept


def test_the_map_returns_to_its_picture_when_the_mouse_leaves(open_page, file):
    page = open_page(file, "#tool=map&seed=7").begin()
    kept = page.picture()
    where = page.tab.text_content("#map-where")
    page.changes(lambda: page.tab.hover("#map-box", position={"x": 60, "y": 60}))
    page.changes(lambda: page.tab.hover("#what"))
    assert np.array_equal(page.picture(), kept)
    assert page.tab.text_content("#map-where") == where
    assert page.tab.input_value("#seed") == "7"
    page.changes(lambda: page.tab.click("#map-box", position={"x": 60, "y": 60}))
    clicked = page.tab.text_content("#what")
    page.tab.hover("#what")
    assert page.tab.text_content("#what") == clicked != "Seed 7 at step 20"


def test_three_picks_are_the_sum_that_arithmetic_begins_with(open_page, file):
    page = open_page(file).begin()
    for seed in (3, 5, 9):
        page.tab.click(f"[aria-label='seed {seed}']")
    page.tool("arithmetic")
    assert [page.tab.input_value(f"#sum-{letter}") for letter in "abc"] == ["0", "1", "2"]


def test_arithmetic_keeps_its_pictures_while_others_are_removed(open_page, file):
    page = open_page(file, "#tool=arithmetic&picks=1,2,3,4,5").begin()
    for letter, index in (("a", "3"), ("b", "4"), ("c", "2")):
        page.tab.select_option(f"#sum-{letter}", index)
    page.tab.click("#tray li:first-child .remove")
    shown = [
        page.tab.locator(f"#sum-{letter} option:checked").text_content().partition(": ")[2]
        for letter in "abc"
    ]
    assert shown == ["seed 4", "seed 5", "seed 3"]


def test_what_is_not_a_seed_leaves_the_picture(open_page, file):
    page = open_page(file, "#seed=7").begin()
    page.tab.fill("#seed", "abc")
    page.tab.press("#seed", "Enter")
    assert page.tab.input_value("#seed") == "7"
    assert "Seed 7" in page.tab.text_content("#what")


def test_a_phone_shows_each_tool_without_scrolling_sideways(open_page, file):
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    page = open_page(file, "#picks=1,2,3", **phone).begin()
    for tool in ("garden", "walk", "sliders", "arithmetic", "units", "map"):
        page.tab.tap(f"[data-tool={tool}]")
        assert page.tab.evaluate("() => document.documentElement.scrollWidth") <= 360
    assert not page.tab.is_checked("#films")
    page.changes(page.tab.tap, "#map-box")


def test_everything_has_a_name_for_a_screen_reader(open_page, file):
    page = open_page(file, "#picks=1,2,3").begin()
    unnamed = page.tab.evaluate(UNNAMED)
    assert unnamed == []
    headings = page.tab.evaluate(
        "() => [...document.querySelectorAll('h1, h2, h3')].map((h) => +h.tagName[1])"
    )
    assert headings[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(headings))
    page.tab.click("#after")
    page.tab.wait_for_function("() => /seed 1 /.test(document.getElementById('live').textContent)")


def test_names_that_are_code_are_shown_as_text(open_page, samplers, tmp_path):
    sampler = gankit.load(samplers[1].run.folder)
    dataset = dataclasses.replace(sampler.run, data=(HOSTILE,), classes=(HOSTILE,))
    sampler.run = dataclasses.replace(dataset, out=str(tmp_path / HOSTILE.replace("/", "")))
    file = tmp_path / "hostile.html"
    file.write_text(render([sampler], title=HOSTILE), encoding="utf-8")
    page = open_page(file).begin()
    shown = HOSTILE.replace("\u202e", "?")
    assert page.tab.text_content("h1") == shown
    assert shown.replace("/", "")[:20] in page.tab.text_content("#command")
    assert page.tab.locator("img").count() == 0
    assert "\u202e" not in page.tab.evaluate("() => document.body.innerText")


def test_without_a_script_the_page_says_so(open_page, file):
    assert not open_page(file).begin().tab.is_visible(".unscripted")
    page = open_page(file, java_script_enabled=False)
    assert page.tab.is_visible(".unscripted")
    assert not page.tab.is_visible("#picture")


def in_notebook(page, policy):
    shown = ShownPage("page", page=page)._repr_html_()
    return "<!doctype html>" + shown.replace('allow="fullscreen"', policy)


@pytest.mark.parametrize(("policy", "can_fill"), [('allow="fullscreen"', True), ("", False)])
def test_a_page_in_a_notebook_fills_the_screen_where_it_may(
    browser, file, tmp_path, policy, can_fill
):
    notebook = tmp_path / "notebook.html"
    notebook.write_text(in_notebook(file.read_text("utf-8"), policy), "utf-8")
    tab = browser.new_page()
    tab.goto(notebook.as_uri())
    frame = tab.frames[1]
    frame.wait_for_selector("html[data-first]")
    assert frame.is_visible("#full") == can_fill
    if can_fill:
        frame.click("#full")
        frame.wait_for_function("() => document.fullscreenElement?.id === 'frame'")
    tab.close()


def test_a_browser_that_refuses_full_screen_still_draws(open_page, file):
    page = open_page(file).begin()
    page.tab.evaluate(
        "() => { Element.prototype.requestFullscreen = () => Promise.reject(new TypeError()); }"
    )
    page.tab.click("#full")
    page.tab.wait_for_function("() => /refused/.test(document.getElementById('live').textContent)")
    assert not page.tab.is_visible("#failed")


def test_the_page_says_if_its_engine_fails(open_page, file, tmp_path):
    damaged = tmp_path / "damaged.html"
    page = re.sub(r'(id="weights-10">)[^<]+', r"\1?", file.read_text("utf-8"))
    damaged.write_text(page, "utf-8")
    page = open_page(damaged).begin()
    page.set_range("#time", 0)
    page.tab.wait_for_selector("#failed")


def test_a_page_that_follows_adds_checkpoints_and_goes_on_to_the_newest(browser, samplers):
    served = {"checkpoints": {"steps": [10, 20], "is_training": True}}
    program = lower(samplers[1].net, samplers[1].run.latent_dim)
    description = json.dumps(program.describe()).encode()
    body = struct.pack("<I", len(description)) + description + program.weights()
    html = render(samplers[:1], title="following", follow=True)

    def answer(route):
        path = route.request.url.split("/word/")[1]
        if path == "checkpoints":
            route.fulfill(json=served["checkpoints"])
        elif path.startswith("program/"):
            route.fulfill(body=body, content_type="application/octet-stream")
        else:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")

    context = browser.new_context()
    tab = context.new_page()
    complaints = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.route("**/word/**", answer)
    tab.goto("http://127.0.0.1/word/")
    tab.wait_for_selector("#picture[data-shown='0 20']")
    assert tab.locator("#time-film button").count() == 2
    served["checkpoints"]["steps"] += range(30, 130, 10)  # more than a page keeps
    tab.wait_for_selector("#picture[data-shown='0 120']", timeout=20_000)
    assert tab.locator("#time-film button").count() == MAX_CHECKPOINTS
    assert not tab.is_visible("#failed")
    context.close()
    assert complaints == []


def test_at_most_eight_checkpoints_are_kept_evenly():
    steps = list(range(100, 2100, 100))
    kept = thin_out(steps)
    assert len(kept) == MAX_CHECKPOINTS
    assert (kept[0], kept[-1]) == (100, 2000)
    assert max(np.diff(kept)) - min(np.diff(kept)) <= 100
    assert thin_out(steps[:3]) == steps[:3]


def test_directions_are_few_different_and_the_same_each_time(samplers):
    directions = find_directions(samplers[1])
    again = find_directions(samplers[1])
    assert 1 < len(directions) <= 6
    vectors = np.stack([direction.z for direction in directions])
    cosines = np.abs(vectors @ vectors.T)
    assert np.allclose(np.diag(cosines), 1, atol=1e-5)
    assert (cosines - np.eye(len(vectors))).max() < 0.75
    assert np.allclose(vectors, [direction.z for direction in again], atol=1e-5)
    changes = [direction.change for direction in directions]
    assert changes == sorted(changes, reverse=True)
