"""StepLog: reads the losses of steps, and what tricks did, when a step is logged."""

from __future__ import annotations

import time
from typing import Any

from gankit.core.reported import numbers_of, text_of
from gankit.core.run.settings import Run
from gankit.core.step import FIRST_SCORES, Scalars
from gankit.training.assemble import Trainer
from gankit.training.checkpoints.saver import training_failed
from gankit.training.explain_losses import explain_losses


class StepLog:
    """Keeps the losses of steps as tensors until they are read, as reading waits for the device."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.unread: list[tuple[int, Scalars]] = []  # steps whose losses were not read yet
        self.scalars: dict[str, float] = {}  # of the last step that was read
        self.started = time.perf_counter()
        # What each trick did last, or None if it has not acted yet.
        self.last_activity: dict[str, str | None] = {
            trick.name: trainer.earlier_activity.get(trick.name) for trick in trainer.tricks
        }

    @property
    def seconds(self) -> float:
        """Since the run started or resumed."""
        return time.perf_counter() - self.started

    @property
    def acted(self) -> dict[str, str]:
        """The tricks that have acted, with what they did last."""
        return {name: text for name, text in self.last_activity.items() if text}

    def add(self, step: int, scalars: Scalars) -> None:
        self.unread.append((step, scalars))

    def read_losses(self, run: Run) -> None:
        """Read the losses of the steps since the last call; RunFailed at a NaN or infinity."""
        if not self.unread:
            return
        gan = self.trainer.gan
        read = [(step, {k: float(v) for k, v in scalars.items()}) for step, scalars in self.unread]
        problem = gan.process_group.first_problem(explain_losses(read, gan))
        if problem:
            raise training_failed(run, problem)
        self.scalars = {k: v for k, v in read[-1][1].items() if k not in FIRST_SCORES}
        penalties = [scalars["penalty"] for _, scalars in read if "penalty" in scalars]
        if penalties:
            self.trainer.last_penalty = penalties[-1]
        if self.trainer.last_penalty is not None:
            self.scalars["penalty"] = self.trainer.last_penalty
        self.unread = []

    def read_row(self) -> dict[str, Any]:
        """What observers get of a logged step, after `read_losses`."""
        texts: dict[str, str | None] = {}
        numbers: dict[str, float] = {}
        for trick in self.trainer.tricks:
            activity = trick.activity()
            texts[trick.name] = text_of(activity)
            for key, value in numbers_of(activity).items():
                numbers[f"{trick.name}.{key}"] = value
        self.last_activity |= {name: text for name, text in texts.items() if text is not None}
        return {**self.scalars, "activity": texts, "numbers": numbers, "seconds": self.seconds}
