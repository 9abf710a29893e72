"""mode-collapse: G draws nearly the same picture, or the same few, again and again."""

from __future__ import annotations

from gankit.core.contracts.rule import STAY, Finding, Rule
from gankit.core.contracts.seen import Seen, median
from gankit_doctor.cures import SMALL_Z, Options, add_missing, hold_d_back, slower_g
from gankit_doctor.signs import d_races, g_races, small_z

LATE = 0.35  # share of the run at which every healthy G draws different pictures


class ModeCollapse(Rule):
    """All pictures of a grid are alike and stay so, or they come in a few groups of twins."""

    needs = ("doctor.near", "doctor.diversity", "doctor.turnover")
    warm_up = 0.25
    causes = ("checkerboard", "colour-shift", "oscillation", "missing-modes", "stalled")
    why_wrong = "In the first steps every G draws one grey picture; it must become more varied."

    def __init__(
        self,
        alike: float = 0.3,
        groups: float = 0.55,
        growth: float = 1.15,
        still: float = 0.005,
        sooner: float = 1.5,
    ) -> None:
        self.alike = alike  # variety of a grid, as a share of that of real pictures
        self.groups = groups  # distance to the nearest picture, against the variety of the grid
        self.growth = growth  # of the variety, from the first half of the looks until now
        self.sooner = sooner  # the same evidence weighs more where a setting explains it
        self.still = still  # change between looks, below which the pictures are frozen

    def look(self, seen: Seen) -> Finding | None:
        near = seen.look("near")
        diversity = seen.last("diversity")
        recent = near.last()
        if seen.last("turnover", 5) < self.still:
            return None
        groups = alike = 0.0
        if diversity > self.alike / 2:  # else all are alike, and there are no groups
            groups = self.groups / max(recent / diversity, 1e-6)
        elif seen.share > LATE:
            alike = self.alike / 2 / max(diversity, 1e-6)
        if near.last(3) < self.growth * median(near.values[: max(3, len(near) // 2)]):
            alike = max(alike, self.alike / max(diversity, 1e-6))
        setting = g_races(seen.run) or small_z(seen.run)
        excess = max(groups, alike) * (self.sooner if setting else 1)
        if excess < 0.9:
            return None
        text = f"G's pictures are nearly alike: they have {100 * diversity:.0f} % of the variety "
        text += "of real ones."
        if groups > alike:
            text = "G's pictures come in groups that look nearly the same: the nearest neighbour "
            text += f"of a picture is {100 * recent / diversity:.0f} % as far as in real pictures "
            text += "that vary as much."
        return Finding(
            level="enter" if excess > 1 else STAY,
            setting=setting,
            text=text,
            evidence={"doctor.near": recent, "doctor.diversity": diversity,
                      "doctor.twins": seen.last("twins")},
            **self._cure(seen),
        )  # fmt: skip

    def _cure(self, seen: Seen) -> Options:
        run = seen.run
        if run.latent_dim < SMALL_Z:
            cure = f"Give G a larger z than {run.latent_dim} numbers: --latent-dim 100."
            return {"cure": cure, "options": {"latent_dim": 100}}
        if d_races(run):
            cure, options = hold_d_back(run)
            return {"cure": cure, "options": options}
        cure = "Let G learn more slowly than now, and no faster than D; and show D whole batches: "
        cure += "--trick minibatch-stddev."
        changed = {**slower_g(run), "beta1": min(run.beta1, 0.5)}
        return {"cure": cure, "options": add_missing(run, "minibatch-stddev", changed=changed)}
