"""missing-modes: G never draws whole kinds of the pictures."""

from __future__ import annotations

from gankit.core.contracts.rule import STAY, Finding, Rule
from gankit.core.contracts.seen import Seen
from gankit_doctor.cures import Options, add_missing
from gankit_doctor.signs import small_z


class MissingModes(Rule):
    """G's pictures vary in fewer ways than real ones, though each may look good."""

    needs = ("doctor.dims", "doctor.missing", "doctor.near")
    warm_up = 0.5
    causes = ("stalled",)
    why_wrong = "64 pictures are few: with many kinds, some are missing by chance."

    def __init__(self, dims: float = 0.25, missing: float = 0.45, varied: float = 0.5) -> None:
        self.dims = dims  # directions in which the pictures vary, as a share of the reals'
        self.missing = missing  # share of the real pictures of kinds that are never drawn
        self.varied = varied  # diversity from which on G draws more than pale pictures

    def look(self, seen: Seen) -> Finding | None:
        dims = seen.last("dims", 3)
        missing = seen.last("missing", 3)
        if seen.last("diversity", 3) < self.varied:
            return None
        if dims > 1.2 * self.dims and missing < 0.8 * self.missing:
            return None
        is_beyond = dims < self.dims or missing > self.missing
        short_z = small_z(seen.run)
        cure, options = self._cure(seen, short_z)
        facts = []
        if dims < 1.2 * self.dims:
            facts.append(f"vary in only {100 * dims:.0f} % of the directions of real ones")
        if missing > 0.8 * self.missing:
            facts.append(f"lack kinds that make up {100 * missing:.0f} % of the real ones")
        return Finding(
            level="enter" if is_beyond else STAY,
            setting=short_z,
            text=f"G's pictures {' and '.join(facts)}.",
            evidence={"doctor.dims": dims, "doctor.missing": missing},
            cure=cure,
            options=options,
        )

    def _cure(self, seen: Seen, short_z: str) -> tuple[str, Options]:
        if short_z:
            return "Give G a larger z: --latent-dim 100.", {"latent_dim": 100}
        if seen.trick("minibatch-stddev"):
            return "Train longer, or use a wider G.", {"steps": 2 * seen.run.steps}
        cure = "Show D whole batches (--trick minibatch-stddev), use a wider G, or train longer."
        return cure, add_missing(seen.run, "minibatch-stddev")
