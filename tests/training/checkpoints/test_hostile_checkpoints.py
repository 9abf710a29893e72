"""A checkpoint with right hashes may contain anything: it is loaded as it is, or passed over."""

import copy
import dataclasses
import hashlib
import json
import os
import random
import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch

import gankit
from gankit import GankitError, compose, train
from gankit.cli.run.from_options import resumed
from gankit.training.assemble import assemble, resolve_auto
from gankit.training.checkpoints import checkpoint
from gankit.training.checkpoints.resume import restore
from gankit.training.run_folder.run_file import load_run

TRICKS = ("ema", "ada", "replay:size=16", "lecam", "historical-averaging", "lr-decay")
FILES = ("model.safetensors", "state.safetensors", "state.json")
EXTREME = "9" * 5000


@pytest.fixture(scope="module")
def original(tmp_path_factory, registry, tiny):
    """A finished run with checkpoints of steps 4 and 8; do not change it."""
    folder = tmp_path_factory.mktemp("hostile") / "run"
    settings = tiny(length="8 steps", save_every=4, tricks=TRICKS)
    return train(compose(registry, **settings, out=str(folder)), registry)


@pytest.fixture
def run(original, tmp_path):
    """A copy of the run."""
    return shutil.copytree(original, tmp_path / "run")


@pytest.fixture(scope="module")
def trainer(original, registry):
    """A trainer of the run, for all tests: what it restores must replace all that it had."""
    settings = load_run(original)
    prepared = gankit.prepare(settings, registry, lambda done, total: None)
    return assemble(resolve_auto(settings, prepared), registry, prepared)


def newest(run):
    return run / "checkpoints" / "step-000008"


def read(path):
    """The trees and the tensors of a checkpoint's files."""
    trees = json.loads((path / "state.json").read_text())
    names = ("model", "state")
    return trees, {
        n: safetensors.torch.load((path / f"{n}.safetensors").read_bytes()) for n in names
    }


def write(path, contents):
    """Write files of a checkpoint, and a manifest that agrees with them."""
    for name, data in contents.items():
        (path / name).write_bytes(data)
    hashes = {name: hashlib.sha256((path / name).read_bytes()).hexdigest() for name in FILES}
    (path / "manifest.json").write_text(json.dumps({"sha256": hashes}))


def write_trees(path, trees, tensors=None):
    contents = {"state.json": json.dumps(trees).encode()}
    for name, of_file in (tensors or {}).items():
        contents[f"{name}.safetensors"] = safetensors.torch.save(of_file)
    write(path, contents)


def held_by(trainer):
    """All that a trainer has to restore, as a tree of plain values."""
    gan = trainer.gan
    players = (gan.G, gan.D)
    return plain(
        {
            "step": gan.step,
            "model": {
                "sampler": gan.sampler.state_dict(),
                **{player.name: player.net.state_dict() for player in players},
            },
            "optimizers": {player.name: player.adam.state_dict() for player in players},
            "tricks": {trick.name: trick.state_dict() for trick in trainer.tricks},
        }
    )


def held_in(saved, trainer):
    """All that a checkpoint has to restore; options of other versions of torch may be missing."""
    state = saved.state
    for player in (trainer.gan.G, trainer.gan.D):
        groups = state[player.name]["param_groups"]
        state[player.name]["param_groups"] = [{**player.adam.defaults, **g} for g in groups]
    return plain(
        {
            "step": saved.step,
            "model": saved.model,
            "optimizers": {name: state[name] for name in "GD"},
            "tricks": state["tricks"],
        }
    )


def plain(tree):
    if isinstance(tree, torch.Tensor):
        return str(tree.dtype), list(tree.shape), tree.contiguous().numpy().tobytes()
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [plain(value) for value in tree]
    return tree


