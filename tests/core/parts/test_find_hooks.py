"""What a plugin file holds: hooks with and without their mark, classes, and mistakes in them."""

import pytest

from gankit import GankitError, compose
from gankit.core.parts.registry import load_registry

NO_HOOKS = {
    "a registration hook without the mark": (
        "def register_tricks(register): pass",
        ("register_tricks", "@hookimpl"),
    ),
    "an observer without the mark": (
        "def step_done(scalars): pass",
        ("step_done", "@hookimpl"),
    ),
    "a method without the mark": (
        """
        class Lowest:
            def step_done(self, scalars):
                pass
        """,
        ("Lowest.step_done", "@hookimpl"),
    ),
    "a misspelt hook without the mark": (
        "def register_trick(register): pass",
        ("register_trick ", "register_tricks", "@hookimpl"),
    ),
    "a trick that is not registered": (
        "class Mine(Trick): pass",
        ("Mine", "register_tricks", "@hookimpl"),
    ),
    "a loss that is not registered": (
        "class Mine(Loss): pass",
        ("Mine", "register_losses", "@hookimpl"),
    ),
    "a metric that is not registered": (
        "class Mine(Metric): pass",
        ("Mine", "register_metrics", "@hookimpl"),
    ),
    "a network that is not registered": (
        """
        from torch import nn
        class Mine(nn.Module):
            pass
        """,
        ("Mine", "register_generators", "register_discriminators", "@hookimpl"),
    ),
    "nothing": ("x = 1", ("no hooks", "@gankit.hookimpl")),
}
MISTAKES = {
    "one of two hooks without the mark": (
        """
        @hookimpl
        def register_tricks(register):
            pass

        def step_done(scalars):
            pass
        """,
        ("step_done", "@hookimpl"),
    ),
    "self in a function": (
        """
        @hookimpl
        def step_taken(self, step):
            pass
        """,
        ("step_taken", "'self'", "not a method"),
    ),
    "a misspelt argument": (
        """
        @hookimpl
        def step_done(scalar):
            pass
        """,
        ("step_done", "'scalar'", "'scalars'"),
    ),
    "a misspelt argument of a method": (
        """
        class Lowest:
            @hookimpl
            def step_done(self, scalar):
                pass
        """,
        ("Lowest.step_done", "'scalar'", "'scalars'"),
    ),
    "a misspelt hook in a class": (
        """
        class Lowest:
            @hookimpl
            def steps_done(self, scalars):
                pass
        """,
        ("'steps_done'", "'step_done'"),
    ),
    "a misspelt registration hook beside another": (
        """
        @hookimpl
        def register_tricks(register):
            pass

        def register_metric(register):
            pass
        """,
        ("register_metric ", "rename it to register_metrics"),
    ),
    "a misspelt method beside a hook": (
        """
        class Lowest:
            @hookimpl
            def run_started(self, run):
                pass

            def step_dnoe(self, step):
                pass
        """,
        ("Lowest.step_dnoe", "rename it to step_done"),
    ),
    "a misspelt argument with a default": (
        """
        @hookimpl
        def step_done(step, contrl=None):
            pass
        """,
        ("step_done", "'contrl'", "'control'"),
    ),
    "an argument with a default": (
        """
        @hookimpl
        def step_done(step, control=None):
            pass
        """,
        ("step_done", "'control'", "default"),
    ),
    "an argument that cannot be given by its place": (
        """
        @hookimpl
        def step_done(*, step):
            pass
        """,
        ("step_done", "'step'", "omit the *"),
    ),
    "an async hook": (
        """
        @hookimpl
        async def step_done(step):
            pass
        """,
        ("step_done is async",),
    ),
    "a hook that yields": (
        """
        @hookimpl
        def step_done(step):
            yield step
        """,
        ("step_done has a yield",),
    ),
    "a class that needs an argument": (
        """
        class Lowest:
            def __init__(self, limit):
                pass

            @hookimpl
            def step_done(self, scalars):
                pass
        """,
        ("Lowest", "'limit'", "default"),
    ),
}
ALL = {**NO_HOOKS, **MISTAKES}
PLACES = {
    "a name at import": ("x = 1\ny = unknown_name", "mine.py, line 3"),
    "a spec": ('TrickSpec(name="a b", summary="s", source="s", build=Trick)', "mine.py, line 2"),
    "what is registered": (
        """
        @hookimpl
        def register_tricks(register):
            register(5)
        """,
        "mine.py, line 5",
    ),
    "a library that is called": ("import numpy\nnumpy.concatenate([])", "mine.py, line 3"),
    "the syntax": ("x = (", "mine.py, line 2"),
    "a module that is not installed": ("import no_such_module", "mine.py, line 2"),
}


@pytest.mark.parametrize("how", ALL)
def test_a_file_whose_hooks_are_not_called_is_refused(how, plugin_file, gankit_cli):
    source, facts = ALL[how]
    code, _, err = gankit_cli("-p", plugin_file(source), "list")
    assert code == 2
    assert err.count("\n") == 1
    for fact in ("mine.py", *facts):
        assert fact in err
    assert "hookspec" not in err  # pluggy's word


