"""Two processes train a run; only the first one looks, and nothing waits for the other."""

import json

from gankit.runs.log import read_log

SCRIPT = """
import gankit_doctor.look.look as look
from gankit import compose, train

look.PICTURES_BETWEEN = 16
train(compose(
    dataset="petals:count=64", model="dcgan64:base_channels=4", image_size=16, batch_size=8,
    length="8 steps", log_every=2, device="cpu", precision="32", threads=1, tricks=["none"],
    sync_batch_norm=True, out="run",
))
"""


def test_only_the_first_process_looks(torchrun, tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT)
    done = torchrun("train.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    log = read_log(tmp_path / "run")
    assert [value == value for value in log["doctor.far"]] == [True] * 4
    assert json.loads((tmp_path / "run" / "doctor.json").read_text())["step"] == 8
