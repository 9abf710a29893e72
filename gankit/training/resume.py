"""From a checkpoint back to where a run stood."""

import logging

from gankit.core.errors import GankitError
from gankit.training import checkpoint
from gankit.training.assemble import Trainer

log = logging.getLogger("gankit")


def restore(trainer: Trainer) -> None:
    """Load the newest whole checkpoint of the trainer's run."""
    folder = trainer.run.folder / "checkpoints"
    gan = trainer.gan
    if not checkpoint.existing(folder):
        log.warning(
            "%s was stopped before its first checkpoint: it begins anew", trainer.run.folder
        )
        return
    path, saved, passed_over = checkpoint.newest(folder)
    for why in passed_over:
        log.warning("%s; going on from %s", why, path.name)
    averaged = gan.sampler is not gan.G.net
    tricks = {trick.name for trick in trainer.tricks}
    if averaged != ("sampler" in saved.model) or tricks != set(saved.state["tricks"]):
        raise GankitError(f"checkpoint {path} holds another run, with other tricks")
    if saved.step > trainer.run.steps:
        raise GankitError(f"{path} is beyond step {trainer.run.steps}; give more --steps")
    scalers = saved.state.get("scalers", {"G": {}, "D": {}})  # of float16; old ones have none
    for player in (gan.G, gan.D):
        checkpoint.load_into(player.net, saved.model[player.name], player.name, path)
        checkpoint.load_optimizer(player.adam, saved.state[player.name])
        player.scaler.load_state_dict(scalers[player.name])
    if averaged:
        checkpoint.load_into(gan.sampler, saved.model["sampler"], "sampler", path)
    for trick in trainer.tricks:
        trick.load_state_dict(saved.state["tricks"][trick.name])
    trainer.acted = dict.fromkeys(saved.state.get("acted", ()), "acted before the run was resumed")
    gan.step = saved.step
