"""Learning rates that fall to zero (Zhu et al. 2017, arXiv 1703.10593, section 4)."""

import math

from gankit import Trick


class LRDecay(Trick):
    """Lets both learning rates fall linearly to 0, from the share `begin` of the run to its end.

    Smaller steps average out the noise of batches, and G and D circle more closely. CycleGAN keeps
    its rates for 100 epochs and lets them fall for 100 more. The decay follows the length of the
    run, so choose that at the start: a run that you stop early still has high rates (`--resume`
    finishes it), and a run that you resume with more `--steps` goes back to higher rates, with
    worse pictures for a while.

    begin: the share of the run, from 0 to 1, after which the rates fall; 1 for never.
    """

    def __init__(self, begin: float = 0.5) -> None:
        if not 0 <= begin <= 1:
            raise ValueError("begin must be from 0 to 1")
        self.begin = begin
        self.groups: dict[str, int] = {}  # each player's number of learning rates
        self.full: dict[str, list[float]] = {}  # each player's rates at the start
        self.factor: float | None = None  # the current rates as a share of those

    def start(self, gan):
        self.groups = {player.name: len(player.adam.param_groups) for player in (gan.G, gan.D)}

    def before_update(self, gan, player):
        if self.begin == 1:
            return
        groups = player.adam.param_groups
        full = self.full.setdefault(player.name, [group["lr"] for group in groups])
        factor = min(1.0, (1 - gan.progress) / (1 - self.begin))
        for group, rate in zip(groups, full, strict=True):
            group["lr"] = rate * factor
        self.factor = factor

    def activity(self):
        factor = self.factor
        if factor is None:
            return None
        return {"factor": factor, "text": f"learning rates at {factor:.0%}"}

    def state_dict(self):
        return {"full": self.full}

    def load_state_dict(self, state):
        full = state["full"]
        for name, rates in full.items():
            are_rates = all(type(rate) is float and 0 <= rate < math.inf for rate in rates)
            if len(rates) != self.groups[name] or not are_rates:
                raise ValueError("full must hold the learning rates of G and of D")
        self.full = full
