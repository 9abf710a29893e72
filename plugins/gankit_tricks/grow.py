"""Progressive growing (Karras et al. 2018, arXiv 1710.10196, section 2)."""

from typing import ClassVar

import torch
from torch.nn.functional import avg_pool2d, interpolate

from gankit import Trick
from gankit.core.class_labels import without_labels
from gankit.core.contracts.growing import GrowingNetwork


class Grow(Trick):
    """Trains on small pictures first; both networks grow with them to the full size.

    G learns colours and large shapes through few layers, while a step is quick; details come later.
    Each time the pictures become twice as large, the new layers fade in, and so do the details of
    the real pictures. Sizes take equal shares of the run; the full size also has all that is left
    after `until`. Grids and checkpoints always have pictures of the full size: small ones are
    enlarged to squares. The batch size does not change with the size, as it does in the paper.

    It needs networks that can grow, as those of the models grow64, grow128 and grow256. They never
    shrink: a run that begins with networks which have grown, as with --init, goes on at their size.

    start: the side of the first pictures, in pixels (of oblong ones, the shorter side). It is the
        full side, halved once or more; between two such sizes, the larger one is taken.
    until: the share of the run after which all pictures have their full size, without a fade; 0
        for the full size from the first step on.
    fade: the share of each size's steps in which its new layers fade in; half in the paper.
    """

    excludes: ClassVar = {
        "freeze-d": "D's first layer is another one at each size",
    }

    def __init__(self, start: int = 16, until: float = 0.5, fade: float = 0.5) -> None:
        if start < 1 or not 0 <= until <= 1 or not 0 <= fade <= 1:
            raise ValueError("start must be 1 or more, until and fade from 0 to 1")
        self.start_size = start
        self.until = until
        self.share_of_fade = fade
        self.first_size = start  # px, of the pictures that it begins with
        self.max_doublings = 0  # from the first size to the full one
        self.doublings = 0  # so far
        self.fade = 1.0  # the share of the newest layers

    def wrap(self, gan):
        for player in (gan.G, gan.D):
            if not isinstance(player.net, GrowingNetwork):
                cure = "choose networks that can, such as those of --model grow64"
                raise ValueError(f"{player.name} cannot grow: {cure}")
        if not self.until:
            return
        full_size = _full_size(gan)
        most = min(player.net.max_halvings for player in (gan.G, gan.D))
        possible = [n for n in range(1, most + 1) if full_size >> n >= self.start_size]
        if not possible:
            limit = f"for pictures of {full_size} px it must be {full_size // 2} or less"
            raise ValueError(f"start is {self.start_size}; {limit}")
        self.max_doublings = max(possible)
        self.first_size = full_size >> self.max_doublings
        # Trained weights come after this, with the size that they have grown to.
        self._grow(gan)

    def start(self, gan):
        self.gan = gan
        self._begin_at(_halvings(gan), fade=1.0)
        later_sizes = range(self.doublings + 1, self.max_doublings + 1)
        gan.phases += [self._begin_of(size) for size in later_sizes]

    def _begin_at(self, halvings, fade):
        """Go on with pictures that are halved so often, or less often if `start` is larger."""
        self.doublings = max(0, self.max_doublings - halvings)
        self.fade = fade if halvings < self.max_doublings else 1.0
        self._grow(self.gan)

    def _begin_of(self, doublings):
        """The share of the run after which pictures have been doubled so often."""
        return doublings * self.until / (self.max_doublings + self.share_of_fade)

    def _scheduled(self, progress):
        """How often pictures are doubled at a share of the run, and the share of new layers."""
        doublings = 0
        while doublings < self.max_doublings and progress >= self._begin_of(doublings + 1):
            doublings += 1
        duration = self.share_of_fade * self._begin_of(1)
        if doublings == 0 or duration == 0:
            return doublings, 1.0
        share = (progress - self._begin_of(doublings)) / duration
        return doublings, min(1.0, round(share, 6))

    def begin_batch(self, gan, player):
        if player is not gan.D or not self.max_doublings:
            return
        # Pictures never shrink: neither if the run becomes longer, as with --budget, nor if it got
        # the weights of a grown generator after `start`, as an imported run does.
        reached = max(self.doublings, self.max_doublings - _halvings(gan))
        fade = self.fade if reached == self.doublings else 1.0
        now = max((reached, fade), self._scheduled(gan.progress))
        if now != (self.doublings, self.fade):
            self.doublings, self.fade = now
            self._grow(gan)

    def _grow(self, gan):
        """Give all networks the size that pictures have now."""
        for net in {gan.G.net, gan.D.net, gan.sampler}:
            net.grow_to(self.max_doublings - self.doublings, self.fade)

    def reals(self, images, gan):
        halvings = self.max_doublings - self.doublings
        if halvings:
            images = avg_pool2d(images, 2**halvings)
        if self.fade == 1:
            return images
        blurred = interpolate(avg_pool2d(images, 2), scale_factor=2, mode="bilinear")
        return torch.lerp(blurred, images, self.fade)

    def activity(self):
        if not self.max_doublings:
            return None
        size = self.first_size << self.doublings
        fading = f", {self.fade:.0%} faded in" if self.fade < 1 else ""
        return {"size": size, "fade": self.fade, "text": f"{size} px{fading}"}

    def state_dict(self):
        return {"halvings": self.max_doublings - self.doublings, "fade": self.fade}

    def load_state_dict(self, state):
        halvings = state["halvings"]
        fade = state["fade"]
        most = min(player.net.max_halvings for player in (self.gan.G, self.gan.D))
        if type(halvings) is not int or not 0 <= halvings <= most:
            raise ValueError(f"halvings must be a number from 0 to {most}")
        if type(fade) is not float or not 0 <= fade <= 1 or (halvings == most and fade < 1):
            raise ValueError("fade must be a number from 0 to 1, and 1 at the smallest size")
        self._begin_at(halvings, fade)


def _halvings(gan):
    """How often the pictures of the larger network are halved now."""
    return min(player.net.halvings for player in (gan.G, gan.D))


def _full_size(gan):
    """The shorter side of pictures of the full size, in pixels."""
    G = gan.G.net
    z = torch.zeros(1, gan.latent_dim, device=next(G.parameters()).device)
    with gan.only_looking(G):
        return min(without_labels(G, gan.num_classes)(z).shape[2:])
