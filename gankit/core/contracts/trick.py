"""Trick: the base class of tricks, with one method for each hook point of a training step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn

from gankit.core.contracts.contract import require_known_methods
from gankit.core.reported import Activity

if TYPE_CHECKING:
    from torch import Tensor

    from gankit.core.gan import Gan, Player


class Targets(NamedTuple):
    """The targets of D's update: 1 for real and 0 for fake images, unless a trick changes them."""

    real: Tensor  # (N,)
    fake: Tensor  # (N,)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"targets.{name} cannot be set: return a new Targets(real, fake)")


class Trick:
    """A trick overrides the methods where it acts; the methods of this class do nothing.

    Tricks are called in the order of the command line. They return values and never call an
    optimiser. They draw random numbers from `gan.draw(purpose)`, so that a run can be repeated and
    resumed. A public method that `Trick` does not have is an error, because it may be misspelt.
    """

    name = ""  # set by gankit from the trick's spec
    excludes: ClassVar[dict[str, str]] = {}  # tricks that it cannot be combined with -> why
    # For a trick that keeps what D has learnt: why it is of no use if D begins untrained.
    needs_trained_d: ClassVar[str] = ""
    # For a trick that changes D's input only later in a run: a part of its state in which a preview
    # shows it, as numbers.
    preview_state: ClassVar[dict[str, float]] = {}

    def wrap(self, gan: Gan) -> None:
        """Change the networks, before Adam is created; ValueError if they do not suit the trick."""

    def start(self, gan: Gan) -> None:
        """Called before the first step, also of a resumed run; everything is on its device."""

    def begin_batch(self, gan: Gan, player: Player) -> None:
        """Called once for each batch of a player's update, before its first micro-batch.

        The place to count batches and to change state: with `--accumulate`, the methods that take
        images or targets are called several times for a batch.
        """

    def reals(self, images: Tensor, gan: Gan) -> Tensor:
        """Change the images (N, C, H, W) that D takes for real; returns images of the same shape.

        Called in D's update. G's update gets the same images, for losses and penalties that use
        reals. If the networks can grow, they may be as small as G's pictures are now.
        """
        return images

    def fakes(self, images: Tensor, gan: Gan) -> Tensor:
        """Change the fakes (N, C, H, W) of D's update; returns images of the same shape."""
        return images

    def d_input(self, images: Tensor, gan: Gan) -> Tensor:
        """Change D's input (N, C, H, W): real and fake images, in D's update and in G's.

        Gradients must pass through, because G learns from them.
        """
        return images

    def targets(self, targets: Targets, gan: Gan) -> Targets:
        """Change the targets of D's update."""
        return targets

    def logits(self, logits: Tensor, gan: Gan, player: Player, is_real: bool) -> Tensor:
        """Change D's logits (N,) for the real or the fake images of this player's update.

        The loss gets what it returns; gradients must pass through. A trick that only reads the
        logits returns them unchanged. Not called for forward passes of penalties.
        """
        return logits

    def penalty(self, gan: Gan, player: Player, real: Tensor, fake: Tensor) -> Tensor | None:
        """A weighted scalar to add to the player's loss, or None; makes its own forward passes."""
        return None

    def before_update(self, gan: Gan, player: Player) -> None:
        """Called when the player's gradients are ready, before its optimiser step."""

    def after_update(self, gan: Gan, player: Player) -> None:
        """Called after the player's optimiser step."""

    def activity(self) -> Activity:
        """What the trick did since the last call, for the log; None if it did nothing.

        A text, or a dict of numbers (also tensors of one number), which get columns of their own in
        the log: `{"p": 0.12}`. With the key "text", the dict has a text for the console, too.
        """
        return None

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs: tensors, numbers, strings, and lists and dicts of these."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned; called after `start`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        require_known_methods(cls, Trick)
        if not isinstance(cls.excludes, dict):
            raise TypeError(f"{cls.__name__}.excludes must be a dict: write {{'ema': 'why'}}")

    def overrides(self, *methods: str) -> bool:
        """Whether this trick overrides any of these methods of `Trick`."""
        return any(getattr(type(self), name) is not getattr(Trick, name) for name in methods)
