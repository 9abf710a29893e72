"""Plugins that misbehave, as data: what each does, and what gankit has to say about it.

`cases()` lists them; `run_case(case, folder)` tries one in this process and returns what is wrong,
a line for each complaint.
"""

import contextlib
import io
import os
import re
import signal
import sys
import textwrap
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch

from gankit.cli.main import main

STOPS = (signal.SIGINT, signal.SIGTERM)
NAME = "bad"  # of the plugin, from the name of its file
SMALL = (
    *("--dataset", "petals:count=64", "--model", "dcgan64:base_channels=4", "--image-size", "16"),
    *("--batch-size", "8", "--device", "cpu", "--precision", "32", "--threads", "1"),
    *("--steps", "25", "--save-every", "10", "--log-every", "5", "--draw-every", "100"),
    *("--out", "run"),
)
HEAD = """
import os, signal, sys, warnings
import click, numpy as np, torch
from torch import nn
from gankit import *
from gankit import Loss, Metric, GankitError
"""
ABOUT = 'summary="s", source="s"'


@dataclass(frozen=True)
class Case:
    """A plugin that misbehaves, and the right outcome."""

    name: str
    source: str
    argv: tuple[str, ...]
    says: tuple[str, ...] = ()  # facts that stderr must contain
    code: int = 2
    is_late: bool = False  # fails at step 20 or later, so the checkpoint of step 20 is kept
    prints: str = ""  # what stdout must contain


def cases() -> list[Case]:
    """All plugins that misbehave."""
    return [
        *_at_import(),
        *_in_hooks(),
        *_specs(),
        *_global_changes(),
        *_builders(),
        *_shown(),
        *_tricks_that_raise(),
        *_tricks_that_return(),
        *_other_tricks(),
        *_losses(),
        *_networks(),
        *_observers(),
        *_datasets(),
        *_metrics(),
        *_commands(),
    ]


def run_case(case: Case, folder: Path) -> list[str]:
    """Try a plugin in an empty folder; returns complaints, none if all is right."""
    (folder / f"{NAME}.py").write_text(HEAD + case.source, encoding="utf-8")
    out = io.StringIO()
    err = io.StringIO()
    with _restored(folder) as complaints, warnings.catch_warnings():
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main(["-p", f"{NAME}.py", *case.argv])
            except SystemExit as ended:
                code = ended.code or 0
            except BaseException as error:
                return [f"{type(error).__name__} leaves main"]
    if code != case.code:
        complaints.append(f"exit code {code}, not {case.code}")
    complaints += _judge_lines(case, err.getvalue())
    if case.prints not in out.getvalue():
        complaints.append(f"stdout lacks {case.prints!r}")
    if case.is_late:
        complaints += _judge_run(folder / "run", out.getvalue())
    return complaints


def _judge_lines(case: Case, err: str) -> list[str]:
    """What is wrong with the messages: one line each, which name the plugin and the facts."""
    notes = ("this computer was busy", "skipped")
    lines = [line for line in err.splitlines() if line and not any(n in line for n in notes)]
    complaints = [f"stderr lacks {fact!r}: {err!r:.600}" for fact in case.says if fact not in err]
    if len(lines) != (1 if case.says else 0):
        complaints.append(f"{len(lines)} lines: {err!r:.600}")
    complaints += [f"not a message: {line!r}" for line in lines if not line.startswith("gankit: ")]
    if "Traceback" in err or "unexpected" in err:
        complaints.append(f"an error without a message of its own: {err!r:.600}")
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", err):
        complaints.append(f"control characters: {err!r:.600}")
    if max(map(len, lines), default=0) > 1500:
        complaints.append("a line of more than 1,500 letters")
    return complaints


def _judge_run(run: Path, out: str) -> list[str]:
    """What was lost of a run that failed at step 20 or later."""
    complaints = []
    if not (run / "checkpoints" / "step-000020" / "manifest.json").is_file():
        complaints.append("the checkpoint of step 20 is missing")
    if "failed after" not in out:
        complaints.append("observers were not told that the run failed")
    if not (run / "log.csv").read_text().splitlines()[-1].startswith(("20,", "25,")):
        complaints.append("log.csv lacks step 20")
    return complaints


