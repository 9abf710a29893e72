"""Freezing D's first layers (Mo, Cho & Shin 2020, arXiv 2002.10964)."""

from gankit import Trick
from gankit_tricks.layers import LAYERS_OF_PICTURES, Widened


class FreezeD(Trick):
    """Keeps D's first layers as they are; the others learn.

    For fine-tuning, with --init RUN: the edges and textures that D learnt from many pictures are
    useful for a small data set too, and a D with frozen layers cannot forget them. Without --init
    the frozen layers are random and the pictures get worse; gankit warns you then.

    layers: how many convolutions, each with the norm that follows it; 0 for none. The paper freezes
        about the lower half of D: 2 of DCGAN's 5 at 64 px.
    """

    needs_trained_d = "the layers that it freezes are random"

    def __init__(self, layers: int = 2) -> None:
        if layers < 0:
            raise ValueError("layers must be 0 or more")
        self.layers = layers
        self.frozen = 0

    def wrap(self, gan):
        modules = list(gan.D.net.modules())
        layers = {module for module in modules if isinstance(module, LAYERS_OF_PICTURES)}
        total = len(layers)
        if self.layers >= total:
            raise ValueError(f"layers must be less than {total}, the layers that D has")
        count = 0
        for module in modules:  # in the order in which D registers them
            count += module in layers
            if count > self.layers or isinstance(module, Widened):
                break
            if count == 0:
                continue
            for weight in module.parameters(recurse=False):
                weight.requires_grad_(False)
                self.frozen += weight.numel()

    def activity(self):
        if self.layers == 0:
            return None
        return f"D's first {self.layers} layers frozen, {self.frozen:,} weights"