class Judge:
    """Restores a trainer from an altered run, and collects what was not as it should be."""

    def __init__(self, run, trainer, registry, caplog):
        self.run = run
        self.trainer = trainer
        self.trainer.run = dataclasses.replace(trainer.run, out=str(run))
        self.registry = registry
        self.caplog = caplog
        self.older = held_in(checkpoint.load(run / "checkpoints" / "step-000004"), trainer)
        self.expected_picture = gankit.load(run, step=4, registry=registry).images(self.z(4))
        self.failures = []
        self.refused = 0
        self.loaded = 0

    def z(self, step):
        return gankit.load(self.run, step=step, registry=self.registry).latents([7])

    def look(self, name, *, must_refuse=True, samples=False):
        """Restore; the trainer must then hold step 4, or exactly what step 8 says now."""
        self.caplog.clear()
        try:
            restore(self.trainer)
            self._compare(name, must_refuse)
            if samples:
                sampler = gankit.load(self.run, registry=self.registry)
                same = torch.equal(sampler.images(sampler.latents([7])), self.expected_picture)
                if (sampler.step, same) != (4, True):
                    self.failures.append((name, f"sampled from step {sampler.step}"))
        except Exception as error:
            self.failures.append((name, f"{type(error).__name__}: {error}"[:200]))

    def _compare(self, name, must_refuse):
        lines = [record.getMessage() for record in self.caplog.records]
        if self.trainer.gan.step == 4:
            self.refused += 1
            if held_by(self.trainer) != self.older:
                self.failures.append((name, "half of it was loaded"))
            if len(lines) != 1 or "step-000008" not in lines[0] or "\n" in lines[0]:
                self.failures.append((name, f"not one reason: {lines}"))
            elif len(lines[0]) > 700:
                self.failures.append((name, "a reason of {len(lines[0])} letters"))
            return
        self.loaded += 1
        if must_refuse:
            self.failures.append((name, "was loaded"))
        if held_by(self.trainer) != held_in(checkpoint.load(newest(self.run)), self.trainer):
            self.failures.append((name, "was loaded as something else"))
        self.trainer.step(8)  # what was accepted can be trained with


@pytest.fixture
def judge(run, trainer, registry, caplog):
    return Judge(run, trainer, registry, caplog)


def nodes_of(tree, path=()):
    """The paths of all values in a tree of JSON."""
    yield path
    children = enumerate(tree) if isinstance(tree, list) else ()
    children = tree.items() if isinstance(tree, dict) else children
    for key, value in children:
        yield from nodes_of(value, (*path, key))


def replaced(tree, path, value):
    """A copy of a tree with another value at a path; DELETE removes it."""
    if not path:
        return value
    tree = copy.deepcopy(tree)
    parent = tree
    for key in path[:-1]:
        parent = parent[key]
    if value is DELETE:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return tree


DELETE = object()
VALUES = [
    DELETE, None, True, -1, 3, 10**30, -1e30, 1e308, float("nan"), float("inf"), "", "x" * 100_000,
    [], {}, [[]], {"tensor": 3}, {"tensor": "missing"}, {"tensor": "/D/main.0.weight"},
    {"dict": 3}, {"dict": []}, {"dict": [[[], 1]]}, {"dict": [["a", 1], ["a", 2]]},
    {"dict": [["a", 1]], "tensor": "a"}, {"dict": [["step", 1], ["lr", "x"]]}, {"x": 1},
]  # fmt: skip


def test_any_value_of_state_json_may_be_another(judge):
    trees, _ = read(newest(judge.run))
    paths = list(nodes_of(trees))
    dice = random.Random(7)
    chosen = [path for path in paths if len(path) < 5]
    chosen += dice.sample([path for path in paths if len(path) >= 5], 150)
    for path in chosen:
        for value in dice.sample(VALUES, 3):
            mutant = replaced(trees, path, value if path or value is not DELETE else 0)
            write_trees(newest(judge.run), mutant)
            shown = "a deletion" if value is DELETE else repr(value)[:40]
            judge.look(f"{'/'.join(map(str, path))} = {shown}", must_refuse=False)
    assert not judge.failures, "\n".join(map(str, judge.failures[:30]))
    assert judge.refused > 400
    assert judge.refused + judge.loaded == 3 * len(chosen)


def pairs_of(trees, *keys):
    """The list of pairs of the dict at these keys, to change it in place."""
    tree = trees
    for key in keys:
        pairs = dict(map(tuple, tree["dict"])) if "dict" in tree else tree
        tree = pairs[key]
    return tree["dict"] if isinstance(tree, dict) else tree


OPTIONS = [
    ("lr", ["0.1", -0.1, float("nan"), float("inf"), None, True, [0.1], 10**400]),
    ("betas", [0.5, [0.5], [0.5, 1.0], [0.5, float("nan")], ["a", "b"], [-1, 0.9], None]),
    ("eps", ["x", -1.0, float("nan")]),
    ("weight_decay", ["x", -1.0, None]),
    ("params", [[], [0], "all", [5, 4, 3, 2, 1, 0, -1], 3]),
    ("fused", [False, "x", 1]), ("foreach", [True]), ("maximize", [True, "x", 3]),
    ("capturable", [True]), ("differentiable", [True]), ("amsgrad", [True]),
]  # fmt: skip


