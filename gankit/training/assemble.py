"""From a Run to a Trainer: networks, loss, tricks and batches, ready for the first step."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from gankit.compute.allocator import tune_allocator
from gankit.compute.convolution import use_fast_convolutions, wants_fast_convolutions
from gankit.core import randomness
from gankit.core.device import setup_machine
from gankit.core.errors import GankitError
from gankit.core.gan import Gan, Player
from gankit.core.loss import Loss
from gankit.core.prepared import PreparedDataset
from gankit.core.registry import Registry
from gankit.core.settings import Run, parse_length
from gankit.core.step import Scalars, train_step
from gankit.core.trick import Trick
from gankit.data.batches import Batches
from gankit.distributed.batch_norm import sync_batch_norm
from gankit.distributed.processes import current_process_group
from gankit.training.check_networks import check_networks

MEMORY_FORMATS = {"channels-last": torch.channels_last, "contiguous": torch.contiguous_format}


@dataclass
class Trainer:
    """Everything that training steps need."""

    run: Run
    gan: Gan
    loss: Loss
    tricks: list[Trick]
    batches: Any  # batches[i]: the i-th batch of real pictures (N, C, H, W)
    acted: dict[str, str] = field(default_factory=dict)  # tricks that did so before a resume

    def step(self, step: int) -> Scalars:
        """Take training step number `step`."""
        self.gan.begin_step(step)
        first = step * self.run.d_steps
        reals = [self.batches[first + turn] for turn in range(self.run.d_steps)]
        return train_step(self.gan, self.loss, self.tricks, reals)


def resolve_auto(run: Run, prepared: PreparedDataset) -> Run:
    """The run with everything decided that was left open: device, arithmetic, length, cadences."""
    chosen = setup_machine(run.device, run.precision, run.threads)
    steps = run.steps or _steps(run, prepared)
    return dataclasses.replace(
        run,
        device=str(chosen.device),
        precision=chosen.precision,
        threads=torch.get_num_threads(),
        channels=prepared.pixels.shape[3],
        fingerprint=prepared.fingerprint,
        steps=steps,
        draw_every=run.draw_every or max(25, steps // 40),
        save_every=run.save_every or max(100, steps // 10),
    )


def _steps(run: Run, prepared: PreparedDataset) -> int:
    """The steps that a run's length comes to, rounded up."""
    number, unit = parse_length(run.length)
    pictures_a_step = run.batch_size * run.d_steps
    pictures = {"steps": pictures_a_step, "kimg": 1000, "epochs": prepared.num_train}[unit]
    return max(1, math.ceil(number * pictures / pictures_a_step))


def assemble(run: Run, registry: Registry, prepared: PreparedDataset) -> Trainer:
    """Networks, optimisers, loss, tricks and batches; the same Run gives the same weights."""
    gan, tricks = build_gan(run, registry)
    tune_allocator(gan.machine.device)
    loss: Loss = registry.make("loss", run.loss)
    _give_optimizers(gan, run)
    for trick in tricks:
        if trick.overrides("targets") and not loss.reads_targets:
            idle = f"loss {run.loss!r} reads no targets, so trick {trick.name!r} could not act"
            raise GankitError(f"{idle}: name the tricks you want with --trick, or none")
        with registry.attribute_errors_to("trick", trick.name):
            trick.start(gan)
    return Trainer(run, gan, loss, tricks, _make_batches(run, gan, prepared))


def _give_optimizers(gan: Gan, run: Run) -> None:
    """Adam for both players, over the weights that tricks have left trainable."""
    kernel = {"fused": True} if run.optimizer == "fused" else {"foreach": False, "fused": False}
    for player, lr in ((gan.G, run.lr_g), (gan.D, run.lr_d)):
        weights = [p for p in player.net.parameters() if p.requires_grad]
        player.adam = torch.optim.Adam(weights, lr=lr, betas=(run.beta1, run.beta2), **kernel)


def _make_batches(run: Run, gan: Gan, prepared: PreparedDataset) -> Any:
    """The run's batches of real pictures, of which this process takes its share."""
    parts = gan.process_group.world_size * run.accumulate
    if run.batch_size % parts:
        processes = f"processes ({gan.process_group.world_size})"
        why = f"{parts}: {processes} times --accumulate ({run.accumulate})"
        raise GankitError(f"--batch-size must be a multiple of {why}")
    make_batches = prepared.make_batches or Batches
    return make_batches(
        pixels=prepared.pixels,
        rows=prepared.train,
        batch_size=run.batch_size,
        seed=run.seed,
        flip=run.flip,
        dihedral=run.dihedral,
        zoom=run.zoom,
        share=gan.process_group.share,
        device=gan.machine.device,
        memory_format=MEMORY_FORMATS[run.memory_format],
    )


def build_gan(run: Run, registry: Registry) -> tuple[Gan, list[Trick]]:
    """The two networks on their device, wrapped by the run's tricks; no optimiser, no data."""
    chosen = setup_machine(run.device, run.precision, run.threads)
    G = Player(
        "G", _build_network(run, registry, "generator", chosen.device), scaler=chosen.scaler()
    )
    D = Player(
        "D", _build_network(run, registry, "discriminator", chosen.device), scaler=chosen.scaler()
    )
    check_networks(run, registry, G.net, D.net)
    gan = Gan(
        G=G,
        D=D,
        latent_dim=run.latent_dim,
        seed=run.seed,
        steps=run.steps,
        machine=chosen,
        accumulate=run.accumulate,
        process_group=current_process_group(),
    )
    tricks = _wrap_in_tricks(gan, run, registry)
    for net in (G.net, D.net):
        if run.sync_batch_norm and gan.process_group.world_size > 1:
            sync_batch_norm(net)
        net.to(chosen.device).to(memory_format=MEMORY_FORMATS[run.memory_format]).train()
    return gan, tricks


def _build_network(run: Run, registry: Registry, kind: str, device: torch.device) -> nn.Module:
    """G or D with its first weights, which depend on the run's seed alone."""
    torch.manual_seed(randomness.number(run.seed, 0, f"weights of the {kind}"))
    net: nn.Module = registry.make(
        kind,
        getattr(run, kind),
        image_size=run.image_size,
        channels=run.channels,
        latent_dim=run.latent_dim,
    )
    # What is no module, check_networks will name.
    if isinstance(net, nn.Module) and wants_fast_convolutions(run, registry, kind, device):
        use_fast_convolutions(net)
    return net


def _wrap_in_tricks(gan: Gan, run: Run, registry: Registry) -> list[Trick]:
    """The run's tricks, in its order, after each has changed the networks as it likes."""
    tricks = []
    for choice in run.tricks:
        trick: Trick = registry.make("trick", choice)
        trick.name = choice.name
        with registry.attribute_errors_to("trick", choice):
            trick.wrap(gan)
        tricks.append(trick)
    gan.d_inputs = [trick.d_input for trick in tricks if trick.overrides("d_input")]
    return tricks
