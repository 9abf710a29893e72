"""What two networks must keep to, looked at whenever they are built."""

import copy

import torch
from torch import Tensor, nn

from gankit.core import randomness
from gankit.core.registry import Registry
from gankit.core.settings import Run
from gankit.distributed.processes import current_process_group


@torch.no_grad()
def check_networks(run: Run, registry: Registry, G: nn.Module, D: nn.Module) -> None:
    """Refuse networks that break their contract, before anything is trained."""
    z = randomness.latents(run.seed, 0, 4, run.latent_dim, "check")
    with registry.attribute_errors_to("generator", run.generator):
        images = _expect(G.eval()(z), 4, run.channels, run.image_size, run.image_size)
        low, high = torch.cat([images, G(100 * z)]).nan_to_num().aminmax()
        if low < -1.001 or high > 1.001 or (low >= 0 and high > 0.9):
            raise ValueError(f"draws {low:.3g} to {high:.3g}; wanted is -1 to 1: end it in a tanh")
    with registry.attribute_errors_to("discriminator", run.discriminator):
        loud = 1e6 * images / images.abs().max()  # no logits stay between 0 and 1 for that
        low, high = torch.cat([_expect(D.eval()(images), 4), D(loud), D(-loud)]).aminmax()
        if low >= 0 and high <= 1 and high - low > 0.4:
            raise ValueError("gives probabilities: leave the sigmoid away, for the loss has one")
    if run.batch_size == current_process_group().world_size * run.accumulate:
        for kind, net, alone in (("generator", G, z[:1]), ("discriminator", D, images[:1])):
            with registry.attribute_errors_to(kind, getattr(run, kind)), torch.random.fork_rng([]):
                _try_one(net, alone)


def _try_one(net: nn.Module, alone: Tensor) -> None:
    """Refuse to train on one picture at a time what normalises over several."""
    try:
        copy.deepcopy(net).train()(alone)
    except ValueError as error:  # of batch norm, where a map is one px wide
        why = "cannot learn from one picture at a time: give a larger --batch-size"
        raise ValueError(f"{why} ({error})") from error


def _expect(result: Tensor, *shape: int) -> Tensor:
    numbers = "finite" if result.isfinite().all() else "with NaN or infinity"
    given, wanted = f"{tuple(result.shape)}, {result.dtype}", f"{shape}, torch.float32"
    if (given, numbers) != (wanted, "finite"):
        raise ValueError(f"gives {given}, {numbers}; wanted is {wanted}, finite")
    return result
