"""Build a Trainer from a Run: networks, loss, tricks and batches, ready for the first step."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from gankit.compute.allocator import tune_allocator
from gankit.compute.convolution import use_fast_convolutions, wants_fast_convolutions
from gankit.compute.threads import choose_threads
from gankit.core import randomness
from gankit.core.contracts.contract import require_part
from gankit.core.contracts.loss import Loss
from gankit.core.contracts.metric import Metric
from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.contracts.trick import Trick
from gankit.core.device import select_device, setup_machine
from gankit.core.errors import GankitError, quote_value
from gankit.core.gan import Gan, Player
from gankit.core.parts.registry import Registry
from gankit.core.recorder import Recorder, StepRecord
from gankit.core.run.all_stages import count_batches, count_pictures, stage_begin
from gankit.core.run.settings import Run, default_memory_format, parse_length
from gankit.core.step import Scalars, train_step
from gankit.data.batches import Batches
from gankit.data.store.cache_folder import ensure_temporary_folder
from gankit.distributed.batch_norm import sync_batch_norm
from gankit.distributed.processes import current_process_group
from gankit.training.checkpoints.best import BestSoFar
from gankit.training.checkpoints.finite import find_non_finite, networks_of, numbers_of_networks
from gankit.training.checks.classes import require_takes_classes
from gankit.training.checks.loss import require_valid_loss
from gankit.training.checks.networks import check_networks
from gankit.training.checks.too_large import check_memory, limited_weights
from gankit.training.weights.begin_weights import Base
from gankit.training.weights.network_size import make_network

Part = TypeVar("Part")
MEMORY_FORMATS = {"channels-last": torch.channels_last, "contiguous": torch.contiguous_format}


@dataclass
class Trainer:
    """Takes training steps of a run."""

    run: Run
    gan: Gan
    loss: Loss
    tricks: list[Trick]
    batches: Any  # batches[i]: the i-th batch of real pictures, (N, C, H, W)
    prepared: PreparedDataset
    # Tricks that acted before the run was resumed -> a note about it.
    earlier_activity: dict[str, str] = field(default_factory=dict)
    # Buffers that were infinite in the new networks, such as a mask of attention -> "infinite".
    non_finite_at_start: dict[str, str] = field(default_factory=dict)
    begun_from: dict[str, Any] = field(default_factory=dict)  # for run.json, with --init
    best: BestSoFar = field(default_factory=BestSoFar)  # of the run's measurements
    last_penalty: float | None = None  # of D; some tricks have one only every n-th step
    recorders: list[Recorder] = field(default_factory=list)  # while a step is recorded: one
    _batches_before: int | None = None  # that earlier stages took, once it is known

    def step(self, step: int) -> Scalars:
        """Take training step number `step`, counted from 0."""
        self.gan.steps = self.run.planned_steps(step)
        self.gan.begin_step(step)
        first_batch = self._first_batch(step)
        numbers = range(first_batch, first_batch + self.run.d_steps)
        reals = [self.batches[number] for number in numbers]
        classes = [self.labels_of(number) for number in numbers]
        return train_step(self.gan, self.loss, [*self.tricks, *self.recorders], reals, classes)

    def _first_batch(self, step: int) -> int:
        """The number of the first batch that a step takes."""
        begin = stage_begin(self.run)
        if step < begin:  # only for a trial, as an earlier stage took that step
            return count_batches(self.run, step)
        if self._batches_before is None:
            self._batches_before = count_batches(self.run, begin)
        return self._batches_before + (step - begin) * self.run.d_steps

    def labels_of(self, batch: int) -> Tensor | None:
        """With class labels, the class (N,) of each picture of a batch."""
        if not self.gan.num_classes:
            return None
        labels: Tensor = self.batches.labels_of(batch)
        return labels

    def recorded_step(self, step: int, *, keeps_updates: bool) -> tuple[Scalars, StepRecord]:
        """Take a step, and record it; with `keeps_updates`, the weights are copied before."""
        recorder = Recorder(keeps_updates)
        self.recorders = [recorder]
        try:
            scalars = self.step(step)
        finally:
            self.recorders = []
        return scalars, recorder._make_record(scalars)


def resolve_auto(run: Run, prepared: PreparedDataset) -> Run:
    """Replace "auto" and 0 by values: device, precision, threads, number of steps, intervals..."""
    device = select_device(run.device)
    threads = run.threads or (choose_threads() if device.type == "cpu" else torch.get_num_threads())
    machine = setup_machine(str(device), run.precision, threads)
    steps = run.steps or _count_steps(run, prepared)
    draw_every, save_every = default_intervals(steps)
    return dataclasses.replace(
        run,
        device=str(machine.device),
        precision=machine.precision,
        memory_format=resolve_memory_format(run, machine.device),
        threads=threads,
        channels=prepared.pixels.shape[3],
        zoom=run.zoom or choose_zoom(prepared.num_train),
        fingerprint=run.fingerprint or prepared.fingerprint,  # that of the pictures it began with
        class_names=_class_names(run, prepared),
        steps=steps,
        draw_every=run.draw_every or draw_every,
        save_every=run.save_every or save_every,
    )


def _class_names(run: Run, prepared: PreparedDataset) -> tuple[str, ...]:
    """The names of a run's classes. GankitError if the run began with others."""
    if not run.class_labels:
        return ()
    names = tuple(prepared.class_names)
    if run.class_names not in ((), names):
        began = quote_value(", ".join(run.class_names))
        now = quote_value(", ".join(names))
        raise GankitError(
            f"the run has the classes {began}, but its pictures now have {now}: give the pictures "
            "that it began with, or begin a new run"
        )
    return names


