"""Loss: what an adversarial loss must answer."""

from torch import Tensor

from gankit.core.trick import Targets


class Loss:
    """An adversarial loss over logits (N,); both methods return a scalar to be minimised."""

    reads_targets = False  # whether d_loss reads `targets`; label tricks are refused otherwise
    pairs = False  # whether g_loss reads the reals' logits, which costs G's step a forward pass
    separable = False  # whether d_loss is one term of the reals and one of the fakes: saves memory

    def d_loss(self, real: Tensor, fake: Tensor, targets: Targets) -> Tensor:
        """D's loss, from its logits for real and for fake images."""
        raise TypeError(f"{type(self).__name__} has no d_loss")

    def g_loss(self, fake: Tensor, real: Tensor | None) -> Tensor:
        """G's loss, from D's logits for fakes (and for reals, where the loss pairs them)."""
        raise TypeError(f"{type(self).__name__} has no g_loss")

    def score(self, logits: Tensor) -> Tensor:
        """D's answers (N,) as the log shows them: probabilities, if the loss makes them so."""
        return logits.sigmoid()

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if "opinion" in vars(cls):  # what gankit 0.1 called `score`
            cls.score = vars(cls)["opinion"]  # type: ignore[method-assign]
