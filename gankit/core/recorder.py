"""StepRecord: what an observer of `step_taken` sees of a step, and the trick that records it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gankit.core.contracts.trick import Targets, Trick
from gankit.core.errors import GankitError
from gankit.core.gan import Gan, Player
from gankit.core.step import Scalars


@dataclass
class PlayerRecord:
    """One player's update. Tensors are on the run's device; reading a number waits for it."""

    # The gradients that the optimiser used, after all tricks: name of a weight -> its gradient.
    grads: dict[str, Tensor]
    seconds: float = 0.0  # that this player's part of the step took
    # The norms of each weight before the update, and of its change; see `watch_updates`.
    weight_norms: dict[str, Tensor] = field(default_factory=dict)
    _update_norms: dict[str, Tensor] | None = None

    @property
    def grad_norms(self) -> dict[str, Tensor]:
        """The norm of the gradient of each weight: its name -> a tensor ()."""
        return {name: torch.linalg.vector_norm(grad) for name, grad in self.grads.items()}

    @property
    def grad_norm(self) -> Tensor:
        """The norm of all gradients together, a tensor ()."""
        return _total(self.grad_norms)

    @property
    def update_norms(self) -> dict[str, Tensor]:
        """The norm of the change of each weight: its name -> a tensor ().

        GankitError unless the observer has `watch_updates = True`.
        """
        if self._update_norms is None:
            cure = "write watch_updates = True in the observer"
            raise GankitError(f"the sizes of updates were not recorded: {cure}")
        return self._update_norms

    @property
    def update_norm(self) -> Tensor:
        """The norm of the change of all weights together, a tensor ()."""
        return _total(self.update_norms)

    @property
    def update_ratio(self) -> Tensor:
        """The norm of the change of all weights, as a share of the norm of all weights before."""
        return self.update_norm / _total(self.weight_norms)

    @property
    def update_ratios(self) -> dict[str, Tensor]:
        """The same for each weight; infinite for one that was 0, as new biases are."""
        return {name: norm / self.weight_norms[name] for name, norm in self.update_norms.items()}


def _total(norms: dict[str, Tensor]) -> Tensor:
    if not norms:
        raise GankitError("the player has no weights with a gradient in this step")
    total: Tensor = torch.linalg.vector_norm(torch.stack(list(norms.values())))
    return total


@dataclass
class StepRecord:
    """What one training step computed. With --d-steps above 1, that of D's last update in it.

    With --accumulate, all micro-batches are there. Under torchrun, it is the share of rank 0.
    Tensors are detached, are on the run's device, and hold memory as long as the record is kept.
    """

    real_logits: Tensor  # (N,), those of D's update that the loss got
    fake_logits: Tensor  # (N,)
    g_fake_logits: Tensor  # (N,), those of G's update
    targets: Targets  # of D's update
    d_loss: Tensor  # (), without the penalty
    g_loss: Tensor  # ()
    penalty: Tensor | None  # (), if a trick has one for D
    D: PlayerRecord
    G: PlayerRecord
    seconds: float  # until the program could go on: on a GPU, less than the step takes


class Recorder(Trick):
    """A trick that only looks. It is called after all others, and returns what it gets."""

    def __init__(self, keeps_updates: bool) -> None:
        self._keeps_updates = keeps_updates
        self._begun = time.perf_counter()
        self._started = self._begun  # of the player's part of the step
        # Of the update that is being computed, and of the last complete one of each player.
        self._logits: dict[bool, list[Tensor]] = {True: [], False: []}
        self._targets: list[Targets] = []
        self._weights: list[Tensor] = []
        self._of_update: dict[str, tuple[dict[bool, Tensor], list[Targets]]] = {}
        self._players: dict[str, PlayerRecord] = {}

    def targets(self, targets: Targets, gan: Gan) -> Targets:
        self._targets.append(targets)
        return targets

    def logits(self, logits: Tensor, gan: Gan, player: Player, is_real: bool) -> Tensor:
        self._logits[is_real].append(logits.detach())
        return logits

    def before_update(self, gan: Gan, player: Player) -> None:
        logits = {is_real: _join(parts) for is_real, parts in self._logits.items() if parts}
        self._of_update[player.name] = (logits, self._targets)
        self._logits = {True: [], False: []}
        self._targets = []
        grads = {n: w.grad for n, w in player.net.named_parameters() if w.grad is not None}
        self._players[player.name] = PlayerRecord(grads)
        if self._keeps_updates:
            self._weights = [weight.detach().clone() for weight in _weights(player).values()]

    @torch.no_grad()
    def after_update(self, gan: Gan, player: Player) -> None:
        record = self._players[player.name]
        now = time.perf_counter()
        record.seconds = now - self._started
        self._started = now
        if self._keeps_updates:
            weights = _weights(player)
            changes = torch._foreach_sub(list(weights.values()), self._weights)
            record.weight_norms = _norms(weights, self._weights)
            record._update_norms = _norms(weights, changes)
            self._weights = []

    def _make_record(self, scalars: Scalars) -> StepRecord:
        """The record of the step that was taken with this trick, and which returned `scalars`."""
        d_logits, targets = self._of_update["D"]
        g_logits, _ = self._of_update["G"]
        return StepRecord(
            real_logits=d_logits[True],
            fake_logits=d_logits[False],
            g_fake_logits=g_logits[False],
            targets=Targets(_join([t.real for t in targets]), _join([t.fake for t in targets])),
            d_loss=scalars["d_loss"],
            g_loss=scalars["g_loss"],
            penalty=scalars.get("penalty"),
            D=self._players["D"],
            G=self._players["G"],
            seconds=time.perf_counter() - self._begun,
        )


def _join(parts: Sequence[Tensor]) -> Tensor:
    """The micro-batches (n, ...) of a batch, one after the other."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def _weights(player: Player) -> dict[str, Tensor]:
    """The weights that the optimiser changes."""
    return {name: w for name, w in player.net.named_parameters() if w.requires_grad}


def _norms(names: dict[str, Tensor], tensors: Sequence[Tensor]) -> dict[str, Tensor]:
    return dict(zip(names, torch._foreach_norm(list(tensors)), strict=True))
