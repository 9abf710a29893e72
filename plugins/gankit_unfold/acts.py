"""Where each trick acted in a step: what it got is compared with what it returned."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from gankit.core.contracts.trick import Targets, Trick
from gankit.core.gan import Gan, Player

BEFORE = ("wrap", "start")  # methods that are called before the first step


@dataclass
class Act:
    """What a trick changed at one of its places in a step."""

    trick: str
    place: str  # the method of the trick
    player: str  # "G" or "D", whose update it is; empty for methods that are not told
    calls: int = 0
    acted: int = 0  # calls that changed something
    what: str = ""  # of the last call that changed something


@dataclass
class Acts:
    """All acts of a step, in the order in which the step calls the tricks."""

    by_place: dict[tuple[str, str, str], Act] = field(default_factory=dict)

    def note(self, trick: str, place: str, what: str, player: Player | None = None) -> None:
        """Count a call; an empty `what` means that nothing was changed."""
        name = player.name if player else ""
        act = self.by_place.setdefault((trick, place, name), Act(trick, place, name))
        act.calls += 1
        if what:
            act.acted += 1
            act.what = what

    def listed(self) -> list[Act]:
        """The acts that changed something."""
        return [act for act in self.by_place.values() if act.acted]


class WatchedTrick(Trick):
    """Calls a trick, and notes what each of its methods changed."""

    def __init__(self, trick: Trick, acts: Acts) -> None:
        self.trick = trick
        self.name = trick.name
        self.acts = acts
        for place in BEFORE:
            if trick.overrides(place):
                acts.note(self.name, place, "prepared the networks before the first step")

    def begin_batch(self, gan: Gan, player: Player) -> None:
        before = dict(vars(self.trick))
        self.trick.begin_batch(gan, player)
        changed = [
            name for name, value in vars(self.trick).items() if before.get(name) is not value
        ]
        self.acts.note(
            self.name, "begin_batch", f"set {', '.join(changed)}" if changed else "", player
        )

    def reals(self, images: Tensor, gan: Gan) -> Tensor:
        before = images.clone()
        return self._images("reals", before, self.trick.reals(images, gan))

    def fakes(self, images: Tensor, gan: Gan) -> Tensor:
        before = images.clone()
        return self._images("fakes", before, self.trick.fakes(images, gan))

    def d_input(self, images: Tensor, gan: Gan) -> Tensor:
        before = images.detach().clone()
        return self._images("d_input", before, self.trick.d_input(images, gan))

    def _images(self, place: str, before: Tensor, after: Tensor) -> Tensor:
        if after.shape != before.shape:
            height, width = after.shape[2:]
            self.acts.note(self.name, place, f"shrank the pictures to {width} x {height} px")
            return after
        change = float((after.detach() - before).abs().mean())
        what = f"changed pixels by {change:.2g} on average (they run from -1 to 1)"
        self.acts.note(self.name, place, what if change else "")
        return after

    def targets(self, targets: Targets, gan: Gan) -> Targets:
        before = torch.cat([targets.real, targets.fake])
        after = Targets(*self.trick.targets(targets, gan))
        values = torch.cat([after.real, after.fake])
        changed = (values != before).nonzero().flatten().tolist()
        what = ""
        if changed:
            example = f"from {before[changed[0]]:.3g} to {values[changed[0]]:.3g}"
            what = f"changed {len(changed)} of {len(before)} targets, the first {example}"
        self.acts.note(self.name, "targets", what)
        return after

    def logits(self, logits: Tensor, gan: Gan, player: Player, is_real: bool) -> Tensor:
        before = logits.detach().clone()
        after = self.trick.logits(logits, gan, player, is_real)
        what = ""
        if len(after) < len(before):
            what = f"kept {len(after)} of {len(before)} logits"
        elif not torch.equal(after.detach(), before):
            what = "changed D's logits"
        elif after is not logits:
            what = f"changed which pictures {player.name} learns from, not the logits"
        self.acts.note(self.name, "logits", what, player)
        return after

    def penalty(self, gan: Gan, player: Player, real: Tensor, fake: Tensor) -> Tensor | None:
        penalty = self.trick.penalty(gan, player, real, fake)
        what = (
            ""
            if penalty is None
            else f"added {float(penalty.detach()):.4g} to {player.name}'s loss"
        )
        self.acts.note(self.name, "penalty", what, player)
        return penalty

    def before_update(self, gan: Gan, player: Player) -> None:
        rates = _rates(player)
        gradients = [w.grad.clone() for w in player.net.parameters() if w.grad is not None]
        self.trick.before_update(gan, player)
        changes = _describe_rates(player, rates)
        later = [w.grad for w in player.net.parameters() if w.grad is not None]
        if len(later) != len(gradients) or not all(map(torch.equal, gradients, later)):
            norms = f"{_norm(gradients):.3g} to {_norm(later):.3g}"
            changes.append(f"changed {player.name}'s gradients (their norm from {norms})")
        self.acts.note(self.name, "before_update", "; ".join(changes), player)

    def after_update(self, gan: Gan, player: Player) -> None:
        rates = _rates(player)
        weights = [w.detach().clone() for w in player.net.parameters()]
        average = [] if gan.sampler is gan.G.net else [w.clone() for w in gan.sampler.parameters()]
        self.trick.after_update(gan, player)
        changes = _describe_rates(player, rates)
        if not all(map(torch.equal, weights, player.net.parameters())):
            changes.append(f"changed {player.name}'s weights")
        if average and not all(map(torch.equal, average, gan.sampler.parameters())):
            changes.append("moved the average of G, from which pictures are sampled")
        self.acts.note(self.name, "after_update", "; ".join(changes), player)


def _rates(player: Player) -> list[float]:
    return [float(group["lr"]) for group in player.adam.param_groups]


def _describe_rates(player: Player, before: list[float]) -> list[str]:
    """The change of a player's learning rate, if there is one."""
    after = _rates(player)
    if before == after:
        return []
    return [f"changed {player.name}'s learning rate from {before[0]:.4g} to {after[0]:.4g}"]


def _norm(tensors: list[Tensor]) -> float:
    if not tensors:
        return 0.0
    return float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(tensors))))
