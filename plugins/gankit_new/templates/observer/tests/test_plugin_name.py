"""The plugin follows gankit's rules."""

import tempfile

import plugin_name

import gankit


def test_the_observer_writes_a_line_for_each_step() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = gankit.compose(out=folder)
        for step in (10, 20):
            plugin_name.step_done(run, step, {"d_loss": step / 100})
        text = (run.folder / "plugin-name.csv").read_text(encoding="utf-8")
    assert text == "10,0.1000\n20,0.2000\n"