def test_options_of_an_optimizer_may_be_wrong(judge):
    count = 0
    for option, values in OPTIONS:
        for value in [*values, DELETE]:
            if value is DELETE and option not in ("lr", "betas", "eps", "weight_decay", "params"):
                continue  # of another version of torch
            trees, _ = read(newest(judge.run))
            group = pairs_of(trees, "state", "G", "param_groups")[0]["dict"]
            group[:] = [[k, v] for k, v in group if k != option]
            if value is not DELETE:
                group.append([option, value])
            write_trees(newest(judge.run), trees)
            judge.look(f"{option}={value!r:.20}")
            count += 1
    assert not judge.failures, "\n".join(map(str, judge.failures[:30]))
    assert judge.refused == count > 35


CHANGES = {
    "int64": lambda t: t.to(torch.int64),
    "int32": lambda t: t.to(torch.int32),
    "complex64": lambda t: t.to(torch.complex64),
    "bool": lambda t: t.to(torch.bool),
    "float16": lambda t: t.to(torch.float16),
    "float64": lambda t: t.to(torch.float64),
    "float8": lambda t: t.float().to(torch.float8_e4m3fn),
    "one more dimension": lambda t: t[None],
    "twice": lambda t: torch.cat([t.reshape(-1), t.reshape(-1)]),
    "empty": lambda t: torch.empty(0, dtype=t.dtype),
    "nan": lambda t: with_one(t, float("nan")),
    "inf": lambda t: with_one(t, float("inf")),
    "-inf": lambda t: with_one(t, float("-inf")),
}


def with_one(tensor, value):
    changed = tensor.clone()
    if changed.is_floating_point():
        changed.reshape(-1)[-1] = value
        return changed
    return changed.float()


def test_any_tensor_may_have_another_type_or_shape_or_be_nan(judge):
    trees, tensors = read(newest(judge.run))
    dice = random.Random(3)
    count = 0
    for file, of_file in tensors.items():
        for name, tensor in of_file.items():
            for change in dice.sample(sorted(CHANGES), 3):
                changed = CHANGES[change](tensor)
                if changed.dtype == tensor.dtype and plain(changed) == plain(tensor):
                    continue
                is_shorter_buffer = name == "/tricks/replay/old" and change == "empty"
                mutant = {**tensors, file: {**of_file, name: changed.contiguous()}}
                write_trees(newest(judge.run), trees, mutant)
                judge.look(f"{name}: {change}", must_refuse=not is_shorter_buffer)
                count += 1
    assert not judge.failures, "\n".join(map(str, judge.failures[:30]))
    assert judge.refused + judge.loaded == count > 200


def test_a_variance_of_batch_norm_is_not_negative(judge):
    trees, tensors = read(newest(judge.run))
    names = [name for name in tensors["model"] if name.endswith("running_var")]
    for name in names:
        variance = tensors["model"][name].clone()
        variance[-1] = -1e-3
        mutant = {**tensors, "model": {**tensors["model"], name: variance}}
        write_trees(newest(judge.run), trees, mutant)
        judge.look(name, samples=name.startswith("/sampler/"))
    assert (judge.failures, judge.refused) == ([], len(names))
    assert "has a negative" in judge.caplog.text


