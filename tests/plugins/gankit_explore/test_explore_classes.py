"""The page of a run with class labels, in a real browser: buttons, walks and files have classes."""

import json

import numpy as np
import pytest
import torch
from browsing import opened_pages
from exploring import ExplorePage
from gankit_explore.directions import find_directions
from gankit_explore.page import write_page
from torch.nn import ConvTranspose2d

import gankit
from gankit.runs.provenance import read_provenance
from gankit.runs.walk_file import read_walk

COLOURS = ["red", "yellow", "white", "pink", "violet", "blue"]


@pytest.fixture(scope="module")
def sampler(tmp_path_factory, registry, tiny):
    """A generator of petals whose classes differ more than they do so early."""
    settings = tiny(dataset="petals:count=120", image_size=32, length="10 steps", batch_size=16)
    settings |= {"model": "dcgan64:base_channels=8", "class_labels": True}
    out = tmp_path_factory.mktemp("runs") / "colours"
    sampler = gankit.load(gankit.train(gankit.compose(**settings, out=str(out)), quiet=True))
    for name, weight in sampler.net.named_parameters():
        if ".scale." in name or ".shift." in name:
            weight.mul_(20)
    layers = [layer for layer in sampler.net.modules() if isinstance(layer, ConvTranspose2d)]
    layers[-1].weight.mul_(20)
    return sampler


@pytest.fixture(scope="module")
def file(sampler, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "explore.html"
    sentences = write_page([sampler], path)
    assert "at most 0." in sentences[1]
    return path


@pytest.fixture
def open_page(browser):
    with opened_pages(browser, ExplorePage) as call:
        yield call


def difference(page, expected):
    return np.abs(page.picture().astype(int) - np.asarray(expected).astype(int)).max()


def test_a_button_shows_the_same_z_in_its_class(open_page, file, sampler):
    page = open_page(file, "#seed=7@5").begin()
    assert difference(page, sampler.sample(7, label="blue")) <= 2
    page.changes(page.tab.click, "#classes button:nth-child(3)")
    assert difference(page, sampler.sample(7, label="white")) <= 2
    assert difference(page, sampler.sample(7, label="blue")) > 5
    assert page.tab.locator("#classes button").all_text_contents() == COLOURS
    assert page.tab.text_content("#command").endswith("--seeds 7 --class white")
    assert "class white" in page.tab.text_content("#what")
    page.tab.click("#after")  # a class stays while seeds change
    assert page.tab.text_content("#command").endswith("--seeds 8 --class white")


def test_classes_have_keys_and_fit_a_phone(open_page, file):
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    page = open_page(file, "#seed=7", **phone).begin()
    assert page.tab.evaluate("() => document.documentElement.scrollWidth") <= 360
    page.tab.focus("#classes button:nth-child(1)")
    page.tab.keyboard.press("ArrowRight")
    page.changes(page.tab.keyboard.press, "Enter")
    assert page.tab.get_attribute("#classes button:nth-child(2)", "aria-pressed") == "true"


def test_garden_and_map_show_the_class(open_page, file, sampler):
    page = open_page(file, "#seed=7@0").begin()
    page.changes(page.tab.click, "#classes button:nth-child(5)")
    page.changes(page.tab.click, "[aria-label='seed 9']")
    assert difference(page, sampler.sample(9, label="violet")) <= 2
    page.tool("map")
    page.changes(page.tab.press, "#map-box", "Shift+ArrowRight")
    assert difference(page, sampler.sample(10, label="violet")) <= 2


def test_a_walk_goes_from_class_to_class_and_its_file_has_them(open_page, file, sampler, tmp_path):
    page = open_page(file, "#tool=walk&picks=3@0,3@5,4@1:0.5@2:0.5").begin()
    assert page.tab.locator("#tray li").count() == 3
    page.changes(page.set_range, "#walk-at", 1000 / 6)
    shares = torch.tensor([[0.5, 0, 0, 0, 0, 0.5]])
    assert difference(page, sampler.frames(sampler.latents([3]), shares)[0]) <= 2
    assert "50 % red and 50 % blue" in page.tab.text_content("#what")
    saved = tmp_path / "directions.json"
    page.download("#walk-directions").save_as(saved)
    points = json.loads(saved.read_text())["points"]
    assert [point.get("class") for point in points[:2]] == ["red", "blue"]
    assert points[2]["class"] == [0, 0.5, 0.5, 0, 0, 0]
    walk = read_walk(saved, sampler.run.latent_dim, sampler.class_names)
    expected = torch.zeros(3, 6)
    expected[0, 0] = expected[1, 5] = 1
    expected[2, 1:3] = 0.5
    assert torch.equal(walk.shares, expected)


def test_arithmetic_takes_classes_apart(open_page, file, sampler):
    page = open_page(file, "#tool=arithmetic&picks=3@0,3@0,5@4").begin()
    page.changes(page.tab.click, "#sum-show")
    assert difference(page, sampler.sample(5, label="violet")) <= 2


def test_an_address_brings_back_the_class(open_page, file):
    page = open_page(file, "#seed=7@0").begin()
    page.changes(page.tab.click, "#classes button:nth-child(6)")
    page.tab.wait_for_function("() => location.hash.includes('seed=7@5')")
    other = open_page(file, "#" + page.tab.url.split("#")[1]).begin()
    assert difference(other, page.picture()) <= 1


@pytest.mark.parametrize("address", ["#seed=7", "#seed=7@6", "#seed=7@x"])
def test_an_address_of_no_such_class_shows_the_first(open_page, file, address):
    page = open_page(file, address).begin()
    assert page.tab.get_attribute("#classes button:nth-child(1)", "aria-pressed") == "true"


def test_a_saved_picture_names_its_class(open_page, file, tmp_path):
    page = open_page(file, "#seed=7@3").begin()
    page.download("#save").save_as(tmp_path / "saved.png")
    assert "--seeds 7 --class pink --checkpoint" in read_provenance(tmp_path / "saved.png").command


def test_directions_are_found_in_a_generator_with_classes(sampler):
    assert 1 < len(find_directions(sampler)) <= 6
