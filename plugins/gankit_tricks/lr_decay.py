"""Learning rates that fall to zero (Zhu et al. 2017, arXiv 1703.10593, section 4)."""

from gankit import Trick


class LRDecay(Trick):
    """Lets both learning rates fall in a straight line, from `begin` of the run to its end.

    Smaller steps average out the noise of batches, and the two players circle more closely; at 0
    they stop, wherever they are. CycleGAN keeps its rates for 100 epochs and lets them fall for
    100 more. It goes by the length of the run, so choose that when it begins: one that is stopped
    early has not come to rest (`--resume` finishes it), and one that is resumed with more `--steps`
    begins with higher rates again, and with worse pictures for a while.

    begin: the part of the run, from 0 to 1, after which they fall; 1 for never.
    """

    def __init__(self, begin: float = 0.5) -> None:
        if not 0 <= begin <= 1:
            raise ValueError("begin lies in [0, 1]")
        self.begin = begin
        self.full: dict[str, list[float]] = {}  # each player's rates before they fell
        self.left: float | None = None  # the share of them that is left

    def before_update(self, gan, player):
        if self.begin == 1:
            return
        groups = player.adam.param_groups
        full = self.full.setdefault(player.name, [group["lr"] for group in groups])
        left = min(1.0, (1 - gan.progress) / (1 - self.begin))
        for group, rate in zip(groups, full, strict=True):
            group["lr"] = rate * left
        self.left = left

    def activity(self):
        return None if self.left is None else f"learning rates at {self.left:.0%}"

    def state_dict(self):
        return {"full": self.full}

    def load_state_dict(self, state):
        self.full = state["full"]
