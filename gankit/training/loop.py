"""The loop: when to log, draw, save and stop."""

import dataclasses
import logging
import math
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from gankit.compute.compiling import compile_networks
from gankit.core import randomness
from gankit.core.errors import GankitError, RunFailed, RunStopped
from gankit.core.prepared import Prepared, Progress
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import Run, write_run
from gankit.core.step import Scalars
from gankit.core.version import __version__
from gankit.data.prepare import prepare
from gankit.distributed.processes import joined
from gankit.training import assemble, checkpoint
from gankit.training.folder import claim_folder

log = logging.getLogger("gankit")
DRAWN = 64  # pictures in a grid
Stop = Callable[[], int]  # asked after each step: 0 to go on, or a signal's number


def train(
    run: Run,
    registry: Registry | None = None,
    *,
    resume: bool = False,
    progress: Progress = lambda done, total: None,
    stop: Stop = lambda: 0,
) -> Path:
    """Train a run to its end; returns its folder. With `resume` it goes on from its checkpoint.

    RunStopped once `stop` asks for it (a checkpoint is saved), RunFailed when it cannot go on.
    """
    registry = registry or load_registry()
    with joined(stop) as team:
        prepared = prepare(run, registry, progress)  # a plugin brings it
        if run.fingerprint not in ("", prepared.fingerprint):
            log.warning("these are not the pictures that %s began with", run.folder)
        run = assemble.resolve(run, prepared)
        run = dataclasses.replace(run, precision=team.told(run.precision))
        game = assemble.assemble(run, registry, prepared)
        game.run = compile_networks(run, game.gan)
        if resume:
            restore(game)
        here = {"pictures": run.fingerprint, "step": game.gan.step}
        if (first := team.told(here)) != here:
            raise GankitError(f"process {team.rank} has {here}, not {first}; all need the same")
        if not (resume or team.rank):
            game.run = claim_folder(game.run)
        game.run = run = dataclasses.replace(game.run, out=team.told(game.run.out))
        if not team.rank:
            _write_down(run, prepared)
        Training(game, registry, stop).to_the_end()
    return run.folder


def _write_down(run: Run, prepared: Prepared) -> None:
    """Write run.json, and say which pictures were skipped."""
    versions = {"gankit": __version__, "torch": torch.__version__, "system": platform.platform()}
    parts = {"train": prepared.epoch, "holdout": len(prepared.holdout)}
    pictures = {"pictures": len(prepared.pixels), **parts, "skipped": prepared.skipped}
    write_run(run, versions=versions, prepared=pictures)
    for first in prepared.skipped[:1]:
        many = f"skipped {len(prepared.skipped)} pictures, listed in {run.folder / 'run.json'}"
        log.warning("%s; the first: %s", many, first)


def restore(game: assemble.Game) -> None:
    """Load the newest whole checkpoint of the game's run."""
    folder, gan = game.run.folder / "checkpoints", game.gan
    if not checkpoint.existing(folder):
        log.warning("%s was stopped before its first checkpoint: it begins anew", game.run.folder)
        return
    path, saved, passed_over = checkpoint.newest(folder)
    for why in passed_over:
        log.warning("%s; going on from %s", why, path.name)
    averaged, tricks = gan.sampler is not gan.G.net, {trick.name for trick in game.tricks}
    if (averaged, tricks) != ("sampler" in saved.model, set(saved.state["tricks"])):
        raise GankitError(f"checkpoint {path} holds another run, with other tricks")
    if saved.step > game.run.steps:
        raise GankitError(f"{path} is beyond step {game.run.steps}; give more --steps")
    scalers = saved.state.get("scalers", {"G": {}, "D": {}})  # of float16; old ones have none
    for player in (gan.G, gan.D):
        checkpoint.load_into(player.net, saved.model[player.name], player.name, path)
        checkpoint.load_optimizer(player.adam, saved.state[player.name])
        player.scaler.load_state_dict(scalers[player.name])
    if averaged:
        checkpoint.load_into(gan.sampler, saved.model["sampler"], "sampler", path)
    for trick in game.tricks:
        trick.load_state_dict(saved.state["tricks"][trick.name])
    game.acted = dict.fromkeys(saved.state.get("acted", ()), "acted before the run was resumed")
    gan.step = saved.step