@contextlib.contextmanager
def _restored(folder: Path):
    """Work in a folder; gives complaints about what is changed for the whole process."""
    complaints: list[str] = []
    before = _process_state()
    handlers = {number: signal.getsignal(number) for number in STOPS}
    cwd = Path.cwd()
    os.chdir(folder)
    try:
        yield complaints
        if _process_state() != before:
            complaints.append(f"the process was changed: {before} became {_process_state()}")
        if Path.cwd() != folder.resolve():
            complaints.append("the current folder was changed")
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            complaints.append("Ctrl-C is ignored")
    finally:
        os.chdir(cwd)
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        sys.modules.pop(f"gankit_file_{NAME}", None)
        for number, handler in handlers.items():  # a run that failed keeps its own
            signal.signal(number, handler)


def _process_state() -> tuple[object, ...]:
    return torch.get_default_dtype(), torch.is_grad_enabled(), sys.stdout, sys.stderr


# ---------------------------------------------------------------- import and registration

# What code may raise -> a fact that the message must contain.
RAISES = {
    "1 / 0": "ZeroDivisionError",
    "raise SystemExit": "SystemExit",
    "raise SystemExit('good bye')": "good bye",
    "sys.exit(3)": "SystemExit",
    "raise GeneratorExit": "GeneratorExit",
    "raise type('Own', (BaseException,), {})('mine')": "mine",
    "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})": "Odd",
    "raise type('Int', (Exception,), {'__str__': lambda self: 3})": "Int",
    "raise MemoryError": "MemoryError",
    "f = lambda: f()\nf()": "RecursionError",
    "raise StopIteration": "StopIteration",
    "raise BrokenPipeError(32, 'Broken pipe')": "BrokenPipeError",
    "raise ValueError('a\\n\\x1b[31mgankit: all is well')": "ValueError",
    "raise RuntimeError('x' * 100_000)": "RuntimeError",
}


def _at_import():
    for statement, fact in RAISES.items():
        yield Case(f"import: {statement}", statement, ("list",), (NAME, fact))
    others = {
        "import no_such_module": "no_such_module",
        "def broken(:": "SyntaxError",
        "class hookimpl: pass\nimport gankit.no_such_thing": "no_such_thing",
    }
    for statement, fact in others.items():
        yield Case(f"import: {statement}", statement, ("list",), (NAME, fact))
    yield Case("import: Ctrl-C", "raise KeyboardInterrupt", ("list",), ("interrupted",), code=130)


def _in_hooks():
    for statement, fact in RAISES.items():
        body = textwrap.indent(statement, "    ")
        source = f"@hookimpl\ndef register_losses(register):\n{body}"
        yield Case(f"register_losses: {statement}", source, ("list",), (NAME, fact))
    misspelt = "@hookimpl\ndef register_loses(register): pass"
    yield Case("a misspelt hook", misspelt, ("list",), (NAME, "register_loses"))
    taken = _registered("trick", 'name="r1", ' + ABOUT + ", build=Trick")
    yield Case("a name that is taken", taken, ("list",), (NAME, "'r1'"))


def _registered(kind: str, fields: str) -> str:
    """Source that registers one part."""
    plural = "losses" if kind == "loss" else f"{kind}s"
    spec = f"{kind.title()}Spec({fields})"
    return f"\n@hookimpl\ndef register_{plural}(register):\n    register({spec})\n"


def _specs():
    names = ["None", "3", "''", "'a b'", "'a:b'", "b'noise'", "'a\\nb'", "'\\x1b]0;t\\x07'", "'-x'"]
    for name in [*names, "'n' * 10_000", "['a']", "'../up'"]:
        source = _registered("trick", f"name={name}, {ABOUT}, build=Trick")
        yield Case(f"name={name}", source, ("list",), (NAME, "TrickSpec.name"))
    fields = {
        "summary=None": "summary",
        "summary=3": "summary",
        "source=None": "source",
        "build=None": "build",
        "build='no colon'": "build",
        "build=3": "build",
        "lesson='four'": "lesson",
        "default='yes'": "default",
    }
    for field, fact in fields.items():
        given = {"summary": '"s"', "source": '"s"', "build": "Trick", "name": '"mine"'}
        key, _, value = field.partition("=")
        text = ", ".join(f"{k}={v}" for k, v in {**given, key: value}.items())
        yield Case(field, _registered("trick", text), ("list",), (NAME, "'mine'", fact))
    model = f'name="mine", {ABOUT}, generator="dcgan", discriminator="dcgan", image_size=16'
    models = {
        model.replace("16", "'big'"): "image_size",
        model.replace('generator="dcgan"', "generator=None"): "generator",
        f"{model}, settings=[1]": "settings",
    }
    for text, fact in models.items():
        yield Case(text, _registered("model", text), ("list",), (NAME, fact))
    recipe = f'name="mine", {ABOUT}, settings=None'
    yield Case(recipe, _registered("recipe", recipe), ("list",), (NAME, "settings"))
    settings = f"{model}, settings={{'lr': 1}}"
    argv = ("run", "--model", "mine")
    yield Case("unknown setting", _registered("model", settings), argv, (NAME, "'mine'", "'lr'"))
    not_a_spec = "@hookimpl\ndef register_tricks(register): register('mine')"
    yield Case("not a spec", not_a_spec, ("list",), (NAME, "TrickSpec"))


