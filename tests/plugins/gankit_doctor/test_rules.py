"""Each rule: silent where all is well, fires on the log of a run that was broken so."""

import csv
import dataclasses
from pathlib import Path

import pytest
from gankit_doctor.blindfolds import FADES, LIMITS, WIDTHS
from gankit_doctor.build_rules import build_rules
from gankit_doctor.engine import HEALTHY, STOP_HERE, Engine, replay, verdict
from gankit_doctor.penalties import WEIGHTS
from gankit_doctor.rules import RULES
from histories import make_history

from gankit import compose, testing
from gankit.core.contracts.seen import History, Seen
from gankit.core.parts.registry import load_registry
from gankit.core.run.stage import Stage
from gankit.training.settings.combine import check_tricks

LOGS = Path(__file__).parents[2] / "fixtures" / "doctor"
SETTINGS = {  # of the runs whose logs these are
    "d-dominates": {"lr_d": 2e-3, "lr_g": 2e-5},
    "step-size": {"lr_d": 1e-6},
    "diverging": {"loss": "wasserstein", "lr_g": 0.02, "lr_d": 0.02},
    "d-too-weak": {"tricks": "flip-labels:p=0.5,which=both"},
    "vanishing-gradient": {"loss": "minimax", "lr_d": 2e-3, "lr_g": 2e-4},
    "oscillation": {"beta1": 0.9, "lr_g": 2e-3, "lr_d": 2e-3},
    "mode-collapse": {"lr_g": 5e-3, "lr_d": 2e-4},
    "d-overfits": {},
    "too-few-pictures": {},
    "colour-shift": {"tricks": "diffaugment:policy=color", "lr_g": 5e-3},
    "penalty-too-strong": {"tricks": "r1:gamma=300"},
    "unbounded-critic": {"loss": "wasserstein"},
    "idle-trick": {"tricks": "noisy-d:sigma=0.0001"},
    "stalled": {"tricks": "ema:decay=0.9999,ramp=0.0"},
    "dead-units": {"lr_g": 0.5, "lr_d": 0.5},
    "checkerboard": {"lr_g": 4e-3},
    "missing-modes": {"lr_g": 1e-3, "lr_d": 3e-4},
    "memorisation": {},  # looks at training pictures under noise, in place of G's
}

CONSEQUENCES = (  # of other findings
    "dead-units",
    "vanishing-gradient",
    "missing-modes",
    "oscillation",
    "memorisation",
)