class Training:
    """One run, from where its game stands to its end."""

    def __init__(self, game: assemble.Game, registry: Registry, stop: Stop) -> None:
        self.game, self.run, self.gan = game, game.run, game.gan
        self.registry, self.stop = registry, stop
        self.observers = Observers(registry if not self.gan.team.rank else Registry())
        self.acted = {trick.name: game.acted.get(trick.name) for trick in game.tricks}
        self.unread: list[tuple[int, Scalars]] = []  # steps whose losses were not looked at yet
        self.z = randomness.latents(self.run.seed, 0, DRAWN, self.run.latent_dim, "grid")
        self.started = time.perf_counter()

    def to_the_end(self) -> None:
        state, message = "finished", ""
        try:
            self._steps()
        except BaseException as error:
            state = "stopped" if isinstance(error, RunStopped | KeyboardInterrupt) else "failed"
            message = str(error)
            raise
        finally:
            outcome = {"state": state, "step": self.gan.step, "message": message}
            outcome |= {"seconds": time.perf_counter() - self.started, "tricks": self.acted}
            self.observers.tell("run_finished", run=self.run, outcome=outcome)

    def _steps(self) -> None:
        run, gan = self.run, self.gan
        self.observers.tell("run_started", run=run, gan=gan, registry=self.registry)
        if gan.step == 0:
            self._draw(0)
        for step in range(gan.step, run.steps):
            self.unread.append((step + 1, self.game.step(step)))
            done = gan.step = step + 1
            last = done == run.steps
            logs = done % run.log_every == 0 or last
            stop = self.observers.closed or self.stop()
            if gan.team.size > 1:  # the first decides: all stop at one step
                stop = gan.team.told(stop) if logs else 0
            if logs:
                self._log(done)
            if done % run.draw_every == 0 or last:
                self._draw(done)
            if done % run.save_every == 0 or last or stop:
                self._save(done)
            if stop and not last:
                raise RunStopped(f"stopped at step {done} of {run.steps}, and saved", 128 + stop)

    def _read_losses(self) -> None:
        """Read the steps' numbers, oldest first; the first that is no finite number is named."""
        for step, scalars in self.unread:
            self.read = {name: float(value) for name, value in scalars.items()}
            for name in ("d_loss", "penalty", "g_loss"):  # in the order they are computed
                if not math.isfinite(self.read.get(name, 0.0)):
                    self._fail(f"{name} became {self.read[name]} at step {step}")
        self.unread = []

    def _log(self, step: int) -> None:
        self._read_losses()
        activity = {trick.name: trick.activity() for trick in self.game.tricks}
        self.acted |= {name: did for name, did in activity.items() if did is not None}
        scalars = {**self.read, "activity": activity, "seconds": time.perf_counter() - self.started}
        self.observers.tell("step_done", run=self.run, step=step, scalars=scalars)

    def _draw(self, step: int) -> None:
        images = self.gan.sample(self.z)
        self.observers.tell("samples_drawn", run=self.run, step=step, images=images)

    def _save(self, step: int) -> None:
        self._read_losses()  # a checkpoint is only good if they were
        gan, model = self.gan, {}
        state: dict[str, Any] = {"scalers": {}}
        for player in (gan.G, gan.D):
            if not all(bool(p.isfinite().all()) for p in player.net.parameters()):
                self._fail(f"a weight of {player.name} is not finite after step {step}")
            model[player.name] = player.net.state_dict()
            state[player.name] = player.adam.state_dict()
            state["scalers"][player.name] = player.scaler.state_dict()
        if gan.sampler is not gan.G.net:
            model["sampler"] = gan.sampler.state_dict()
        state["tricks"] = {trick.name: trick.state_dict() for trick in self.game.tricks}
        state["acted"] = [name for name, did in self.acted.items() if did]
        if gan.team.rank:
            return
        saved = checkpoint.Checkpoint(step, model, state)
        path = checkpoint.save(self.run.folder / "checkpoints", saved, self.run.keep)
        self.observers.tell("checkpoint_saved", run=self.run, step=step, path=path)

    def _fail(self, what: str) -> None:
        whole = checkpoint.existing(self.run.folder / "checkpoints")
        kept = f"the last good checkpoint is {whole[0]}" if whole else "nothing was saved before"
        raise RunFailed(f"{what}, so training stopped; {kept}. Try lower --lr-d and --lr-g", 1)


class Observers:
    """Tells plugins what happened. One that raises is named and left out; training goes on."""

    def __init__(self, registry: Registry) -> None:
        self.plugins = list(registry.plugins)
        self.closed = 0  # SIGPIPE's number, once nobody reads our output any more

    def tell(self, hook: str, **told: Any) -> None:
        for plugin in [plugin for plugin in self.plugins if plugin.implements(hook)]:
            try:
                getattr(plugin.hook, hook)(**told)
            except BrokenPipeError:
                self.closed = 13
                self.plugins.remove(plugin)
            except Exception as error:
                self.plugins.remove(plugin)
                why = f"{type(error).__name__}: {error}"
                log.warning("plugin %r left out after failing in %s: %s", plugin.name, hook, why)