def _global_changes():
    changes = {
        "sys.stdout = None": "sys.stdout",
        "sys.stderr = None": "sys.stderr",
        "sys.stdout = open(os.devnull, 'w')": "sys.stdout",
        "signal.signal(signal.SIGINT, signal.SIG_IGN)": "SIGINT",
        "warnings.simplefilter('error')": "warnings",
        "os.chdir('/')": "current folder",
        "torch.set_default_dtype(torch.float64)": "dtype",
        "torch.set_grad_enabled(False)": "set_grad_enabled",
    }
    for statement, fact in changes.items():
        source = f"{statement}\n@hookimpl\ndef run_finished(run): pass"
        yield Case(statement, source, ("list",), (NAME, fact), code=0, prints="noisy-d")


# ---------------------------------------------------------------- parts that are built and shown


def _builders():
    trick = ("run", "--trick", "mine", *SMALL)
    for statement, fact in RAISES.items():
        body = textwrap.indent(statement, "    ")
        source = f"def build():\n{body}\n" + _registered(
            "trick", f'name="mine", {ABOUT}, build=build'
        )
        says = (f"trick 'mine' of plugin '{NAME}'", fact.replace("ValueError", "all is well"))
        says = says if "Broken" not in fact else (says[0], "Broken pipe")
        yield Case(f"build: {statement}", source, trick, says)
    for build in ("lambda: None", "dict", "'no_such_module:Mine'", "'os:no_such'", "'os:sep'"):
        source = _registered("trick", f'name="mine", {ABOUT}, build={build}')
        yield Case(f"build={build}", source, trick, (f"trick 'mine' of plugin '{NAME}'",))
    loss = _registered("loss", f'name="mine", {ABOUT}, build=list')
    argv = ("run", "--loss", "mine", *SMALL)
    yield Case("a loss that is a list", loss, argv, (f"loss 'mine' of plugin '{NAME}'",))
    option = (
        "class Mine(Trick):\n    def __init__(self, p: float = 0.5): raise ValueError(f'p={p}')\n"
    )
    option += _registered("trick", f'name="mine", {ABOUT}, build=Mine')
    argv = ("run", "--trick", "mine:p=3", *SMALL)
    yield Case("an option out of range", option, argv, (f"'mine' of plugin '{NAME}'", "p=3"))
    for when in ("wrap", "start"):
        source = _trick(f"def {when}(self, gan): sys.exit(0)")
        yield Case(f"{when} exits", source, trick, (f"trick 'mine' of plugin '{NAME}'",))


def _shown():
    show = ("show", "mine")
    source = _registered("trick", f'name="mine", {ABOUT}, build="no_such_module:Mine"')
    yield Case("show: no module", source, show, ("trick 'mine'", "no_such_module"))
    odd = "def build(p=type('P', (), {'__repr__': lambda self: sys.exit(1)})()): pass"
    source = odd + _registered("trick", f'name="mine", {ABOUT}, build=build')
    yield Case("show: a default", source, show, (f"trick 'mine' of plugin '{NAME}'",))
    for annotation in ("1 / 0", "NoSuchName"):
        source = f'def build(size: "{annotation}" = 4): pass'
        source += _registered("trick", f'name="mine", {ABOUT}, build=build')
        yield Case(f"show: the annotation {annotation}", source, show, code=0, prints="size")
    source = _registered("trick", f'name="mine", {ABOUT}, build=dict')
    yield Case("show: no signature", source, show, (f"trick 'mine' of plugin '{NAME}'",))
    source = "exec('def build(): pass')" + _registered(
        "trick", f'name="mine", {ABOUT}, build=build'
    )
    yield Case("show: no source code", source, show, code=0, prints="trick mine")
    recipe = f'name="mine", {ABOUT}, settings={{"length": 3}}'
    yield Case("show: a length", _registered("recipe", recipe), show, (f"of plugin '{NAME}'",))


