"""Restore a trainer from a checkpoint."""

import logging

from gankit.core.errors import GankitError
from gankit.training import checkpoint
from gankit.training.assemble import Trainer

log = logging.getLogger("gankit")


def restore(trainer: Trainer) -> None:
    """Load the newest checkpoint of the trainer's run that is not damaged.

    If the run has no checkpoint yet, the trainer stays at step 0.
    """
    folder = trainer.run.folder / "checkpoints"
    gan = trainer.gan
    if not checkpoint.list_checkpoints(folder):
        log.warning("%s has no checkpoint yet, so training starts at step 0", trainer.run.folder)
        return
    path, saved, skipped = checkpoint.load_newest(folder)
    for why in skipped:
        log.warning("%s; resuming from %s instead", why, path.name)
    has_average = gan.sampler is not gan.G.net  # with the trick ema
    tricks = {trick.name for trick in trainer.tricks}
    if has_average != ("sampler" in saved.model) or tricks != set(saved.state["tricks"]):
        raise GankitError(f"checkpoint {path} is of another run: its tricks differ from run.json")
    if saved.step > trainer.run.steps:
        last = f"the run's last step, {trainer.run.steps}"
        raise GankitError(f"checkpoint {path} is past {last}: use a larger --steps")
    # For float16; checkpoints of gankit 0.1 have none.
    scalers = saved.state.get("scalers", {"G": {}, "D": {}})
    for player in (gan.G, gan.D):
        checkpoint.load_weights(player.net, saved.model[player.name], player.name, path)
        checkpoint.load_optimizer(player.adam, saved.state[player.name])
        player.scaler.load_state_dict(scalers[player.name])
    if has_average:
        checkpoint.load_weights(gan.sampler, saved.model["sampler"], "sampler", path)
    for trick in trainer.tricks:
        trick.load_state_dict(saved.state["tricks"][trick.name])
    acted = saved.state.get("acted", ())
    trainer.earlier_activity = dict.fromkeys(acted, "acted before the run was resumed")
    gan.step = saved.step
