"""From Run and Registry to a Game: networks, loss, tricks and batches, ready for the first step."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

import torch

from gankit.compute.allocator import keep_memory
from gankit.compute.convolution import quicken
from gankit.core import randomness
from gankit.core.choice import Choice
from gankit.core.device import machine
from gankit.core.errors import GankitError
from gankit.core.gan import Gan, Player
from gankit.core.loss import Loss
from gankit.core.prepared import Prepared
from gankit.core.registry import Registry
from gankit.core.settings import Run, parse_length
from gankit.core.step import Scalars, train_step
from gankit.core.trick import Trick
from gankit.data.batches import Batches
from gankit.distributed.batch_norm import sync_batch_norm
from gankit.distributed.processes import our_team
from gankit.training.contract import check_networks

_FORMATS = {"channels-last": torch.channels_last, "contiguous": torch.contiguous_format}


@dataclass
class Game:
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
        reals = [self.batches[step * self.run.d_steps + turn] for turn in range(self.run.d_steps)]
        return train_step(self.gan, self.loss, self.tricks, reals)


def resolve(run: Run, prepared: Prepared) -> Run:
    """The run with everything decided that was left open: device, arithmetic, length, cadences."""
    here = machine(run.device, run.precision, run.threads)
    number, unit = parse_length(run.length)
    shown = {"steps": run.batch_size * run.d_steps, "kimg": 1000, "epochs": prepared.epoch}
    steps = run.steps or max(1, math.ceil(number * shown[unit] / shown["steps"]))
    return dataclasses.replace(
        run,
        device=str(here.device),
        precision=here.precision,
        threads=torch.get_num_threads(),
        channels=prepared.pixels.shape[3],
        fingerprint=prepared.fingerprint,
        steps=steps,
        draw_every=run.draw_every or max(25, steps // 40),
        save_every=run.save_every or max(100, steps // 10),
    )


def assemble(run: Run, registry: Registry, prepared: Prepared) -> Game:
    """Networks, optimisers, loss, tricks and batches; the same Run gives the same weights."""
    gan, tricks = build_gan(run, registry)
    keep_memory(gan.machine.device)
    loss = registry.make("loss", run.loss)
    fused = {"fused": True} if run.optimizer == "fused" else {"foreach": False, "fused": False}
    for player, lr in ((gan.G, run.lr_g), (gan.D, run.lr_d)):
        weights = [p for p in player.net.parameters() if p.requires_grad]
        player.adam = torch.optim.Adam(weights, lr, (run.beta1, run.beta2), **fused)
    for trick in tricks:
        if trick.overrides("targets") and not loss.reads_targets:
            idle = f"loss {run.loss!r} reads no targets, so trick {trick.name!r} could not act"
            raise GankitError(f"{idle}: name the tricks you want with --trick, or none")
        with registry.blaming("trick", trick.name):
            trick.start(gan)
    pictures = (prepared.pixels, run.batch_size, run.seed, prepared.train)
    shown = (run.flip, run.dihedral, gan.machine.device, _FORMATS[run.memory_format])
    if run.batch_size % (parts := gan.team.size * run.accumulate):
        why = f"{parts}: processes ({gan.team.size}) times --accumulate ({run.accumulate})"
        raise GankitError(f"--batch-size must be a multiple of {why}")
    make = prepared.batches or Batches
    return Game(run, gan, loss, tricks, make(*pictures, *shown, gan.team.share, run.zoom))


def build_gan(run: Run, registry: Registry) -> tuple[Gan, list[Trick]]:
    """The two networks on their device, wrapped by the run's tricks; no optimiser, no data."""
    here = machine(run.device, run.precision, run.threads)
    G = Player("G", _network(run, registry, "generator"), scaler=here.scaler())
    D = Player("D", _network(run, registry, "discriminator"), scaler=here.scaler())
    check_networks(run, registry, G.net, D.net)
    gan = Gan(G, D, run.latent_dim, run.seed, run.steps, here, accumulate=run.accumulate)
    gan.team = our_team()
    tricks = [registry.make("trick", text) for text in run.tricks]
    for trick, text in zip(tricks, run.tricks, strict=True):
        trick.name = Choice.parse(text).name
        with registry.blaming("trick", text):
            trick.wrap(gan)
    gan.d_inputs = [trick.d_input for trick in tricks if trick.overrides("d_input")]
    for net in (G.net, D.net):
        if run.sync_batch_norm and gan.team.size > 1:
            sync_batch_norm(net)
        net.to(here.device).to(memory_format=_FORMATS[run.memory_format]).train()
    return gan, tricks


def _network(run: Run, registry: Registry, kind: str) -> Any:
    torch.manual_seed(randomness.number(run.seed, 0, f"weights of the {kind}"))
    sizes = {"image_size": run.image_size, "channels": run.channels, "latent_dim": run.latent_dim}
    net = registry.make(kind, getattr(run, kind), **sizes)
    return quicken(net) if run.memory_format == "channels-last" else net