# ---------------------------------------------------------------- tricks

ARGUMENTS = {  # of a trick's methods -> what they return if all is well
    "begin_batch": ("gan, player", "None"),
    "fakes": ("images, gan", "images"),
    "d_input": ("images, gan", "images"),
    "targets": ("targets, gan", "targets"),
    "logits": ("logits, gan, player, is_real", "logits"),
    "penalty": ("gan, player, real, fake", "None"),
    "before_update": ("gan, player", "None"),
    "after_update": ("gan, player", "None"),
    "activity": ("", "'acted'"),
    "state_dict": ("", "{}"),
}
BETWEEN_STEPS = ("activity", "state_dict")


def _trick(methods: str) -> str:
    """Source that registers the trick `mine` with these methods."""
    body = textwrap.indent(methods, "    ")
    start = "    def start(self, gan): self.gan = gan\n"
    start = "" if "def start" in methods else start
    part = _registered("trick", f'name="mine", {ABOUT}, build=Mine')
    return f"class Mine(Trick):\n{start}{body}\n{part}"


def _method(name: str, bad: str, step: int = 20) -> str:
    """A method that does something bad from a step on."""
    arguments, good = ARGUMENTS[name]
    body = textwrap.indent(bad, "        ")
    lines = f"if self.gan.step >= {step}:\n{body}\n    return {good}"
    return f"def {name}(self{', ' if arguments else ''}{arguments}):\n    {lines}"


def _late(what: str, name: str, bad: str, fact: str) -> Case:
    """A trick that is bad from step 20 on."""
    step = 25 if name in BETWEEN_STEPS else 20  # step 20 itself has to be saved
    source = _trick(_method(name, bad, step))
    when = "step 25" if name in BETWEEN_STEPS else "step 21"
    says = (f"trick 'mine' of plugin '{NAME}'", name, when, fact)
    argv = ("run", "--trick", "mine", *SMALL)
    return Case(f"{name}: {what}", source, argv, says, code=1, is_late=True)


def _tricks_that_raise():
    for name in ARGUMENTS:
        yield _late("exits at step 20", name, "sys.exit(3)", f"SystemExit in {NAME}.py, line")
    for statement, fact in RAISES.items():
        if "MemoryError" not in fact:  # which is answered with a batch that fits
            yield _late(f"at step 20, {statement}", "d_input", statement, fact)
    yield _late("a GankitError", "d_input", "raise GankitError('not on Mondays')", "on Mondays")
    for name in ARGUMENTS:
        source = _trick(_method(name, "sys.exit(3)", step=0))
        says = (f"trick 'mine' of plugin '{NAME}'", "SystemExit")
        yield Case(f"{name}: at once", source, ("run", "--trick", "mine", *SMALL), says)


def _tricks_that_return():
    late = {
        "fakes": {"images[:3]": "(3, 3, 16, 16)", "None": "NoneType", "images.half()": "float16"},
        "d_input": {
            "images[:, :, ::2]": "(8, 3, 8, 16)",
            "images.double()": "float64",
            "images.to('meta')": "meta",
            "None": "NoneType",
            "'images'": "str",
        },
        "targets": {
            "targets.real": "Targets",
            "Targets(targets.real[:, None], targets.fake)": "(8, 1)",
            "None": "NoneType",
        },
        "logits": {"logits[:, None]": "(8, 1)", "None": "NoneType", "logits.mean()": "()"},
        "penalty": {
            "gan.judge(real)": "(8,)",
            "3.0": "float",
            "torch.tensor(1)": "int64",
            "torch.tensor(1j)": "complex64",
            "torch.zeros((), device='meta')": "meta",
        },
        "activity": {"3": "3", "b'acted'": "b'acted'"},
        "state_dict": {
            "None": "NoneType",
            "{'seen': object()}": "/seen",
            "{'seen': {1, 2}}": "/seen",
            "{'net': nn.Linear(1, 1)}": "/net",
            "{(1, 2): 3}": "tuple",
            "{'sparse': torch.eye(2).to_sparse()}": "/sparse",
        },
    }
    for name, results in late.items():
        for result, fact in results.items():
            yield _late(f"returns {result} late", name, f"return {result}", fact)
    endless = "state = {}\nstate['me'] = state\nreturn state"
    yield _late("returns itself", "state_dict", endless, "/me/me")
    nan = _late("returns NaN late", "d_input", "return images * float('nan')", "nan")
    yield Case(nan.name, nan.source, nan.argv, ("d_loss", "step 21", "nan"), 1, is_late=True)


