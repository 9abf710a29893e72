"""The command of each finding can be pasted: gankit takes it, and it is another run.

Each rule sees a history in which it fires, with the settings of many kinds of runs.
"""

import dataclasses
import inspect
import shlex

import pytest
from gankit_doctor.blindfolds import WIDTHS
from gankit_doctor.build_rules import build_rules
from gankit_doctor.cures import POLICIES, d_rate, option_of
from gankit_doctor.diagnosis import cured_command

from gankit import compose
from gankit.cli.run.command import read_options
from gankit.core.contracts.seen import History, Seen
from gankit.core.parts.choice import Choice
from gankit.core.run.settings import setting_to_argv
from gankit.training.assemble import assemble, resolve_auto
from gankit.training.run_folder.run_pictures import prepare_again

LOOKS = 12
STEPS = 480
USUAL = {
    "auc": 0.9, "auc_held": 0.5, "logit": 1.0, "gap": 2.0, "logit_gap": 2.0, "grad_d": 1.0,
    "grad_g": 1.0, "step_d": 0.01, "step_g": 0.01, "dead_d": 0.0, "dead_g": 0.0, "far": 0.5,
    "texture": 0.5, "simple": 0.95, "diversity": 0.8, "near": 0.8, "twins": 0.0, "dims": 0.8,
    "missing": 0.1, "turnover": 0.3, "pattern_2": 0.0, "pattern_4": 0.0, "shift": 0.2,
    "contrast": 0.0, "chroma": 0.0, "clipped": 0.0, "copies": 0.0, "pictures": 60.0,
}  # fmt: skip
BROKEN = {  # rule -> numbers with which it fires, from the fourth look on
    "diverging": {"grad_d": 1e9},
    "step-size": {"step_d": 0.5},
    "penalty-too-strong": {"logit": 0.01},
    "unbounded-critic": {"logit": 100.0},
    "dead-units": {"dead_g": 0.9},
    "d-overfits": {"auc_held": 0.95},
    "too-few-pictures": {},
    "vanishing-gradient": {"auc": 1.0, "grad_g": 1e-6},
    "d-dominates": {"auc": 1.0, "logit_gap": 9.0, "turnover": 0.1},
    "d-too-weak": {"auc": 0.6, "logit": 0.05},
    "memorisation": {"copies": 0.9},
    "mode-collapse": {"diversity": 0.05, "near": 0.05},
    "checkerboard": {"pattern_2": 0.9},
    "colour-shift": {"contrast": 2.0, "clipped": 0.5},
    "oscillation": {"turnover": 2.0},
    "missing-modes": {"dims": 0.01, "missing": 0.9},
    "stalled": {"turnover": 0.0001},
    "idle-trick": {},
}
RUNS = {
    "plain": {},
    "as gankit run": {"model": "skip64:base_channels=4", "tricks": None},
    "few pictures": {"recipe": "small-data", "model": "skip64:base_channels=4"},
    "modern": {"model": "modern64:base_channels=4", "tricks": None, "loss": None},
    "growing": {"model": "grow64:base_channels=4", "tricks": ["grow"], "image_size": 32},
    "light": {"model": "light128:base_channels=4", "tricks": None, "loss": None, "image_size": 64},
    "uneven kernels": {"generator": "tf-dcgan:base_channels=4"},
    "no bound": {"loss": "wasserstein"},
    "a bound": {"loss": "wasserstein", "tricks": ["wgan-gp"], "d_steps": 5, "beta1": 0.0},
    "hinge": {"loss": "hinge", "tricks": ["spectral-norm", "ttur"]},
    "flat": {"loss": "minimax"},
    "penalties": {"tricks": ["r1:gamma=100,every=4", "ema:decay=0.9"]},
    "augmented": {"tricks": ["diffaugment:policy=cutout", "minibatch-stddev:group=4"]},
    "colours": {"tricks": ["diffaugment:policy=color"]},
    "blind": {"tricks": ["dropout-d:p=0.95", "smooth-labels", "flip-labels:p=0.5"]},
    "usual widths": {"model": "dcgan64", "discriminator": "dcgan", "lr_d": 4e-4, "lr_g": 1e-4},
    "a slow D by ttur": {"tricks": ["ttur:factor=0.2"], "lr_g": 4e-4, "lr_d": 4e-4},
    "a fast D by ttur": {"tricks": ["ttur"], "lr_g": 1e-4, "lr_d": 1e-4},
    "classes": {"class_labels": True},
    "oblong": {"image_size": "16x32"},
    "grey": {"channels": 1},
    "transparent": {"channels": 4},
    "one picture in a batch": {"batch_size": 2, "model": "modern64:base_channels=4", "loss": None},
    "slow G": {"lr_g": 1e-5, "lr_d": 1e-4},
    "fast D": {"lr_g": 2e-4, "lr_d": 2e-3},
    "no steps": {"lr_g": 0.0},
    "momentum": {"beta1": 0.9, "lr_g": 4e-4, "lr_d": 4e-4},
    "small z": {"latent_dim": 2},
    "float16": {"precision": "16"},
}


