"""The z of a run's grids: cell k shows the picture of seed k, as `gankit sample --seeds k` does."""

from torch import Tensor

from gankit.core.process_group import ProcessGroup
from gankit.core.randomness import latents, latents_of_seeds
from gankit.core.run.settings import Run
from gankit.training.run_folder.find_run import RUN_FILE
from gankit.training.run_folder.run_file import GRID_SIZE, grid_shows_seeds


def grid_latents(run: Run, group: ProcessGroup | None = None) -> Tensor:
    """The z (64, latent_dim) of the grids that a run draws during training.

    Those of the seeds 0 to 63. A run whose run.json does not say so is older, and goes on with its
    z, which depend on its own seed. Of a group of processes, only the first one reads run.json: the
    others may not find it yet.
    """
    group = group or ProcessGroup()
    if group.broadcast(group.rank > 0 or _is_new(run) or grid_shows_seeds(run.folder)):
        return latents_of_seeds(range(GRID_SIZE), run.latent_dim)
    return latents(run.seed, 0, GRID_SIZE, run.latent_dim, "grid")


def _is_new(run: Run) -> bool:
    """Whether there is no run.json yet, or not any more: somebody has just deleted the folder."""
    return not (run.folder / RUN_FILE).is_file()