def read(name):
    with (LOGS / f"{name}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    numbers = {key: [float(row[key] or "nan") for row in rows] for key in rows[0] if is_number(key)}
    texts = {key: [row[key] for row in rows] for key in rows[0] if not is_number(key)}
    return numbers | texts


def is_number(name):
    return "." in name or name in ("step", "d_loss", "g_loss", "penalty", "d_real", "d_fake")


def made_run(tiny, steps, **settings):
    run = compose(
        **tiny(**{"batch_size": 32, "tricks": "none", "lr_g": 5e-4, "lr_d": 5e-4, **settings})
    )
    return dataclasses.replace(run, steps=steps)


@pytest.fixture
def diagnosed(tiny, registry):
    """The engine after the log of a broken run; the rule that broke it is known."""

    def call(name, **changes):
        log = read(name)
        run = made_run(tiny, int(log["step"][-1]), **{**SETTINGS[name], **changes})
        return replay(run, History.of(log), build_rules(registry))

    return call


@pytest.mark.parametrize("name", SETTINGS)
def test_it_fires_on_the_log_of_a_run_that_was_broken_so(diagnosed, name):
    names = [episode.name for episode in diagnosed(name).ordered()]
    if name in CONSEQUENCES:
        assert name in names
    else:
        assert names[0] == name


AHEAD = {"auc": 1.0, "logit_gap": 6.0, "turnover": 0.1, "simple": 1.0}
SHAPES_ONLY = {"far": [0.5 * 0.8**index for index in range(12)], "texture": 0.8}
BLURRED = {"auc": 0.9, "simple": 1.0, "logit": 1.0, "texture": 0.7, "far": [0.5] + [0.02] * 11}


@pytest.mark.parametrize(
    ("expected", "settings", "looks"),
    [
        (["d-dominates"], {}, {**AHEAD, **SHAPES_ONLY}),
        ([], {}, {**AHEAD, **SHAPES_ONLY, "turnover": 0.9}),  # G moves, so it learns
        ([], {}, {**AHEAD, **SHAPES_ONLY, "logit_gap": 2.5}),
        (["d-dominates"], {"lr_d": 5e-3}, {**AHEAD, **SHAPES_ONLY, "logit_gap": 2.5}),
        ([], {"tricks": "ema:decay=0.9999,ramp=0.0"}, {**AHEAD, **SHAPES_ONLY, "turnover": 0.0}),
        (["d-too-weak"], {"tricks": "dropout-d:p=0.99"}, BLURRED),
        (["d-too-weak"], {"tricks": "noisy-d:sigma=5"}, BLURRED),
        ([], {"tricks": "dropout-d:p=0.5"}, BLURRED),
        ([], {}, BLURRED),
        (["d-too-weak"], {}, {**BLURRED, "auc": 0.5, "logit": 0.04}),  # D is too small
        ([], {"lr_g": 5e-3}, {**BLURRED, "auc": 0.5, "logit": 0.04}),  # G is too fast
    ],
)
def test_what_the_pictures_and_the_settings_make_of_it(tiny, registry, expected, settings, looks):
    run = made_run(tiny, 480, **settings)
    rules = [r for r in build_rules(registry) if r.name in ("d-dominates", "d-too-weak")]
    engine = replay(run, make_history(**looks), rules)
    assert [episode.name for episode in engine.ordered()] == expected


LOWER_RATE = {"lr_g": 1.3e-4}


@pytest.mark.parametrize(
    ("settings", "looks", "options"),
    [
        ({}, {"dead_g": [0.7] * 12}, LOWER_RATE),
        ({"init": "old:9"}, {"dead_g": [0.0] * 6 + [0.7] * 6}, LOWER_RATE),
        ({"init": "old:9"}, {"dead_g": [0.4] + [0.7] * 11}, LOWER_RATE),
        ({"init": "old:9"}, {"dead_g": [0.7] * 12, "step_g": [0.2] * 12}, LOWER_RATE),
        ({"init": "old:9"}, {"dead_g": [0.7] * 12}, {"init": "", "tricks": ()}),
    ],
)
def test_dead_units_of_a_base_are_cured_by_going_without_it(
    tiny, registry, settings, looks, options
):
    run = made_run(tiny, 480, tricks="freeze-d" if settings else "none")
    run = dataclasses.replace(run, **settings)
    rules = [rule for rule in build_rules(registry) if rule.name in ("dead-units", "step-size")]
    engine = replay(run, make_history(dead_d=0.0, **{"step_g": [0.01] * 12, **looks}), rules)
    (episode,) = [e for e in engine.episodes if e.name == "dead-units"]
    assert episode.finding.options == options
    assert ("in old already" in episode.finding.text) == ("init" in options)


@pytest.mark.parametrize(("batch_size", "expected"), [(410, HEALTHY), (520, STOP_HERE)])
def test_a_run_is_told_to_stop_only_after_many_pictures(tiny, registry, batch_size, expected):
    """Before that, KID falls while the numbers of the looks stand still."""
    rules = [rule for rule in build_rules(registry) if rule.name == "stalled"]
    run = dataclasses.replace(made_run(tiny, 960), batch_size=batch_size)
    history = make_history(far=[0.4] * 4 + [0.02] * 20, texture=0.1, turnover=0.1)
    assert verdict(replay(run, history, rules), run, history) == expected


def test_long_steps_of_an_earlier_stage_are_not_blamed_on_the_rate_of_now(tiny, registry):
    rules = [rule for rule in build_rules(registry) if rule.name == "step-size"]
    stages = (Stage(400, {"lr_g": 0.03, "lr_d": 0.03}),)
    run = dataclasses.replace(made_run(tiny, 640), lr_g=2e-4, lr_d=2e-4, stages=stages)
    sizes = [0.2] * 10 + [0.01] * 6
    engine = replay(run, make_history(step_g=sizes, step_d=sizes), rules)
    (episode,) = engine.episodes
    assert episode.finding.evidence["lr_d"] == 0.03
    assert episode.until == 440


@pytest.mark.parametrize(("rate", "since"), [(0.03, 40), (0.01, 160)])
def test_a_rate_beyond_all_use_is_named_at_the_first_look(tiny, registry, rate, since):
    """The steps of a large network may look usual at first."""
    rules = [rule for rule in build_rules(registry) if rule.name == "step-size"]
    run = dataclasses.replace(made_run(tiny, 480), lr_g=rate, lr_d=rate)
    engine = Engine(rules)
    history = make_history(step_g=[0.2] * 12, step_d=0.2)
    told = [step for step in history.looks if engine.add(Seen(run, history, step))]
    assert told == [since]


CIRCLES = {"turnover": [1.4] * 12, "diversity": 1.5, "far": [0.6] * 2 + [0.1] * 10, "texture": 0.1}
DOTS = {"pattern_2": [0.3] * 12, "pattern_4": 0.1, "far": 0.3, "texture": 0.6}
GARISH = {"contrast": [0.9] * 12, "clipped": 0.1, "shift": 0.5, "diversity": 0.9, "turnover": 0.2}
TWINS = {"diversity": [0.34] * 12, "near": 0.3, "turnover": 0.3}
KNOWN = {"auc_held": [0.9] * 12}


@pytest.mark.parametrize(
    ("rule", "looks", "settings", "word"),
    [
        ("oscillation", CIRCLES, {"beta1": 0.9}, "--beta1"),
        ("checkerboard", DOTS, {"generator": "tf-dcgan", "lr_g": 3e-3}, "tf-dcgan"),
        ("checkerboard", DOTS, {"generator": "tf-dcgan"}, ""),
        ("checkerboard", DOTS, {"generator": "dcgan-skip", "lr_g": 3e-3}, ""),
        ("colour-shift", GARISH, {"tricks": "diffaugment:policy=color"}, "policy=color"),
        ("colour-shift", GARISH, {}, ""),
        ("mode-collapse", TWINS, {"lr_g": 5e-3}, "10 times"),
        ("mode-collapse", TWINS, {"lr_g": 5e-3, "tricks": "diffaugment:policy=color"}, None),
        ("mode-collapse", TWINS, {"latent_dim": 2}, "--latent-dim"),
        ("d-overfits", {**KNOWN, "pictures": 800}, {}, ""),
        ("d-overfits", {**KNOWN, "pictures": 200}, {}, "200"),
    ],
)
def test_a_setting_far_from_the_usual_explains_it(tiny, registry, rule, looks, settings, word):
    """`word`: of the setting that is named; empty: none; None: it is not found."""
    run = made_run(tiny, 480, **settings)
    rules = [other for other in build_rules(registry) if other.name == rule]
    engine = replay(run, make_history(**looks), rules)
    names = [episode.finding.setting for episode in engine.episodes]
    assert len(names) == (word is not None)
    assert all(word in name and bool(word) == bool(name) for name in names)


def test_d_may_be_ahead_because_a_trick_that_holds_it_back_is_idle(tiny, registry):
    history = make_history(**AHEAD, far=[0.5] * 12, texture=0.8)
    rules = [rule for rule in build_rules(registry) if rule.name in ("idle-trick", "d-dominates")]
    for trick, expected in (
        ("dropout-d:p=0.0", [("idle-trick", ""), ("d-dominates", "idle-trick")]),
        ("r1:gamma=0.0", [("d-dominates", ""), ("idle-trick", "")]),
    ):
        engine = replay(made_run(tiny, 480, tricks=trick), history, rules)
        assert [(e.name, e.because) for e in engine.ordered()] == expected


@pytest.mark.parametrize(
    ("trick", "looks", "expected"),
    [
        ("r1:gamma=300", {}, 1),  # of many times its default, which needs only bad pictures
        ("r1:gamma=1", {}, 0),
        ("r1:gamma=1", {"penalty": 6.0}, 1),
        ("r1:gamma=1,every=8", {"penalty": 6.0}, 0),  # eight times as strong, and as seldom
        ("r1:gamma=1,every=4", {"logit": 0.1}, 1),
        ("r1:gamma=0.1,every=4", {"logit": 0.1}, 0),  # too weak to make D flat
        ("r1:gamma=1", {"penalty": 6.0, "auc": 1.0}, 0),  # D tells all pictures apart
        ("r1:gamma=300", {"auc": 1.0}, 1),
    ],
)
def test_a_penalty_is_blamed_by_its_weight_and_its_share(tiny, registry, trick, looks, expected):
    rules = [rule for rule in build_rules(registry) if rule.name == "penalty-too-strong"]
    usual = {"far": [0.4] * 12, "texture": 0.8, "logit": 0.5, "auc": 0.9, "penalty": 0.2}
    usual |= {"d_loss": 1.8}
    engine = replay(made_run(tiny, 480, tricks=trick), make_history(**{**usual, **looks}), rules)
    assert len(engine.episodes) == expected


@pytest.mark.parametrize(("interval", "expected"), [(40, 1), (120, 0)])
def test_pictures_may_change_more_in_a_longer_time(tiny, registry, interval, expected):
    rules = [rule for rule in build_rules(registry) if rule.name == "oscillation"]
    run = made_run(tiny, 12 * interval)
    history = make_history(interval, turnover=[0.65] * 12, diversity=1.0, far=0.4, texture=0.8)
    assert len(replay(run, history, rules).episodes) == expected


def test_answers_that_are_large_from_the_start_are_an_unbounded_critic(tiny, registry):
    rules = [rule for rule in build_rules(registry) if rule.name == "unbounded-critic"]
    history = make_history(logit=[17.0, 15, 19, 11, 5, 10, 14, 10, 20, 10, 20, 20])
    for loss, expected in (("wasserstein", 1), ("hinge", 0)):
        run = made_run(tiny, 480, loss=loss)
        assert len(replay(run, history, rules).episodes) == expected


@pytest.mark.parametrize("trick", ["noisy-labels:amount=0", "blur:sigma=0.05", "wgan-gp:weight=0"])
def test_a_trick_of_no_strength_is_idle(tiny, registry, trick):
    rules = [rule for rule in build_rules(registry) if rule.name == "idle-trick"]
    run = made_run(tiny, 480, tricks=trick)
    (episode,) = replay(run, make_history(auc=[0.9] * 6), rules).episodes
    assert episode.finding.evidence["trick"].startswith(trick.partition(":")[0])


@pytest.mark.parametrize("spec", RULES, ids=lambda spec: spec.name)
def test_it_passes_the_conformance_kit(spec):
    # diverging fires at once, before all looks
    is_recorded = spec.name in SETTINGS and spec.name != "diverging"
    log = read(spec.name) if is_recorded else None
    testing.check_rule(spec.name, fires_on=log, **(SETTINGS[spec.name] if is_recorded else {}))


@pytest.mark.parametrize(
    ("pictures", "steps", "expected"), [(20, 100, 1), (20, 10, 0), (800, 3000, 0), (800, 6000, 1)]
)
def test_very_few_pictures_are_too_few_sooner(tiny, registry, pictures, steps, expected):
    rules = [rule for rule in build_rules(registry) if rule.name == "too-few-pictures"]
    run = made_run(tiny, steps)
    assert len(replay(run, make_history(pictures=[pictures] * 2), rules).episodes) == expected


def test_the_defaults_of_tricks_that_rules_know_are_those_of_the_tricks():
    registry = load_registry()
    known = [
        (name, option, default) for name, (option, default, _) in {**LIMITS, **WEIGHTS}.items()
    ]
    known += [(name, "until", default) for name, default in FADES.items()]
    for name, width in WIDTHS.items():
        parameters = registry.find("discriminator", name).parameters()
        assert parameters["base_channels"].default == width, name
    for name, option, default in known:
        assert registry.find("trick", name).parameters()[option].default == default, (name, option)


def test_a_lost_log_makes_no_trick_idle(tiny, registry):
    rules = [rule for rule in build_rules(registry) if rule.name == "idle-trick"]
    run = made_run(tiny, 480, tricks="ema")
    assert not replay(run, make_history(auc=[0.9] * 6), rules).episodes
    looked_now = make_history(auc=[0.9] * 6, d_loss=1.0)  # at the networks of a run without a log
    assert not replay(run, looked_now, rules).episodes
    logged = make_history(auc=[0.9] * 6)
    for step in logged.looks[:]:
        logged.add({"step": step, "seconds": 1.0})
    assert replay(run, logged, rules).episodes


@pytest.mark.parametrize(("p", "expected"), [(0.1, ""), (0.8, "policy=translate+color")])
def test_ada_hides_colours_once_it_acts_often(tiny, registry, p, expected):
    rules = [rule for rule in build_rules(registry) if rule.name == "colour-shift"]
    run = made_run(tiny, 480, tricks="ada:policy=translate+color")
    history = make_history(**GARISH)
    for step in history.looks:
        history.add({"step": step, "ada.p": p})
    (episode,) = replay(run, history, rules).episodes
    assert expected in episode.finding.setting
    assert bool(expected) == bool(episode.finding.setting)


# --- what the cures change


def cure_of(registry, run, rule, **looks):
    """The settings of the run that the finding of this rule changes."""
    rules = [other for other in build_rules(registry) if other.name == rule]
    (episode,) = replay(run, make_history(**looks), rules).episodes
    return dataclasses.replace(run, **episode.finding.options)


@pytest.mark.parametrize(
    ("settings", "tricks", "zoom"),
    [
        ({}, ["ema", "diffaugment:policy=translation"], 1.5),
        ({"zoom": 2.0}, ["ema", "diffaugment:policy=translation"], 2.0),
        ({"tricks": ("diffaugment", "ema:decay=0.9")}, ["diffaugment", "ema"], 1.5),
        (
            {"tricks": "diffaugment:policy=color"},
            ["diffaugment:policy=translation", "ema"],
            1.5,
        ),
        ({"tricks": "ada"}, ["ada", "ema"], 1.5),  # they exclude each other
    ],
)
def test_few_pictures_get_more_variants(tiny, registry, settings, tricks, zoom):
    run = made_run(tiny, 480, **settings)
    cured = cure_of(registry, run, "d-overfits", **KNOWN, pictures=200)
    names = [str(trick) if trick.name == "diffaugment" else trick.name for trick in cured.tricks]
    assert names == tricks
    assert cured.flip
    assert cured.zoom == zoom


def test_a_run_that_has_all_variants_is_told_what_else_helps(tiny, registry):
    tricks = ("ema:decay=0.998", "ada:kimg=20,policy=translate+scale+color")
    run = made_run(tiny, 480, tricks=tricks, flip=True, zoom=1.5, generator="dcgan-skip")
    rules = [rule for rule in build_rules(registry) if rule.name == "d-overfits"]
    (episode,) = replay(run, make_history(**KNOWN, pictures=200), rules).episodes
    assert "Collect more pictures" in episode.finding.cure
    assert dataclasses.replace(run, **episode.finding.options) == run


@pytest.mark.parametrize(
    ("trick", "cured"),
    [
        ("ada:kimg=20,policy=translate+scale+color", "ada:kimg=20,policy=translate+scale"),
        ("diffaugment", "diffaugment:policy=translation+cutout"),
    ],
)
def test_augmentation_that_changes_colours_leaves_them(tiny, registry, trick, cured):
    run = made_run(tiny, 480, tricks=trick)
    cured_run = cure_of(registry, run, "colour-shift", **GARISH)
    assert cured_run.tricks == (cured,)
    assert check_tricks(registry, cured_run.tricks)


def test_a_d_that_learns_once_in_each_step_gets_as_many_updates_of_both(tiny, registry):
    run = made_run(tiny, 480, d_steps=5, lr_d=1e-3, lr_g=5e-5)
    cured = cure_of(registry, run, "d-dominates", **AHEAD, **SHAPES_ONLY)
    assert cured.d_steps == 1
    assert cured.steps == 480 * 6 / 2
    assert cured.lr_d == cured.lr_g


def test_a_critic_without_a_bound_gets_a_loss_that_needs_none(tiny, registry):
    run = made_run(tiny, 480, loss="wasserstein")
    cured = cure_of(registry, run, "unbounded-critic", logit=[20.0] * 12)
    assert cured.loss.name == "hinge"
    assert cured.tricks == run.tricks