def resolve_memory_format(run: Run, device: torch.device) -> str:
    """The run's memory format; `auto` is the default of the device."""
    if run.memory_format == "auto":
        return default_memory_format(device.type)
    return run.memory_format


def choose_zoom(pictures: int) -> float:
    """The factor of `--zoom auto`: few pictures need more variants than many.

    1.5 for up to 2,000 training pictures, 1 (none) for 4,000 and more.
    """
    return round(min(1.5, max(1.0, 1.5 - math.log2(pictures / 2000) / 2)), 2)


def default_intervals(steps: int) -> tuple[int, int]:
    """The steps between grids, and between checkpoints, of a run of this length."""
    return max(25, steps // 40), max(100, steps // 10)


def _count_steps(run: Run, prepared: PreparedDataset) -> int:
    """The number of steps of a run's length, rounded up."""
    number, unit = parse_length(run.length)
    if unit == "steps":
        return math.ceil(number)
    pictures = number * {"kimg": 1000, "epochs": prepared.num_train}[unit]
    begin = stage_begin(run)
    more = (pictures - count_pictures(run, begin)) / (run.batch_size * run.d_steps)
    return begin + max(1, math.ceil(more))


def assemble(
    run: Run,
    registry: Registry,
    prepared: PreparedDataset,
    take_over: Callable[[Gan], None] = lambda gan: None,
    base: Base | None = None,
) -> Trainer:
    """Build networks, optimisers, loss, tricks and batches. The same Run gives the same weights.

    `take_over` may change the weights and the moments of Adam before tricks start. `base`: networks
    to begin with, those of `--init`; without it, all weights are new.
    """
    gan, tricks = build_gan(run, registry, base)
    tune_allocator(gan.machine.device)
    loss = _make_part(registry, "loss", run.loss, Loss)
    _check_external(run, registry)
    _create_optimizers(gan, run)
    take_over(gan)
    for trick in tricks:
        if trick.overrides("targets") and not loss.reads_targets:
            raise GankitError(_explain_no_targets(run, registry, trick.name))
        with registry.attribute_errors_to("trick", trick.name):
            trick.start(gan)
    trainer = Trainer(run, gan, loss, tricks, _make_batches(run, gan, prepared), prepared)
    gan.labels = trainer.labels_of(0)  # for parts that are tried before the first step
    if base:
        base.begin_average(gan)
        trainer.begun_from = base.record(gan)
    trainer.non_finite_at_start = find_non_finite(numbers_of_networks(networks_of(gan)))
    return trainer


def _explain_no_targets(run: Run, registry: Registry, trick: str) -> str:
    """The message for a trick that changes targets, which the loss does not read."""
    cure = "choose other tricks, or none, with --trick"
    if not registry.comes_with_gankit("loss", run.loss.name):
        cure += "; or let d_loss use targets, and set reads_targets = True in the class of the loss"
    return f"loss {run.loss!r} reads no targets, so trick {trick!r} could not act: {cure}"


def _make_part(registry: Registry, kind: str, choice: str, expected: type[Part]) -> Part:
    """Build a part; GankitError unless it is an instance of its base class, with its methods."""
    part = registry.make(kind, choice)
    with registry.attribute_errors_to(kind, choice):
        return require_part(part, expected)


def _check_external(run: Run, registry: Registry) -> None:
    """GankitError if a loss or a metric that does not come with gankit cannot be used.

    Such an error would else occur in the first step, or in the first measurement.
    """
    if not registry.comes_with_gankit("loss", run.loss.name):
        loss = _make_part(registry, "loss", run.loss, Loss)  # the run's own keeps its state
        with registry.attribute_errors_to("loss", run.loss), torch.random.fork_rng(devices=[]):
            require_valid_loss(loss)
    for choice in run.metrics:
        if not registry.comes_with_gankit("metric", choice.name):
            _make_part(registry, "metric", choice, Metric)


def _create_optimizers(gan: Gan, run: Run) -> None:
    """Create an Adam optimiser for each player, over its trainable weights."""
    ensure_temporary_folder()
    kernel = {"fused": True} if run.optimizer == "fused" else {"foreach": False, "fused": False}
    for player, lr in ((gan.G, run.lr_g), (gan.D, run.lr_d)):
        weights = [p for p in player.net.parameters() if p.requires_grad]
        player.adam = torch.optim.Adam(weights, lr=lr, betas=(run.beta1, run.beta2), **kernel)


def _make_batches(run: Run, gan: Gan, prepared: PreparedDataset) -> Any:
    """This process's share of the run's batches of real pictures."""
    parts = gan.process_group.world_size * run.accumulate
    if run.batch_size % parts:
        factors = f"processes ({gan.process_group.world_size}) * --accumulate ({run.accumulate})"
        must_be = f"it must be a multiple of {parts} = {factors}"
        raise GankitError(f"--batch-size is {run.batch_size}; {must_be}")
    make_batches = prepared.make_batches or Batches
    of_classes: dict[str, Any] = {}
    if prepared.labels is not None:
        of_classes = {"labels": prepared.labels, "balance": run.balance_classes}
    begin = stage_begin(run)
    return make_batches(
        pixels=prepared.pixels,
        rows=prepared.train,
        batch_size=run.batch_size,
        seed=run.seed,
        flip=run.flip,
        dihedral=run.dihedral,
        zoom=run.zoom,
        resample=run.resample,
        batches_before=count_batches(run, begin),
        pictures_before=count_pictures(run, begin),
        share=gan.process_group.share,
        device=gan.machine.device,
        memory_format=MEMORY_FORMATS[resolve_memory_format(run, gan.machine.device)],
        **of_classes,
    )


def build_gan(run: Run, registry: Registry, base: Base | None = None) -> tuple[Gan, list[Trick]]:
    """Build both networks and the tricks of a run; without optimisers and data."""
    machine = setup_machine(run.device, run.precision, run.threads)
    memory_format = MEMORY_FORMATS[resolve_memory_format(run, machine.device)]
    check_memory(run, current_process_group().world_size)
    g_net = _build_network(run, registry, "generator", machine.device)
    d_net = _build_network(run, registry, "discriminator", machine.device)
    check_networks(run, registry, g_net, d_net)
    gan = Gan(
        G=Player("G", g_net, scaler=machine.scaler()),
        D=Player("D", d_net, scaler=machine.scaler()),
        latent_dim=run.latent_dim,
        seed=run.seed,
        steps=run.steps,
        machine=machine,
        accumulate=run.accumulate,
        num_classes=len(run.class_names),
    )
    if base:  # before tricks wrap the networks, and then what the same tricks had added there
        base.begin(gan, run)
    tricks = _build_tricks(gan, run, registry)
    gan.process_group = current_process_group()  # new weights of tricks are the same in each
    if base:
        base.begin(gan, run)
    for net in (g_net, d_net):
        if run.sync_batch_norm and gan.process_group.world_size > 1:
            sync_batch_norm(net)
        net.to(machine.device).to(memory_format=memory_format).train()
    return gan, tricks


def _build_network(run: Run, registry: Registry, kind: str, device: torch.device) -> nn.Module:
    """Build G or D; its initial weights depend on the run's seed only."""
    if run.class_names:
        require_takes_classes(run, registry, kind)
    torch.manual_seed(randomness.derive_seed(run.seed, 0, f"weights of the {kind}"))
    with limited_weights():
        net: nn.Module = make_network(
            registry,
            kind,
            getattr(run, kind),
            run.size,
            channels=run.channels,
            latent_dim=run.latent_dim,
            num_classes=len(run.class_names),
        )
    # If it is not a module, check_networks will raise.
    if isinstance(net, nn.Module) and wants_fast_convolutions(run, registry, kind, device):
        use_fast_convolutions(net)
    return net


def _build_tricks(gan: Gan, run: Run, registry: Registry) -> list[Trick]:
    """Build the run's tricks, in order, and let each of them change the networks."""
    tricks = []
    for choice in run.tricks:
        trick = _make_part(registry, "trick", choice, Trick)
        with registry.attribute_errors_to("trick", choice):
            trick.name = choice.name
            trick.wrap(gan)
        tricks.append(trick)
    gan.d_inputs = [trick.d_input for trick in tricks if trick.overrides("d_input")]
    return tricks