def test_a_method_without_the_mark_beside_hooks_is_warned_of(plugin_file, gankit_cli, caplog):
    source = """
    @hookimpl
    def register_tricks(register):
        pass

    class Lowest:
        def step_done(self, scalars):
            pass
    """
    assert gankit_cli("-p", plugin_file(source), "list").code == 0
    assert "Lowest.step_done has the name of a hook: mark it with @hookimpl" in caplog.text


def test_functions_that_only_look_like_hooks_are_left_alone(plugin_file, gankit_cli):
    source = """
    def register_all(register):
        pass

    def _step_taken(step):
        pass

    def measure(run, step):
        pass

    def register_trick(register, name):  # takes more
        register(TrickSpec(name=name, summary="s", source="s", build=Trick))

    @hookimpl
    def register_tricks(register):
        register_trick(register, "mine")

    def register_loss(name):
        pass

    class Counter:
        def step_done(self, step, more):  # which a hook calls
            pass

        def measured(self):
            pass

    @hookimpl
    def step_done(step, counter=Counter()):
        counter.step_done(step, 1)
    """
    code, _, err = gankit_cli("-p", plugin_file(source), "list")
    assert (code, err) == (0, "")


@pytest.mark.parametrize("how", NO_HOOKS)
def test_python_and_installed_packages_are_told_the_same(how, plugin_file, installed, gankit_cli):
    source, facts = NO_HOOKS[how]
    path = plugin_file(source)
    for call in (lambda: compose(plugins=[path]), lambda: load_file_into_registry(path)):
        with pytest.raises(GankitError) as error:
            call()
        assert all(fact in str(error.value) for fact in facts)
    name = "_".join(["unhooked", *how.split()])
    installed(name, source)
    code, _, err = gankit_cli("list")
    assert code == 0
    assert f"{name!r}" in err
    assert all(fact in err for fact in facts)


def load_file_into_registry(path):
    from gankit.core.parts.registry import import_file

    load_registry().load("mine", import_file(path))


@pytest.mark.parametrize("how", PLACES)
def test_an_error_while_a_file_is_loaded_has_its_line(how, plugin_file, gankit_cli):
    source, place = PLACES[how]
    code, _, err = gankit_cli("-p", plugin_file(source), "list")
    assert code == 2
    assert place in err
    assert err.count("\n") == 1


# --- classes in a file

LOWEST = """
class Counts:
    instances = 0
    def __init__(self):
        type(self).instances += 1
        self.steps = 0

class Lowest(Counts):
    @hookimpl
    def step_done(self, step):
        self.steps += 1
        print("steps", self.steps, "instances", self.instances)

class Lower(Lowest):
    limit = 2
"""


def test_of_a_class_in_a_file_one_instance_is_created(plugin_file, gankit_run):
    answer = gankit_run("--log-every", 2, before=("-p", plugin_file(LOWEST)))
    assert answer.code == 0
    lines = [line for line in answer.out.splitlines() if line.startswith("steps ")]
    assert lines == ["steps 1 instances 1", "steps 2 instances 1"]


def test_a_file_may_hold_functions_and_classes(plugin_file, gankit_cli):
    source = """
    class Parts:
        @hookimpl
        def register_tricks(self, register):
            register(TrickSpec(name="wobble", summary="s", source="s", build=Trick))

    @hookimpl
    def register_tricks(register):
        register(TrickSpec(name="wiggle", summary="s", source="s", build=Trick))
    """
    out = gankit_cli("-p", plugin_file(source), "list", "trick").out
    assert "wobble" in out
    assert "wiggle" in out


def test_an_imported_class_with_hooks_is_not_created(plugin_file, gankit_cli, monkeypatch, here):
    monkeypatch.syspath_prepend(here)
    (here / "other_classes.py").write_text("from gankit import *\n" + LOWEST)
    source = """
    import other_classes
    from other_classes import Lowest

    @hookimpl
    def register_tricks(register):
        register(TrickSpec(name=f"has-{Lowest.instances}", summary="s", source="s", build=Trick))
    """
    assert "has-0" in gankit_cli("-p", plugin_file(source), "list", "trick").out


@pytest.mark.parametrize(("first", "second", "is_refused"), [(2, 2, False), (2, 3, True)])
def test_classes_of_a_file_share_an_interval(first, second, is_refused, plugin_file, gankit_run):
    source = "".join(
        f"""
class Watch{number}:
    watch_every = {every}

    @hookimpl
    def step_taken(self, step):
        print("watch", {number}, step)
"""
        for number, every in enumerate((first, second))
    )
    answer = gankit_run(before=("-p", plugin_file(source)))
    assert answer.code == (2 if is_refused else 0)
    if is_refused:
        assert all(fact in answer.err for fact in ("watch_every", "'mine'", "2", "3"))
    else:
        lines = [line for line in answer.out.splitlines() if line.startswith("watch")]
        assert sorted(lines) == ["watch 0 2", "watch 0 4", "watch 1 2", "watch 1 4"]


def test_an_observer_that_fails_is_named_with_its_line_and_a_similar_name(plugin_file, gankit_run):
    source = """
    @hookimpl
    def step_taken(record):
        record.D.grad_nrm
    """
    answer = gankit_run(before=("-p", plugin_file(source)))
    assert answer.code == 0
    for fact in ("'mine'", "step_taken", "AttributeError in mine.py, line 5", "'grad_norm'"):
        assert fact in answer.err
