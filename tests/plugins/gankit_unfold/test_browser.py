"""The page of unfolded steps in a real browser: stops, keys, address, questions, a phone."""

import re

import pytest
from gankit_unfold import unfold
from gankit_unfold.questions import questions_of

CURRENT = ".stop.current"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def unfolding(trained):
    return unfold(trained, "0,last")


@pytest.fixture(scope="module")
def file(unfolding, tmp_path_factory):
    return unfolding.write(tmp_path_factory.mktemp("page") / "page.html")


@pytest.fixture
def open_page(browser, file):
    """`open_page("#step=8&stop=4")`; the page must load nothing and complain about nothing."""
    contexts = []
    complaints = []
    requests = []

    def call(address="", **options):
        contexts.append(browser.new_context(**{"viewport": DESKTOP, **options}))
        tab = contexts[-1].new_page()
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(file.as_uri() + address)
        return tab

    yield call
    for context in contexts:
        context.close()
    assert complaints == []
    assert {url.partition("#")[0].partition(":")[0] for url in requests} <= {"file", "data"}
    assert {url.partition("#")[0] for url in requests if url.startswith("file")} == {file.as_uri()}


def place(tab):
    """The step and the stop that are shown."""
    (section,) = tab.locator(CURRENT).all()
    assert section.is_visible()
    return int(section.get_attribute("data-step")), int(section.get_attribute("data-stop"))


def test_keys_and_buttons_turn_over(open_page):
    tab = open_page()
    assert place(tab) == (1, 1)
    tab.keyboard.press("ArrowRight")
    assert place(tab) == (1, 2)
    assert tab.evaluate("location.hash") == "#step=1&stop=2"
    assert tab.evaluate("document.activeElement.textContent") == "D answers"
    tab.click("#next")
    assert place(tab) == (1, 3)
    tab.keyboard.press("ArrowLeft")
    tab.click("#back")
    assert place(tab) == (1, 1)
    assert tab.is_disabled("#back")


def test_the_address_names_a_step_and_a_stop(open_page):
    tab = open_page("#step=8&stop=10")
    assert place(tab) == (8, 10)
    assert tab.is_disabled("#next")
    assert tab.locator(".code.current").get_attribute("data-stop") == "10"
    tab.click("text=step 1")  # the same stop of another step
    assert place(tab) == (1, 10)
    tab.evaluate("location.hash = '#step=8&stop=99'")
    tab.wait_for_selector(f'{CURRENT}[data-step="8"][data-stop="1"]')


def test_an_answer_is_compared_before_it_is_shown(open_page, unfolding):
    questions = questions_of(unfolding.steps[-1])
    tab = open_page("#step=8&stop=1")
    current = tab.locator(CURRENT)
    compare = current.get_by_role("button", name="Compare")
    assert not current.locator(".answer .row").first.is_visible()
    compare.click()  # without an answer
    assert not current.locator(".answer .row").first.is_visible()
    current.locator(f'input[value="{questions[0].answer}"]').check()
    compare.click()
    assert current.locator(".answer .row").first.is_visible()
    assert current.locator("output").text_content().startswith("Right")
    tab.click("#next")
    number = int(questions[1].answer)
    wrong = 1 if number == 0 else 0
    current.locator("input").fill(str(wrong))
    tab.keyboard.press("ArrowRight")  # moves in the field, not to the next stop
    tab.keyboard.press("Enter")
    assert place(tab) == (8, 2)
    assert {str(wrong), str(number)} <= set(
        re.findall(r"\d+", current.locator("output").inner_text())
    )
    assert "1 of 2" in tab.locator("#score").text_content()


def test_a_phone_does_not_break_the_numbers_of_layers(open_page):
    tab = open_page("#step=8&stop=5", viewport=PHONE, has_touch=True)
    tab.locator(f"{CURRENT} summary").tap()
    heights = tab.locator(f"{CURRENT} :is(th, td)").evaluate_all(
        "cells => cells.map(cell => cell.clientHeight)"
    )
    assert len(heights) > 8
    assert max(heights) < 40  # px, one line


def test_without_script_all_stops_are_on_one_page(open_page):
    tab = open_page("#step=8&stop=4", java_script_enabled=False)
    assert len([each for each in tab.locator(".stop").all() if each.is_visible()]) == 20
    assert not tab.locator("#next").is_visible()
    answer = tab.locator('[id="step=8&stop=4"] .answer')
    answer.locator("summary").click()
    assert answer.locator(".picture").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_scrolling_to_the_side(open_page, scheme):
    tab = open_page("#step=8&stop=1", viewport=PHONE, color_scheme=scheme, has_touch=True)
    for stop in range(1, 11):
        assert place(tab) == (8, stop)
        tab.locator(f"{CURRENT} summary").tap()
        assert tab.evaluate("document.documentElement.scrollWidth") == 360
        if stop < 10:
            tab.locator("#next").tap()
