"""Historical averaging (Salimans et al. 2016, arXiv 1606.03498, section 3.3)."""

import torch

from gankit import Trick


class HistoricalAveraging(Trick):
    """Adds weight * |theta - mean of all theta so far|^2 to each player's loss.

    If the weights circle around a solution, this pulls them towards the middle of the circle. It
    also slows good progress, more so in longer runs, because the mean never forgets the first
    weights.

    weight: the factor of this term; 1 in the paper.
    """

    def __init__(self, weight: float = 1.0) -> None:
        if not weight >= 0:
            raise ValueError("weight must be 0 or more")
        self.weight = weight
        self.distances: dict[str, torch.Tensor] = {}

    def start(self, gan):
        self.trained = {}
        self.means = {}
        self.counts = {}
        for player in (gan.G, gan.D):
            theta = [p for p in player.net.parameters() if p.requires_grad]
            self.trained[player.name] = theta
            self.means[player.name] = [p.detach().clone() for p in theta]
            self.counts[player.name] = 1  # values of theta in the mean

    def penalty(self, gan, player, real, fake):
        if self.weight == 0:
            return None
        pairs = zip(self.trained[player.name], self.means[player.name], strict=True)
        distance = torch.stack([(p - mean).square().sum() for p, mean in pairs]).sum()
        self.distances[player.name] = distance.detach()
        return self.weight * distance

    @torch.no_grad()
    def after_update(self, gan, player):
        self.counts[player.name] += 1
        means = self.means[player.name]
        trained = self.trained[player.name]
        torch._foreach_lerp_(means, trained, 1 / self.counts[player.name])  # m += (p - m) / t

    def activity(self):
        distances = {name: float(distance) ** 0.5 for name, distance in self.distances.items()}
        self.distances = {}
        text = ", ".join(f"{n} is {d:.3g} from its mean" for n, d in distances.items())
        return {**distances, "text": text} if distances else None

    def state_dict(self):
        return {"means": self.means, "counts": self.counts}

    def load_state_dict(self, state):
        counts = dict(state["counts"])
        if counts.keys() != self.means.keys() or any(
            type(count) is not int or count < 1 for count in counts.values()
        ):
            raise ValueError("counts must be 1 or more for each of G and D")
        pairs: list[tuple[torch.Tensor, torch.Tensor]] = []
        for name, means in self.means.items():
            pairs += zip(means, state["means"][name], strict=True)
        for mean, saved in pairs:
            if saved.shape != mean.shape or saved.dtype != mean.dtype:
                raise ValueError("means must have the shapes and types of the weights")
        for mean, saved in pairs:
            mean.copy_(saved)
        self.counts = counts
