"""The ten stops of a step: what each is called, and the lines of step.py that it shows."""

from __future__ import annotations

from dataclasses import dataclass

from gankit_unfold.acts import Act
from gankit_unfold.source import Code, read_function

UPDATE = ("trick.before_update(", "player.scaler.step(", "trick.after_update(")


@dataclass(frozen=True)
class Stop:
    """A stop; its text is in the template stops.html, by its number."""

    player: str  # "D" or "G", whose update it belongs to
    title: str
    code: tuple[tuple[str, tuple[str, ...]], ...]  # functions of step.py, and the calls to mark
    places: tuple[str, ...] = ()  # methods of tricks that act here

    def functions(self) -> list[Code]:
        """The functions of step.py beside this stop."""
        return [read_function(name, calls) for name, calls in self.code]

    def acts_of(self, acts: list[Act]) -> list[Act]:
        """What tricks did at this stop."""
        return [act for act in acts if act.place in self.places and act.player in ("", self.player)]


STOPS = (
    Stop(
        "D",
        "Two kinds of pictures",
        (
            ("train_step", ("change_reals(", "gan.generate(", "begin_batch(gan, gan.D")),
            ("d_backward", ("trick.fakes(", "trick.targets(")),
        ),
        ("wrap", "start", "begin_batch", "reals", "fakes", "d_input"),
    ),
    Stop(
        "D",
        "D answers",
        (("d_backward", ("judge(",)), ("judge", ("gan.judge(", "trick.logits("))),
        ("logits",),
    ),
    Stop(
        "D",
        "What D's answers cost",
        (
            ("d_backward", ("loss.d_loss(", "sum_penalties(")),
            ("sum_penalties", ("trick.penalty(",)),
        ),
        ("targets", "penalty"),
    ),
    Stop("D", "Where D looks", (("d_backward", ("backward(",)), ("backward", ("torch.autograd",)))),
    Stop(
        "D",
        "D learns",
        (("train_step", ("update(gan, gan.D",)), ("update", UPDATE)),
        ("before_update", "after_update"),
    ),
    Stop(
        "G",
        "The same fakes, for G",
        (
            ("train_step", ("begin_batch(gan, gan.G", "g_backward(")),
            ("g_backward", ("gan.D.frozen(", "judge(")),
        ),
        ("begin_batch", "logits"),
    ),
    Stop(
        "G", "What D tells G", (("g_backward", ("loss.g_loss(", "sum_penalties(")),), ("penalty",)
    ),
    Stop(
        "G",
        "The picture that D asks for",
        (("g_backward", ("backward(",)), ("backward", ("torch.autograd",))),
    ),
    Stop(
        "G",
        "G learns",
        (("train_step", ("update(gan, gan.G",)), ("update", UPDATE)),
        ("before_update", "after_update"),
    ),
    Stop("G", "G's new pictures", (("train_step", ("update(gan, gan.G", "average_scalars(")),)),
)
