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
        self.factor: float | None = None  # the current rates as a share of those at the start

    def start(self, gan):
        self.players = {player.name: player for player in (gan.G, gan.D)}

    def before_update(self, gan, player):
        if self.begin == 1:
            return
        factor = min(1.0, (1 - gan.progress) / (1 - self.begin))
        for group in player.adam.param_groups:  # the rate at the start is named as in torch
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
        self.factor = factor

    def activity(self):
        factor = self.factor
        if factor is None:
            return None
        return {"factor": factor, "text": f"learning rates at {factor:.0%}"}

    def load_state_dict(self, state):
        """Runs of gankit 0.1 have the rates at the start here; later ones have them in Adam."""
        if not set(state) <= {"full"}:
            raise ValueError("the state must hold the learning rates as full, or nothing")
        for name, rates in state.get("full", {}).items():
            groups = self.players[name].adam.param_groups
            are_rates = all(type(rate) is float and 0 <= rate < math.inf for rate in rates)
            if len(rates) != len(groups) or not are_rates:
                raise ValueError("full must hold the learning rates of G and of D")
            for group, rate in zip(groups, rates, strict=True):
                group["initial_lr"] = rate