def _other_tricks():
    argv = ("run", "--trick", "mine", *SMALL)
    hook = """
def before_update(self, gan, player):
    if gan.step == 20:
        weight = next(gan.D.net.parameters())
        weight.register_hook(lambda gradient: sys.exit(3))
"""
    says = (f"plugin '{NAME}'", "step 21", f"{NAME}.py, line")
    yield Case("a hook in backward", _trick(hook), argv, says, code=1, is_late=True)
    layer = """
def wrap(self, gan):
    self.gan = gan
    gan.D.net.register_forward_hook(self._hook)

def _hook(self, net, images, logits):
    if self.gan.step == 20:
        raise RuntimeError("tired")
"""
    says = (f"plugin '{NAME}'", "step 21", "tired")
    source = _trick(layer.replace("raise", "raise", 1) + "\ndef start(self, gan): self.gan = gan")
    yield Case("a hook in D", source, argv, says, code=1, is_late=True)
    dtype = _method("after_update", "torch.set_default_dtype(torch.float64)")
    says = (f"trick 'mine' of plugin '{NAME}'", "after_update", "step 21", "dtype")
    yield Case("another dtype late", _trick(dtype), argv, says, code=1, is_late=True)
    grad = _method("before_update", "torch.set_grad_enabled(False)")
    says = (f"trick 'mine' of plugin '{NAME}'", "before_update", "step 21", "set_grad_enabled")
    yield Case("no gradients late", _trick(grad), argv, says, code=1, is_late=True)
    inference = _method("d_input", "with torch.inference_mode():\n    return images * 1")
    says = (f"trick 'mine' of plugin '{NAME}'", "d_input", "step 21", "inference_mode")
    yield Case("inference mode late", _trick(inference), argv, says, code=1, is_late=True)
    stdout = _method("after_update", "sys.stdout = sys.stderr = None")
    yield Case("no output late", _trick(stdout), argv, (), code=0)
    memory = _method("before_update", "raise MemoryError")
    says = (f"trick 'mine' of plugin '{NAME}'", "before_update", "step 21", "memory")
    yield Case("no memory late", _trick(memory), argv, says, code=1, is_late=True)


# ---------------------------------------------------------------- losses and networks


def _losses():
    argv = ("run", "--loss", "mine", *SMALL)
    template = """
class Mine(Loss):
    calls = {{"d_loss": 0, "g_loss": 0, "score": 0}}

    def _is_late(self, name):
        self.calls[name] += 1
        return self.calls[name] >= 24

    def d_loss(self, real, fake, targets):
        good = (fake - real).mean()
        return {d_loss} if self._is_late("d_loss") else good

    def g_loss(self, fake, real):
        good = -fake.mean()
        return {g_loss} if self._is_late("g_loss") else good

    def score(self, logits):
        return {score} if self._is_late("score") else logits
"""
    good = {"d_loss": "good", "g_loss": "good", "score": "logits"}
    late = {
        "d_loss": ("fake - real", "None", "sys.exit(3)", "good.detach()", "1 / 0", "0.5"),
        "g_loss": ("-fake", "None", "sys.exit(3)", "good.detach()"),
        "score": ("None", "sys.exit(3)"),
    }
    part = _registered("loss", f'name="mine", {ABOUT}, build=Mine')
    for method, results in late.items():
        for result in results:
            source = template.format(**{**good, method: result}) + part
            says = (f"loss 'mine' of plugin '{NAME}'", method, "at step")
            yield Case(f"{method}: {result} late", source, argv, says, code=1)


