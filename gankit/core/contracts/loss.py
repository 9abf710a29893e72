"""Loss: the base class of adversarial losses."""

from torch import Tensor

from gankit.core.contracts.contract import require_known_methods
from gankit.core.contracts.trick import Targets


class Loss:
    """An adversarial loss over logits (N,). Both methods return a scalar to minimise.

    A public method that `Loss` does not have is an error, because it may be misspelt.
    """

    reads_targets = False  # whether d_loss uses `targets`; tricks that change them need it
    pairs = False  # whether g_loss uses logits of reals; costs one more forward pass of D
    separable = False  # whether d_loss is a term of the reals plus one of the fakes: saves memory

    def d_loss(self, real: Tensor, fake: Tensor, targets: Targets) -> Tensor:
        """D's loss, from its logits for real and for fake images."""
        raise TypeError(f"{type(self).__name__} has no method d_loss")

    def g_loss(self, fake: Tensor, real: Tensor | None) -> Tensor:
        """G's loss, from D's logits for fakes, and for reals if `pairs` is True (else None)."""
        raise TypeError(f"{type(self).__name__} has no method g_loss")

    def score(self, logits: Tensor) -> Tensor:
        """D's answers (N,) for the log: probabilities, where the loss allows that reading."""
        return logits.sigmoid()

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if "opinion" in vars(cls):  # the name of `score` in gankit 0.1
            cls.score = vars(cls)["opinion"]  # type: ignore[method-assign]
        require_known_methods(cls, Loss, former=("opinion",))
