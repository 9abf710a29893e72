"""Trick: one method for each place in a training step where a trick may act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from gankit.core.errors import did_you_mean

if TYPE_CHECKING:
    from torch import Tensor

    from gankit.core.gan import Gan, Player


class Targets(NamedTuple):
    """What D is asked to answer in its own step: 1 for real, 0 for fake, until a trick differs."""

    real: Tensor  # (N,)
    fake: Tensor  # (N,)


class Trick:
    """Does nothing; a trick overrides the places where it acts.

    Tricks are asked in the order of the command line. They return values and never call an
    optimiser. Random draws come from `gan.draw(purpose)`, so that a run can be repeated and
    resumed. A public method of another name is an error: a misspelt one would never be called.
    """

    name = ""  # set by gankit from the trick's spec
    excludes: ClassVar[dict[str, str]] = {}  # tricks that it cannot go with, and why

    def wrap(self, gan: Gan) -> None:
        """Change the networks, or raise ValueError where they lack what it needs; before Adam."""

    def start(self, gan: Gan) -> None:
        """Everything is on its device and training (or resuming) is about to begin."""

    def fakes(self, images: Tensor, gan: Gan) -> Tensor:
        """The fakes (N, C, H, W) that D is about to learn from; returns those it shall see."""
        return images

    def d_input(self, images: Tensor, gan: Gan) -> Tensor:
        """In front of D: real and fake images, in D's step and in G's; gradients must pass."""
        return images

    def targets(self, targets: Targets, gan: Gan) -> Targets:
        """What D is asked to answer, in D's step only."""
        return targets

    def logits(self, logits: Tensor, gan: Gan, player: Player, is_real: bool) -> Tensor:
        """Behind D: its logits (N,) for the real or the fake images of this player's update.

        Returns those that the loss shall see; for G's update gradients must pass. A trick that only
        wants to know what D thinks returns them as they are. Passes of penalties do not come here.
        """
        return logits

    def penalty(self, gan: Gan, player: Player, real: Tensor, fake: Tensor) -> Tensor | None:
        """A weighted scalar to add to the player's loss, or None; pays for its own forward pass."""
        return None

    def before_update(self, gan: Gan, player: Player) -> None:
        """The player's gradients are ready, its weights have not moved yet."""

    def after_update(self, gan: Gan, player: Player) -> None:
        """The player's weights have just moved."""

    def activity(self) -> str | None:
        """What it did since it was last asked, for the log; None if it did nothing."""
        return None

    def state_dict(self) -> dict[str, Any]:
        """Tensors, numbers, texts, lists and dicts of these that a resumed run needs."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave; called after `start`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, value in vars(cls).items():
            if callable(value) and not name.startswith("_") and not hasattr(Trick, name):
                hint = did_you_mean(name, [n for n in vars(Trick) if not n.startswith("_")])
                raise TypeError(f"{cls.__name__}.{name} is no place in a step.{hint}")
        if not isinstance(cls.excludes, dict):
            raise TypeError(f"{cls.__name__}.excludes is no dict: write {{'ema': 'why'}}")

    def overrides(self, *places: str) -> bool:
        """Whether this trick acts in any of the places."""
        return any(getattr(type(self), place) is not getattr(Trick, place) for place in places)