def _networks():
    template = """
class Mine(nn.Module):
    def __init__(self, image_size, channels, latent_dim=100):
        super().__init__()
        self.shape = (channels, image_size, image_size)
        pixels = channels * image_size**2
        self.main = nn.Linear({sizes})
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        good = {good}
        if self.calls > {calls} and {condition}:
            {bad}
        return good
"""
    generator = {
        "calls": 20,
        "sizes": "latent_dim, pixels",
        "good": "self.main(x).tanh().reshape(len(x), *self.shape)",
    }
    good_logits = "self.main(x.flatten(1)).flatten()"
    discriminator = {"calls": 50, "sizes": "pixels, 1", "good": good_logits}
    late = {
        "raises": ("True", "sys.exit(3)"),
        "returns None": ("True", "return None"),
        "returns another shape": ("True", "return good[:, None]"),
        "returns text": ("True", "return 'good'"),
    }
    in_eval = {
        "raises in eval mode": ("not self.training", "1 / 0"),
        "returns another shape in eval mode": ("not self.training", "return good[:3]"),
    }
    for kind, parts, bad in (
        ("generator", generator, {**late, **in_eval}),
        ("discriminator", discriminator, late),
    ):
        part = _registered(kind, f'name="mine", {ABOUT}, build=Mine')
        argv = ("run", f"--{kind}", "mine", *SMALL)
        for what, (condition, statement) in bad.items():
            source = template.format(**parts, condition=condition, bad=statement) + part
            says = (f"{kind} 'mine' of plugin '{NAME}'", "forward", "step")
            yield Case(f"{kind} {what} late", source, argv, says, code=1)

    part = _registered("generator", f'name="mine", {ABOUT}, build=Mine')
    stored = {"sys.exit(3)": "SystemExit", "return None": "NoneType", "return {'a': {1}}": "/a"}
    for statement, fact in stored.items():
        source = template.format(**{**generator, "condition": "False", "bad": "pass"})
        own = f"""
    def state_dict(self, *args, **kwargs):
        if self.calls > 20:
            {statement}
        return super().state_dict(*args, **kwargs)
"""
        says = (f"generator 'mine' of plugin '{NAME}'", "state_dict", "after step", fact)
        argv = ("run", "--generator", "mine", *SMALL)
        yield Case(f"generator cannot be saved: {statement}", source + own + part, argv, says, 1)
    source = template.format(**{**generator, "condition": "False", "bad": "pass"})
    frozen = source.replace("        self.calls = 0\n", "        self.requires_grad_(False)\n"
                            "        self.calls = 0\n")  # fmt: skip
    says = (f"generator 'mine' of plugin '{NAME}'", "no weights to train")
    yield Case("generator without weights", frozen + part, argv, says)
    for what, fact in (("torch.eye(2).to_sparse()", "/odd"), ("torch.eye(2).to('meta')", "/odd")):
        source = template.format(**{**generator, "condition": "False", "bad": "pass"})
        odd = f"        self.register_buffer('odd', {what})\n        self.calls = 0\n"
        source = source.replace("        self.calls = 0\n", odd)
        says = (f"generator 'mine' of plugin '{NAME}'", fact)
        yield Case(f"generator with {what}", source + part, ("run", "--generator", "mine", *SMALL),
                   says)  # fmt: skip


# ---------------------------------------------------------------- observers


ONCE = ("sys.exit(3)", "raise BrokenPipeError(32, 'Broken pipe')", "1 / 0")


def _observers():
    argv = ("run", *SMALL)
    for hook in ("run_started", "step_done", "samples_drawn", "checkpoint_saved", "run_finished"):
        for statement in ONCE:
            source = f"@hookimpl\ndef {hook}(run): {statement}"
            says = (f"plugin '{NAME}'", hook)
            yield Case(f"{hook}: {statement}", source, argv, says, code=0, prints="finished")
    for statement, fact in RAISES.items():
        if statement in ONCE:
            continue
        body = textwrap.indent(statement, "    ")
        source = f"@hookimpl\ndef step_done(step):\n{body}"
        yield Case(
            f"step_done: {statement}", source, argv, (NAME, "step_done", fact), 0, prints="finished"
        )


# ---------------------------------------------------------------- data sets and metrics