def width_of(run):
    return option_of(run.discriminator, "base_channels", WIDTHS[run.discriminator.name])


def history_of(rule, run):
    """A history in which the rule fires, if it can with the settings of the run."""
    history = History()
    for index in range(1, LOOKS + 1):
        looks = {**USUAL, **(BROKEN[rule] if index > 3 else {})}
        row = {f"doctor.{name}": value for name, value in looks.items()}
        row |= {"step": index * STEPS // LOOKS, "d_loss": 0.1, "g_loss": 3.0, "d_fake": 0.01}
        row |= {"penalty": 0.5, "ada.p": 0.9}
        texts = {} if rule == "idle-trick" else {trick.name: "acts" for trick in run.tricks}
        history.add(row | texts)
    return history


@pytest.fixture
def cures_of(registry, tiny):
    """`cures_of(run)`: rule -> (finding, command), of all rules that fire for the run."""

    def build(run):
        found = {}
        for rule in build_rules(registry):
            finding = rule.look(Seen(run, history_of(rule.name, run), STEPS))
            if finding:
                found[rule.name] = finding, cured_command(run, finding.options)
        return found

    return build


def made(registry, tiny, settings):
    given = {"dataset": "petals:count=80", "length": f"{STEPS} steps", **settings}
    given = {name: value for name, value in tiny(**given).items() if value is not None}
    run = compose(registry, **given)
    return resolve_auto(run, prepare_again(run, registry))


def taken(registry, command):
    """The run of a command, whose networks, loss and tricks could be built."""
    words = shlex.split(command)
    run = read_options(words[words.index("run") + 1 :], registry)
    prepared = prepare_again(run, registry)
    run = resolve_auto(run, prepared)
    assemble(run, registry, prepared)
    return run


@pytest.mark.parametrize("name", RUNS)
def test_each_command_can_be_pasted_and_changes_the_run(registry, tiny, cures_of, name):
    run = made(registry, tiny, RUNS[name])
    cures = cures_of(run)
    assert len(cures) >= 8
    for rule, (finding, command) in cures.items():
        if not command:
            assert not finding.options or dataclasses.replace(run, **finding.options) == run
            assert run.lr_g == 0 or rule in ("stalled", "d-overfits", "too-few-pictures",
                                             "memorisation"), (rule, finding.cure)  # fmt: skip
            continue
        cured = taken(registry, command)
        assert cured.seed == run.seed
        changed = [
            field.name
            for field in dataclasses.fields(run)
            if getattr(cured, field.name) != getattr(run, field.name)
        ]
        assert set(changed) & set(finding.options), (rule, command)


CLAIMS = {  # words of a cure -> what then holds for the run and the cured one
    "Hold D back": lambda run, cured: d_rate(cured) <= d_rate(run),
    "no faster than D": lambda run, cured: d_rate(cured) >= cured.lr_g,
    "G learn more slowly": lambda run, cured: cured.lr_g < run.lr_g or run.lr_g == 0,
    "D learn faster than G": lambda run, cured: d_rate(cured) > cured.lr_g,
    "same learning rate": lambda run, cured: d_rate(cured) == cured.lr_g,
    "Give D a wider": lambda run, cured: width_of(cured) > width_of(run),
    "less momentum": lambda run, cured: cured.beta1 < run.beta1,
    "Omit what hides": lambda run, cured: not {"dropout-d", "flip-labels"} & names_of(cured),
    "smooth-labels": lambda run, cured: False,  # which hides nothing
    "dcgan-skip": lambda run, cured: cured.generator != run.generator,
    "transposed": lambda run, cured: cured.generator != run.generator,
}


def names_of(run):
    return {trick.name for trick in run.tricks}


@pytest.mark.parametrize("name", RUNS)
def test_the_settings_do_what_the_cure_says(registry, tiny, cures_of, name):
    run = made(registry, tiny, RUNS[name])
    for rule, (finding, _) in cures_of(run).items():
        cured = dataclasses.replace(run, **finding.options)
        assert cured.beta1 <= run.beta1, rule
        for words, holds in CLAIMS.items():
            assert words not in finding.cure or holds(run, cured), (rule, finding.cure)
        if cured.generator != run.generator:
            assert "dcgan-skip" in finding.cure or "transposed" in finding.cure


def test_a_rate_of_0_is_raised_by_the_command(registry, tiny):
    run = made(registry, tiny, {"lr_g": 0.0})
    history = history_of("step-size", run)
    for name, value in (("step_d", 0.01), ("step_g", 0.0)):
        history.numbers[f"doctor.{name}"][1][:] = [value] * LOOKS
    (rule,) = [rule for rule in build_rules(registry) if rule.name == "step-size"]
    finding = rule.look(Seen(run, history, STEPS))
    assert finding.cure == "Raise the learning rate of G."
    assert taken(registry, cured_command(run, finding.options)).lr_g == 2e-4


@pytest.mark.parametrize(
    ("rule", "settings", "rates"),
    [
        ("oscillation", {"lr_g": 2.5e-3, "lr_d": 2.5e-3}, (4e-4, 4e-4)),
        ("oscillation", {"lr_g": 8e-4, "lr_d": 4e-4}, (2e-4, 1e-4)),
        ("checkerboard", {"lr_g": 3e-3, "lr_d": 5e-4}, (2e-4, 4e-4)),
        ("checkerboard", {"lr_g": 2e-4, "lr_d": 5e-5}, (1e-4, 1e-4)),
        ("mode-collapse", {"lr_g": 5e-3, "lr_d": 1.5e-4}, (4e-4, 4e-4)),
        ("d-dominates", {"lr_g": 5e-5, "lr_d": 1e-3, "d_steps": 5}, (4e-4, 4e-4)),
        ("d-dominates", {"lr_g": 2e-5, "lr_d": 2e-3}, (2e-4, 2e-4)),
        ("mode-collapse", {"lr_g": 1e-4, "lr_d": 2e-2}, (2e-4, 2e-4)),  # D races, not G
        ("mode-collapse", {"lr_g": 5e-5, "lr_d": 1e-3, "d_steps": 5}, (4e-4, 4e-4)),
        ("step-size", {"lr_g": 0.1, "lr_d": 0.1}, (2e-4, 2e-4)),
    ],
)
def test_the_learning_rates_of_a_cure(registry, tiny, cures_of, rule, settings, rates):
    finding, command = cures_of(made(registry, tiny, settings))[rule]
    cured = taken(registry, command)
    assert (cured.lr_g, cured.lr_d) == rates, finding.cure


def test_a_cure_names_both_players_if_it_changes_both(registry, tiny, cures_of):
    finding, _ = cures_of(made(registry, tiny, {"lr_g": 0.1, "lr_d": 0.1}))["step-size"]
    assert finding.cure == "Lower both learning rates."
    finding, _ = cures_of(made(registry, tiny, {"lr_g": 4e-4, "lr_d": 0.1}))["step-size"]
    assert finding.cure == "Lower the learning rate of D."


def test_few_pictures_are_not_the_cause_where_d_learns_far_faster(registry, tiny, cures_of):
    finding, _ = cures_of(made(registry, tiny, {"lr_d": 4e-2, "lr_g": 1e-4}))["too-few-pictures"]
    assert not finding.setting
    finding, _ = cures_of(made(registry, tiny, {}))["too-few-pictures"]
    assert finding.setting == "60 training pictures"


def test_groups_and_alike_pictures_have_their_own_words(registry, tiny):
    run = made(registry, tiny, {})
    (rule,) = [rule for rule in build_rules(registry) if rule.name == "mode-collapse"]
    texts = []
    for near, diversity in ((0.2, 0.6), (0.4, 0.33), (0.05, 0.05)):
        history = history_of("idle-trick", run)
        for name, value in (("near", near), ("diversity", diversity)):
            history.numbers[f"doctor.{name}"][1][:] = [value] * LOOKS
        texts.append(rule.look(Seen(run, history, STEPS)).text)
    assert "the nearest neighbour of a picture is 33 % as far as" in texts[0]
    assert texts[1] == "G's pictures are nearly alike: they have 33 % of the variety of real ones."
    assert "5 % of the variety" in texts[2]


@pytest.mark.parametrize(
    ("settings", "step_d", "step_g", "rates"),  # rates: of G and D
    [
        ({"lr_g": 1e-6, "lr_d": 3.5e-4}, 0.01, 1e-5, (3.5e-4, 3.5e-4)),
        ({"lr_g": 5e-4, "lr_d": 1e-6}, 1e-5, 0.01, (5e-4, 5e-4)),
        ({"lr_g": 1e-6, "lr_d": 5e-3}, 0.01, 1e-5, (2e-4, 5e-3)),  # D's is not usual
        ({"lr_g": 1e-6, "lr_d": 5e-4, "d_steps": 4}, 0.01, 1e-5, (2e-4, 5e-4)),
        ({"lr_g": 1e-7, "lr_d": 1e-7}, 1e-6, 1e-6, (2e-4, 2e-4)),
    ],
)
def test_a_player_that_hardly_learns_gets_the_other_players_rate_if_that_is_usual(
    registry, tiny, settings, step_d, step_g, rates
):
    run = made(registry, tiny, settings)
    history = history_of("idle-trick", run)
    for name, value in (("step_d", step_d), ("step_g", step_g)):
        history.numbers[f"doctor.{name}"][1][:] = [value] * LOOKS
    (rule,) = [rule for rule in build_rules(registry) if rule.name == "step-size"]
    finding = rule.look(Seen(run, history, STEPS))
    cured = taken(registry, cured_command(run, finding.options))
    assert (cured.lr_g, cured.lr_d) == pytest.approx(rates)


@pytest.mark.parametrize(
    ("settings", "rates"),
    [
        ({"lr_g": 1e-4, "lr_d": 0.02}, (2e-4, 2e-4)),  # G's would be far too low with a hundredth
        ({"lr_g": 1e-4, "lr_d": 1e-3, "tricks": ["ttur"]}, (2e-4, 2e-4)),
        ({"lr_g": 1e-5, "lr_d": 1e-4}, (2.5e-5, 2.5e-5)),  # neither may learn faster than now
        (
            {"lr_g": 1e-3, "lr_d": 1e-3, "tricks": ["ttur:factor=10"], "loss": "wasserstein"},
            (2e-4, 2e-4),
        ),
        ({"lr_g": 0.01, "lr_d": 0.02}, (1e-4, 2e-4)),
        ({"lr_g": 2e-4, "lr_d": 2e-4}, (5e-5, 5e-5)),
    ],
)
def test_a_run_that_diverges_gets_rates_at_which_both_players_learn(
    registry, tiny, settings, rates
):
    run = made(registry, tiny, settings)
    (rule,) = [rule for rule in build_rules(registry) if rule.name == "diverging"]
    finding = rule.look(Seen(run, history_of("diverging", run), STEPS))
    cured = taken(registry, cured_command(run, finding.options))
    assert (cured.lr_g, d_rate(cured)) == pytest.approx(rates)


@pytest.mark.parametrize(
    ("trick", "kept", "words"),
    [
        ("diffaugment", "diffaugment:policy=translation+cutout", "Let diffaugment leave"),
        ("diffaugment:policy=color", None, "Omit diffaugment, which only changes colours"),
        ("diffaugment:policy=color+cutout", "diffaugment:policy=cutout", "Let diffaugment leave"),
        ("ada:kimg=20,policy=translate+color", "ada:kimg=20,policy=translate", "Let ada leave"),
        ("ema", "ema", "Lower G's learning rate."),
    ],
)
def test_a_trick_that_changes_colours_keeps_its_other_changes(
    registry, tiny, cures_of, trick, kept, words
):
    run = made(registry, tiny, {"tricks": [trick, "smooth-labels"]})
    finding, command = cures_of(run)["colour-shift"]
    texts = {str(trick) for trick in taken(registry, command).tricks}
    assert texts == {"smooth-labels"} | ({kept} if kept else set())
    assert finding.cure.startswith(words)


@pytest.mark.parametrize("name", POLICIES)
def test_the_default_policies_are_those_of_the_tricks(registry, name):
    build = type(registry.make("trick", name))
    assert inspect.signature(build).parameters["policy"].default == POLICIES[name]


@pytest.mark.parametrize(("name", "is_even"), [("tf-dcgan", True), ("dcgan", False)])
def test_circles_of_kernels_that_overlap_unevenly_are_cured_with_an_even_g(
    registry, tiny, cures_of, name, is_even
):
    run = made(registry, tiny, {"generator": f"{name}:base_channels=14", "lr_g": 2.5e-3})
    finding, command = cures_of(run)["oscillation"]
    kept = Choice(name, {"base_channels": 14})
    even = Choice("dcgan-skip", {"base_channels": 14})
    assert taken(registry, command).generator == (even if is_even else kept)
    assert ("without transposed convolutions" in finding.cure) == is_even


def test_a_run_with_a_base_keeps_its_networks_and_can_go_without_it(
    registry, tiny, cures_of, trained
):
    run = made(registry, tiny, {"init": trained, "dataset": "petals:count=80"})
    assert run.generator.name == "dcgan"  # whose kernels are cured by another G elsewhere
    for rule, (finding, command) in cures_of(run).items():
        if command:
            assert taken(registry, command).generator == run.generator, rule
            assert taken(registry, command).discriminator == run.discriminator, rule
        assert "dcgan-skip" not in finding.cure
    assert setting_to_argv("init", "") == ["--init", "none"]


def test_d_that_hardly_learns_is_not_said_to_see_nothing_because_of_smooth_labels(
    registry, tiny, cures_of
):
    settings = {"tricks": ["smooth-labels", "ema"], "lr_d": 5e-5, "lr_g": 4e-4}
    narrow = {**settings, "discriminator": "dcgan:base_channels=2"}
    cure, _ = cures_of(made(registry, tiny, narrow))["d-too-weak"]
    assert cure.options["discriminator"].options == {"base_channels": 16}
    wide = {**settings, "discriminator": "dcgan:base_channels=8"}
    cure, _ = cures_of(made(registry, tiny, wide))["d-too-weak"]
    assert cure.options == {"lr_d": 4e-4, "lr_g": 2e-4}


def test_an_infinite_gradient_of_float16_does_not_make_all_others_look_small(registry, tiny):
    run = compose(registry, **tiny(length=f"{STEPS} steps"))
    history = history_of("stalled", run)
    history.add({"step": STEPS // LOOKS, "doctor.auc": 1.0, "doctor.grad_g": float("inf")})
    for look in range(8, LOOKS + 1):
        history.add({"step": look * STEPS // LOOKS, "doctor.auc": 1.0})
    (rule,) = [rule for rule in build_rules(registry) if rule.name == "vanishing-gradient"]
    assert rule.look(Seen(run, history, STEPS)) is None
