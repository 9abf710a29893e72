"""What `gankit explore` serves of a run, and everything that it does not."""

import json
import shutil
import sys
import threading

import pytest
from gankit_explore import served_run
from gankit_explore.program.lower import lower
from gankit_explore.served_run import ServedRun

import gankit
from gankit import GankitError
from gankit.cli.page.loopback import LoopbackServer
from gankit.training.checkpoints import checkpoint
from gankit.training.run_folder.folder_lock import FolderLock


@pytest.fixture(scope="module")
def made(trained, tmp_path_factory, registry):
    """The served run of a copy of `trained`, with checkpoints of steps 4 and 8."""
    folder = shutil.copytree(trained, tmp_path_factory.mktemp("explored") / "run")
    return ServedRun(folder, registry)


@pytest.fixture
def served(made, trained):
    """`made` as it was when it was made."""
    shutil.rmtree(made.folder)
    shutil.copytree(trained, made.folder)
    made.offered = [4, 8]
    made.seen = {4, 8}
    made.programs = {step: made.programs[step] for step in made.programs if step == 8}
    return made


def ask(served):
    reply = served.answer("checkpoints", "")
    assert reply.kind == "application/json"
    return json.loads(reply.content)


def save(served, step):
    """Save the newest checkpoint as that of a later step, as a run does."""
    folder = served.folder / "checkpoints"
    saved = checkpoint.load(checkpoint.list_checkpoints(folder)[0])
    checkpoint.save(folder, saved._replace(step=step), keep=2)


def test_the_page_asks_for_the_other_checkpoints(served):
    page = served.answer("", "").content.decode()
    assert "connect-src 'self'" in page
    assert 'id="weights-8"' in page
    assert 'id="weights-4"' not in page
    assert ask(served) == {"steps": [4, 8], "is_training": False}


def test_a_program_is_its_description_and_its_weights(served):
    content = served.answer("program/4", "").content
    start = 4 + int.from_bytes(content[:4], "little")
    sampler = gankit.load(served.folder, step=4)
    program = lower(sampler.net, sampler.run.latent_dim)
    assert json.loads(content[4:start]) == json.loads(json.dumps(program.describe()))
    assert content[start:] == program.weights()


def test_new_checkpoints_appear_and_old_ones_stay(served):
    with FolderLock(served.folder).acquire(""):
        assert ask(served)["is_training"]
        first = served.answer("program/4", "")
        save(served, 12)  # which deletes that of step 4
        assert ask(served)["steps"] == [4, 8, 12]
        assert served.answer("program/4", "") == first
        assert served.answer("program/12", "")
    assert not ask(served)["is_training"]


def test_a_page_gets_not_too_many_checkpoints(served, monkeypatch):
    monkeypatch.setattr(served_run, "MAX_CHECKPOINTS", 3)
    for step, expected in ((12, [4, 8, 12]), (24, [4, 12, 24])):
        assert served.answer("program/4", "")
        save(served, step)
        assert ask(served)["steps"] == expected
    assert served.answer("program/8", "") is None


def test_an_unfinished_checkpoint_is_not_offered_and_a_hostile_one_is_refused(served, caplog):
    checkpoints = served.folder / "checkpoints"
    (checkpoints / ".step-000012.writing").mkdir()
    (checkpoints / "step-000016").mkdir()
    (checkpoints / "step-000016" / "manifest.json").write_text('{"sha256": [')
    assert ask(served)["steps"] == [4, 8, 16]
    with pytest.raises(GankitError, match="step-000016"):
        served.answer("program/16", "")
    assert "step-000016" in caplog.text
    assert ask(served)["steps"] == [4, 8]
    assert served.answer("program/8", "")


@pytest.mark.parametrize(
    "path",
    [
        "program/", "program/5", "program/8/", "program/8%00", "program/8\0", "program/+8",
        "program/%38", "program/../8", "../run.json", "run.json", "checkpoints/", "page",
        "checkpoints/step-000008/model.safetensors", "program/" + 500 * "8",
    ],
)  # fmt: skip
def test_nothing_else_of_the_run_can_be_asked_for(served, path):
    assert served.answer(path, "") is None


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_checkpoint_that_leads_out_of_the_run_is_refused(served, tmp_path):
    other = tmp_path / "other"
    (served.folder / "checkpoints" / "step-000004").rename(other)
    (served.folder / "checkpoints" / "step-000004").symlink_to(other)
    with pytest.raises(GankitError, match="other"):
        served.answer("program/4", "")


@pytest.fixture
def server(served):
    server = LoopbackServer(served.answer)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_page_that_is_opened_again_shows_the_step_of_its_address(served, server, browser):
    tab = browser.new_page()
    for open_page in (lambda: tab.goto(f"{server.address}#seed=12&step=4"), tab.reload):
        open_page()
        tab.wait_for_selector("#picture[data-shown='12 4']", timeout=20_000)
        tab.wait_for_timeout(400)  # ms, until the address is written
        assert "step=4" in tab.url
    tab.goto("about:blank")
    tab.goto(f"{server.address}#step=5")  # which the run does not have
    tab.wait_for_function("() => location.hash.includes('step=8')", timeout=20_000)
    tab.close()


def test_a_page_in_a_browser_gets_the_checkpoints_of_a_run_that_trains(served, server, browser):
    tab = browser.new_page()
    complaints = []
    requests = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: requests.append(request.url))
    with FolderLock(served.folder).acquire(""):
        tab.goto(server.address)
        tab.wait_for_selector('#time[max="1"]', state="attached", timeout=20_000)  # steps 4 and 8
        save(served, 12)
        tab.wait_for_selector('#time[max="2"]', state="attached", timeout=20_000)
        tab.wait_for_selector('#time-step:has-text("12")', timeout=20_000)
    tab.close()
    assert complaints == []
    assert all(url.startswith((server.address, "blob:", "data:")) for url in requests)