def tensors_file(header, data=b"\0" * 64):
    return len(header).to_bytes(8, "little") + header + data


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
TENSOR_FILES = {
    "empty": b"",
    "cut": b"\x10\0\0\0\0\0\0\0{",
    "garbage": bytes(range(256)) * 10,
    "no header": tensors_file(b""),
    "no tensors": tensors_file(b"{}", b""),
    "a list": tensors_file(b"[]"),
    "deep": tensors_file(b"[" * 100_000),
    "header of 2^63": b"\xff" * 8 + b"{}",
    "header of 100 MB": tensors_file(b'{"a":' + b" " * 99_999_000 + b"1}"),
    "overlapping": tensors_file(json.dumps({"a": ENTRY, "b": ENTRY}).encode(), b"\0" * 8),
    "backwards": tensors_file(json.dumps({"a": {**ENTRY, "data_offsets": [8, 0]}}).encode()),
    "too long": tensors_file(json.dumps({"a": {**ENTRY, "data_offsets": [0, 2**62]}}).encode()),
    "enormous": tensors_file(json.dumps({"a": {**ENTRY, "shape": [2**40, 2**40]}}).encode()),
    "unknown type": tensors_file(json.dumps({"a": {**ENTRY, "dtype": "F7"}}).encode()),
    "odd name": tensors_file(json.dumps({"\x1b]0;x\x07\n": ENTRY}).encode(), b"\0" * 8),
}
JSON_FILES = {
    "empty": b"", "a list": b"[]", "a number": b"3", "null": b"null", "text": b'"x"',
    "true": b"true", "cut": b'{"step": 8', "no dict": b"{}", "zeros": b"\0" * 1000,
    "not UTF-8": b'{"step": "\xff\xfe"}', "deep lists": b"[" * 10_000 + b"]" * 10_000,
    "deep dicts": b'{"dict": [["a", ' * 10_000 + b"1" + b"]]}" * 10_000,
    "long number": f'{{"step": {EXTREME}, "model": {{}}, "state": {{}}}}'.encode(),
    "extra": b'{"step": 8, "model": {"dict": []}, "state": {"dict": []}, "more": 1}',
    "no model": b'{"step": 8, "state": {"dict": []}}',
    "empty dicts": b'{"step": 8, "model": {"dict": []}, "state": {"dict": []}}',
    "lists": b'{"step": 8, "model": [], "state": []}',
}  # fmt: skip


def test_files_may_contain_anything(judge):
    for file, contents in (
        ("model.safetensors", TENSOR_FILES),
        ("state.safetensors", TENSOR_FILES),
        ("state.json", JSON_FILES),
    ):
        good = (newest(judge.run) / file).read_bytes()
        for name, data in contents.items():
            write(newest(judge.run), {file: data})
            judge.look(f"{file}: {name}", samples=True)
        write(newest(judge.run), {file: good})
    manifest = newest(judge.run) / "manifest.json"
    hashes = json.loads(manifest.read_text())["sha256"]
    nested = {"sha256": {name: {"sha256": value} for name, value in hashes.items()}}
    elsewhere = {"sha256": {f"../x/{name}": value for name, value in hashes.items()}}
    manifests = {"nested": nested, "elsewhere": elsewhere, "names": {"sha256": list(hashes)}}
    manifests |= {"hash 3": {"sha256": 3}, "no hashes": {"sha256": {}}}
    texts = {name: json.dumps(value).encode() for name, value in manifests.items()}
    for name, data in {**texts, **JSON_FILES}.items():
        manifest.write_bytes(data)
        judge.look(f"manifest: {name}", samples=True)
    assert not judge.failures, "\n".join(map(str, judge.failures[:30]))
    assert judge.refused == 2 * len(TENSOR_FILES) + 2 * len(JSON_FILES) + len(manifests)


STEPS = ["8", 8.0, float("nan"), -8, 1e30, 7, None, [8], True, 10**400, {}, "x" * 10_000]


def test_the_step_is_that_of_the_folder(judge):
    trees, _ = read(newest(judge.run))
    for step in STEPS:
        write_trees(newest(judge.run), {**trees, "step": step})
        judge.look(f"step {step!r:.20}", samples=True)
    assert not judge.failures, "\n".join(map(str, judge.failures[:30]))
    assert judge.refused == len(STEPS)


def make_zeros(path):
    path.symlink_to("/dev/zero")


def make_enormous(path):
    with path.open("wb") as file:
        file.truncate(1 << 42)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, make_zeros, make_enormous])
@pytest.mark.parametrize("file", [*FILES, "manifest.json"])
def test_only_regular_files_of_sensible_size_are_read(judge, make, file):
    path = newest(judge.run) / file
    path.unlink()
    make(path)
    judge.look(file, samples=True)
    assert (judge.failures, judge.refused) == ([], 1)


NAMES = ["step-²", "step-٣٣٣٣٣٣", "step-1_000", "step--00001", "step-9", f"step-{'9' * 200}",
         "step-", "step-000009x", "step- 00009", "step-0000009", "step-+00009"]  # fmt: skip


def test_only_names_that_gankit_gives_are_names_of_checkpoints(run, registry):
    for name in NAMES:
        shutil.copytree(newest(run), run / "checkpoints" / name)
    names = [path.name for path in checkpoint.list_checkpoints(run / "checkpoints")]
    assert names == ["step-000008", "step-000004"]
    assert gankit.load(run, registry=registry).step == 8
    for name in NAMES:
        with pytest.raises(GankitError, match="belongs to"):
            gankit.load(run / "checkpoints" / name, registry=registry)


