"""The page of unfolded steps, read as text: what it shows, without any script."""

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from gankit_unfold import unfold
from gankit_unfold.page import write_page
from gankit_unfold.questions import questions_of
from gankit_unfold.source import read_function
from gankit_unfold.steps import default_steps, parse_steps
from gankit_unfold.stops import STOPS

from gankit import GankitError

HOSTILE = '<img src=x onerror="alert(1)">\u202e</script>'


class Page(HTMLParser):
    """The elements of a page, and the text in each of its sections."""

    def __init__(self, text):
        super().__init__()
        self.elements = []  # (tag, attributes)
        self.sections = {}  # (step, stop) -> its text
        self.section = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        if tag == "section" and "data-step" in attributes:
            self.section = (int(attributes["data-step"]), int(attributes["data-stop"]))
            self.sections[self.section] = ""

    def handle_data(self, data):
        if self.section:
            self.sections[self.section] += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def unfolding(trained):
    return unfold(trained, "0,last")


@pytest.fixture(scope="module")
def text(unfolding, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    return unfolding.write(path).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_each_step_has_ten_stops_five_of_each_player(page, unfolding):
    assert [stop.player for stop in STOPS] == ["D"] * 5 + ["G"] * 5
    steps = [step.step for step in unfolding.steps]
    assert list(page.sections) == [(step, stop) for step in steps for stop in range(1, 11)]
    for (_, stop), said in page.sections.items():
        assert STOPS[stop - 1].title in said


def test_each_stop_has_a_place_in_the_address(page):
    places = {f"#{attributes['id']}" for attributes in page.all("section") if "id" in attributes}
    assert {"#step=1&stop=1", "#step=8&stop=10"} <= places
    links = {link["href"] for link in page.all("a")}
    assert links <= places  # they work without the script, too
    assert {"#step=1&stop=4", "#step=8&stop=10", "#code-3"} <= links


def test_a_stop_has_a_question_and_its_answer_is_folded(page, unfolding):
    forms = page.all("form")
    answers = [question.answer for step in unfolding.steps for question in questions_of(step)]
    assert [form["data-answer"] for form in forms] == answers
    folded = [each for each in page.all("details") if each.get("class") == "answer"]
    assert len(folded) == len(forms)
    assert not any("open" in each for each in folded)


def test_questions_have_an_answer_that_can_be_given(unfolding):
    for step in unfolding.steps:
        for question in questions_of(step):
            if question.choices:
                assert question.answer in question.choices
            else:
                assert 0 <= int(question.answer) <= question.highest


def test_losses_of_the_log_are_on_the_page(page, unfolding):
    last = unfolding.steps[-1]
    assert repr(last.numbers["d_loss"]) in page.sections[last.step, 3]
    assert repr(last.numbers["g_loss"]) in page.sections[last.step, 6]


def test_tricks_are_named_where_they_acted(page):
    assert (
        "smooth-labels in targets: changed 8 of 16 targets, the first from 1 to 0.9"
        in page.sections[8, 3]
    )
    assert "ema in after_update" in page.sections[8, 9]
    assert "ema in after_update" not in page.sections[8, 5]


def test_the_page_loads_nothing_and_runs_only_its_script(text, page):
    (policy,) = (meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'")
    script = re.search(r"<script>(.*)</script>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name in ("src", "style") for name in attributes)
    assert re.findall(r"url\((?!data:)", text) == []


def test_hostile_names_are_shown_as_text(unfolding, tmp_path):
    act = dataclasses.replace(unfolding.steps[0].acts[0], trick=HOSTILE, place="d_input")
    step = dataclasses.replace(unfolding.steps[0], acts=[act])
    run = dataclasses.replace(unfolding.run, out=str(tmp_path / "a<script>b"), data=(HOSTILE,))
    text = write_page(run, [step], {}, tmp_path / "page.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.all("img") == []
    assert len(page.all("script")) == 1
    assert '<img src=x onerror="alert(1)">?</script>' in page.sections[1, 1]


def test_code_is_read_from_the_file(page):
    for stop in STOPS:
        for code in stop.functions():
            assert any(line.is_marked for line in code.lines)
            assert code.lines[0].text.startswith(f"def {code.function}(")
    with pytest.raises(ValueError, match="no function 'go'"):
        read_function("go", ("judge(",))
    with pytest.raises(ValueError, match=r"draw\("):
        read_function("judge", ("draw(",))


@pytest.mark.parametrize(
    ("at", "names"),
    [("0,9", "9"), ("last,-1", "last,-1"), ("5.5", "5.5"), ("²", "²"), (",", ",")],
)
def test_steps_that_do_not_exist_are_refused(trained, at, names):
    with pytest.raises(GankitError, match=re.escape(names)) as error:
        unfold(trained, at)
    assert "--at" in str(error.value) or "at=" in str(error.value)


def test_default_steps_and_the_most_steps(tmp_path):
    assert default_steps([10, 20, 30, 40, 50]) == [1, 10, 30, 50]
    assert default_steps([1]) == [1]
    with pytest.raises(GankitError, match=r"51.*50"):
        parse_steps(",".join(map(str, range(1, 52))), [100], tmp_path)


def test_command_writes_a_page_or_prints_numbers(gankit_cli, here, trained):
    answer = gankit_cli("unfold", trained, "--at", "2", "--out", "a.html")
    assert (answer.code, answer.out.strip()) == (0, "a.html")
    assert (here / "a.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    answer = gankit_cli("unfold", trained, "--at", "2", "--json")
    record = json.loads(answer.out)
    assert [step["step"] for step in record["steps"]] == [2]
    assert record["compared"]["rows"] == 1
    assert len(record["steps"][0]["reals"]) == 8
    assert [path.name for path in here.iterdir()] == ["a.html"]


@pytest.mark.parametrize("out", ["a.txt", "none/a.html"])
def test_a_page_that_cannot_be_written_is_refused_at_once(gankit_cli, trained, out):
    answer = gankit_cli("unfold", trained, "--out", out)
    assert answer.code == 2
    assert out in answer.err
    assert "again" not in answer.err  # no step was taken