def _datasets():
    argv = ("run", *SMALL, "--dataset", "mine")
    template = """
class Mine:
    fingerprint = "{length} {condition} {bad}"

    def __len__(self):
        return {length}

    def __getitem__(self, index):
        if index {condition}:
            {bad}
        return np.random.RandomState(index).randint(0, 256, (16, 16, 3), dtype=np.uint8)
"""
    part = _registered("dataset", f'name="mine", {ABOUT}, build=Mine')
    for bad in ("sys.exit(3)", "return None", "raise BaseException"):
        source = template.format(length=64, condition="== 40", bad=bad) + part
        yield Case(f"picture 40: {bad}", source, argv, (), code=0, prints="finished")
        source = template.format(length=64, condition="> 3", bad=bad) + part
        yield Case(f"most pictures: {bad}", source, argv, ("'mine'", "broken"))
    source = template.format(length="sys.exit(3)", condition="== 40", bad="pass") + part
    yield Case("no length", source, argv, (f"dataset 'mine' of plugin '{NAME}'",))
    batch = "\n    def batch(self, indices):\n        sys.exit(3)\n"
    source = template.format(length=64, condition="== 41", bad="pass") + batch + part
    yield Case("batch", source, argv, (f"dataset 'mine' of plugin '{NAME}'", "SystemExit"))


def _metrics():
    argv = ("run", *SMALL, "--metric", "mine", "--measure-every", "20")
    part = _registered("metric", f'name="mine", {ABOUT}, build=Mine')
    methods = {
        "def score(self, state, generated, reference): sys.exit(3)": "SystemExit",
        "def score(self, state, generated, reference): return '3'": "'3'",
        "def score(self, state, generated, reference): return None": "NoneType",
        "def score(self, state, generated, reference): return float('nan')": "nan",
    }
    for method, fact in methods.items():
        source = f"class Mine(Metric):\n    {method}\n{part}"
        says = (f"metric 'mine' of plugin '{NAME}'", fact)
        yield Case(method, source, argv, says, code=0, prints="finished")
    for method in ("features(self, pictures)", "compare(self, generated, reference)"):
        source = f"class Mine(Metric):\n    def {method}: sys.exit(3)\n{part}"
        yield Case(method, source, argv, (f"metric 'mine' of plugin '{NAME}'", "SystemExit"))


# ---------------------------------------------------------------- commands


def _commands():
    template = "@hookimpl\ndef register_commands(cli):\n"
    for statement, fact in RAISES.items():
        body = textwrap.indent(statement, "    ")
        yield Case(f"register_commands: {statement}", template + body, ("list",), (NAME, fact))
    added = {
        "cli.add_command(click.Command('list'))": "'list'",
        "cli.add_command(click.Command('x'), name=3)": "3",
        "cli.add_command(click.Command('a b'))": "'a b'",
        "cli.commands['x'] = 3": "'x'",
        "cli.commands = None": "",
        "cli.add_command(click.Command('x', short_help=3))": "",
    }
    for statement, fact in added.items():
        source = f"{template}    {statement}"
        yield Case(statement, source, ("--help",), (NAME, fact))
    later = ("no_such_module:x", "os:no_such", "os:sep", "no colon", "this is no path:x")
    for target in later:
        source = f"{template}    cli.later('mine', {target!r}, 's')"
        says = ("command 'mine'", f"plugin '{NAME}'")
        yield Case(f"later {target}", source, ("mine",), says)
        yield Case(f"later {target}: list", source, ("list",), code=0, prints="noisy-d")
    called = {
        "1 / 0": 1,
        "raise type('Own', (BaseException,), {})": 1,
        "raise GeneratorExit": 1,
        "torch.zeros(3) @ torch.zeros(4)": 1,
    }
    command = template + "    @cli.command('mine')\n    def mine():\n        "
    for statement, code in called.items():
        says = (f"plugin '{NAME}'", "gankit mine", f"{NAME}.py, line")
        yield Case(f"command: {statement}", command + statement, ("mine",), says, code)
    exits = command + "sys.exit('good\\x1b]0;t\\x07\\nbye')"
    yield Case("command: exits with a text", exits, ("mine",), ("bye",), 1)
    yield Case(
        "command: exits", command + "print('hi'), sys.exit(3)", ("mine",), (), 3, prints="hi"
    )