def test_a_run_goes_on_from_the_older_checkpoint_bit_for_bit(original, run, caplog):
    trees, tensors = read(newest(run))
    tensors["model"]["/G/main.1.running_var"][:] = float("nan")
    write_trees(newest(run), trees, tensors)
    train(resumed(run), resume=True)
    assert "step-000008" in caplog.text
    assert "nan" in caplog.text
    hashes = [
        json.loads((newest(folder) / "manifest.json").read_text()) for folder in (original, run)
    ]
    assert hashes[0] == hashes[1]


def test_a_trick_that_refuses_its_state_is_named(judge, monkeypatch):
    (trick,) = (trick for trick in judge.trainer.tricks if trick.name == "lecam")
    for error in (ValueError("odd\nlines"), RuntimeError("x"), SystemExit(3), AssertionError()):
        outcomes = iter([error, None])

        def load(state, outcomes=outcomes):
            outcome = next(outcomes)
            if outcome:
                raise outcome
            trick.averages = state["averages"]

        monkeypatch.setattr(trick, "load_state_dict", load)
        judge.look(repr(error))
        assert "lecam" in judge.caplog.text
    assert (judge.failures, judge.refused) == ([], 4)


@pytest.mark.parametrize("command", ["run", "sample", "evaluate"])
def test_commands_pass_it_over_with_a_reason(run, gankit_cli, command):
    trees, _ = read(newest(run))
    trees["model"] = []
    write_trees(newest(run), trees)
    argv = {
        "run": ("run", "--resume", run),
        "sample": ("sample", run, "--count", 1),
        "evaluate": ("evaluate", run, "--metric", "swd", "--samples", 20),
    }[command]
    code, _, err = gankit_cli(*argv)
    assert code == 0, err
    (line,) = (line for line in err.splitlines() if "step-000008" in line)
    assert "step-000004" in line


def test_without_a_good_checkpoint_every_command_fails_in_one_line(run, gankit_cli):
    for path in checkpoint.list_checkpoints(run / "checkpoints"):
        write(path, {"state.json": b"[" * 10_000})
    for argv in (("run", "--resume", run), ("sample", run), ("sample", run, "--checkpoint", 4)):
        code, _, err = gankit_cli(*argv)
        assert code == 2
        assert len(err.strip().splitlines()) == 1
        assert "state.json" in err


def test_two_tensors_at_one_place_are_not_saved(tmp_path):
    ones = torch.ones(2)
    tree = {"a/b": ones, "a": {"b": ones}}
    with pytest.raises(GankitError, match="a/b"):
        checkpoint.save(tmp_path, checkpoint.Checkpoint(0, {}, tree), keep=1)
    assert checkpoint.list_checkpoints(tmp_path) == []
    assert Path(tmp_path / "last").exists() is False


SCALES = {
    "scale": [0.0, -1.0, "x", None, 3, float("nan"), float("inf"), 1e300, [1.0]],
    "growth_factor": [1.0, "x", float("nan")],
    "backoff_factor": [2.0, None],
    "growth_interval": [0, 1.5, 10**400],
    "_growth_tracker": [-1, 10**400, 0.5, True, "x"],
}


def test_gradient_scalers_of_float16_may_be_wrong(tmp_path, registry, tiny, caplog):
    settings = tiny(length="8 steps", save_every=4, precision="16", tricks=("ema",))
    folder = train(compose(registry, **settings, out=str(tmp_path / "run")), registry)
    run = load_run(folder)
    prepared = gankit.prepare(run, registry, lambda done, total: None)
    trainer = assemble(resolve_auto(run, prepared), registry, prepared)
    judge = Judge(folder, trainer, registry, caplog)
    count = 0
    for key, values in SCALES.items():
        for value in [*values, DELETE]:
            trees, _ = read(newest(folder))
            pairs = pairs_of(trees, "state", "scalers", "D")
            pairs[:] = [pair for pair in pairs if pair[0] != key]
            if value is not DELETE:
                pairs.append([key, value])
            write_trees(newest(folder), trees)
            judge.look(f"{key}={value!r:.20}")
            assert trainer.gan.D.scaler.get_scale() == trainer.gan.G.scaler.get_scale()
            count += 1
    assert not judge.failures, "\n".join(map(str, judge.failures[:30]))
    assert judge.refused == count == 27
