"""A page that follows a run, in a real browser: what is new appears, and what you did stays."""

import shutil
import threading

import pytest
from gankit_report import follow
from gankit_report.follow import FollowedRuns

from gankit.cli.page.loopback import LoopbackServer
from gankit.runs.log import NAME

SLIDE = """(step) => {
    const range = document.getElementById("step");
    range.value = step;
    range.dispatchEvent(new Event("input"));
}"""


@pytest.fixture
def followed(trained, tmp_path, monkeypatch):
    """A copy of a run of 8 steps, and the server of its page."""
    monkeypatch.setattr(follow, "PAUSE", 0)
    folder = shutil.copytree(trained, tmp_path / "followed")
    server = LoopbackServer(FollowedRuns([folder]).answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield folder, server
    server.shutdown()
    server.server_close()
    thread.join()


def go_on(folder, step):
    """Add a row and a grid of a later step, as a run does."""
    shutil.copy(folder / "samples" / "000008.png", folder / "samples" / f"{step:06d}.png")
    log = (folder / NAME).read_text()
    row = log.splitlines()[-1].partition(",")[2]
    (folder / NAME).write_text(f"{log}{step},{row}\n")


def test_the_page_follows_keeps_your_place_and_outlives_the_server(followed, browser):
    folder, server = followed
    tab = browser.new_page()
    complaints = []
    requests = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(server.address)
    tab.wait_for_selector('canvas[data-step="8"]')
    tab.click("summary")
    go_on(folder, 10)
    tab.wait_for_selector('canvas[data-step="10"]', timeout=20_000)  # at the end, it stays there
    assert tab.get_attribute("#step", "max") == "10"
    assert tab.evaluate("document.querySelector('details').open")
    assert tab.evaluate("document.activeElement.tagName") == "SUMMARY"
    tab.evaluate(SLIDE, 4)
    tab.wait_for_selector('canvas[data-step="4"]')
    go_on(folder, 12)
    tab.wait_for_selector("#grid-0-12", state="attached", timeout=20_000)
    tab.wait_for_selector('#step[max="12"]')
    assert tab.text_content("#now") == "step 4"
    assert "12 of" in tab.text_content(".facts")
    assert all(url.startswith((server.address, "data:")) for url in requests)
    server.shutdown()
    server.server_close()
    tab.wait_for_selector('#following:has-text("no answer")', timeout=20_000)
    tab.evaluate(SLIDE, 12)
    tab.wait_for_selector('canvas[data-step="12"]')
    assert complaints == []
    tab.close()
