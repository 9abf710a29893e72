"""Begin a run with the networks of another one: each tensor that has the same name and shape."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from gankit.core.contracts.growing import growth_tensors
from gankit.core.contracts.trick import Trick
from gankit.core.errors import GankitError
from gankit.core.gan import Gan
from gankit.core.run.settings import Run
from gankit.training.checkpoints import checkpoint
from gankit.training.checkpoints.finite import find_non_finite, numbers_of_networks
from gankit.training.settings.python_words import in_caller_words
from gankit.training.weights.base_run import BaseRun, find_base, recorded_setting
from gankit.training.weights.class_rows import ClassRows
from gankit.training.weights.fit_weights import find_fitting

log = logging.getLogger("gankit")
Weights = dict[str, Tensor]
MAX_NAMED = 3  # new tensors in the message; run.json lists all
_OF_PARAMETRIZATION = re.compile(r"\.parametrizations\.(\w+)\..*")


@dataclass
class Base:
    """The networks of a checkpoint, and which of their tensors a run has taken."""

    run: BaseRun
    dataset: str  # that it was trained on
    image_size: int | str  # of its run
    networks: dict[str, Weights]  # of G, D and sampler; D and sampler may be missing
    rows: ClassRows = field(default_factory=ClassRows)  # of the classes
    taken: dict[str, set[str]] = field(default_factory=dict)  # names, also of unwrapped networks

    def begin(self, gan: Gan, run: Run) -> None:
        """Load what fits into G and D of a run. GankitError for what is not weights.

        It is called before tricks wrap the networks, so that they wrap trained weights; and again
        after that, for tensors that the same tricks had added to the base. If a trick has made the
        networks small, to let them grow, they get the size to which those of the base had grown.
        """
        self.rows = replace(self.rows, of_run=run.class_names)
        for player in (gan.G, gan.D):
            is_small = getattr(player.net, "halvings", 0) > 0
            grown = is_small and run.image_size == self.image_size
            self._load(player.name, player.net, takes_growth=grown)

    def _load(self, name: str, net: nn.Module, *, takes_growth: bool = False) -> None:
        growth = growth_tensors(net)
        own = net.state_dict()
        saved = self.rows.sort(self.networks.get(name, {}), net)
        fitting = find_fitting(own, saved)
        self.rows.fill(fitting, own, net)
        if not takes_growth:  # the network keeps its size
            fitting = {key: tensor for key, tensor in fitting.items() if key not in growth}
        with checkpoint.errors_of(self.run.checkpoint):
            _check_numbers(name, own, fitting)
            net.load_state_dict({**own, **fitting})
        self.taken.setdefault(name, set()).update(fitting)

    def begin_average(self, gan: Gan) -> None:
        """Load the average of G, if both runs have one; else this run's average begins with G."""
        if gan.sampler is not gan.G.net and "sampler" in self.networks:
            self._load("sampler", gan.sampler)  # which has the size of G

    def record(self, gan: Gan) -> dict[str, Any]:
        """What run.json says about it. GankitError if no weight of G fits."""
        new = {player.name: self._new_tensors(player.name, player.net) for player in (gan.G, gan.D)}
        weights = {key for key, tensor in gan.G.net.state_dict().items() if tensor.dim() > 1}
        if weights.issubset(new["G"]):
            why = f"none of the weights of G in {self.run.folder} fit the G of this run"
            cure = "omit --model, --generator and --image-size to take its networks"
            raise GankitError(f"--init: {why}: {cure}")
        tensors = {player.name: len(_learnt_tensors(player.net)) for player in (gan.G, gan.D)}
        record = {"sha256": self.run.sha256, "dataset": self.dataset, "tensors": tensors}
        return {**record, "new": new, "new_classes": self.rows.new}

    def _new_tensors(self, name: str, net: nn.Module) -> list[str]:
        """The names of the tensors of G or D that begin anew."""
        taken = self.taken.get(name, set())
        return [key for key in _learnt_tensors(net) if not {key, _plain_name(key)} & taken]


def _learnt_tensors(net: nn.Module) -> list[str]:
    """The names of the tensors that hold what a network has learnt.

    Buffers of a single number do not: they count batches, or say how far a network has grown.
    """
    counters = {key for key, buffer in net.named_buffers() if not buffer.dim()}
    return [key for key in net.state_dict() if key not in counters]


def _plain_name(name: str) -> str:
    """The weight that a tensor of a parametrization belongs to, as without spectral norm."""
    return _OF_PARAMETRIZATION.sub(r".\1", name)


def base_of(run: Run, *, resume: bool) -> Base | None:
    """The networks that a run begins with; None if they are new, or if it has a checkpoint.

    GankitError if they cannot be read.
    """
    has_begun = resume and checkpoint.list_checkpoints(run.folder / "checkpoints")
    return load_base(run.init) if run.init and not has_begun else None


def load_base(init: str) -> Base:
    """Read the checkpoint that a value of `--init` means. GankitError."""
    base = find_base(init)
    saved = checkpoint.load(base.checkpoint)
    with checkpoint.errors_of(base.checkpoint):
        networks = {name: _read_network(name, value) for name, value in saved.model.items()}
    dataset = str(recorded_setting(base, "dataset"))
    rows = ClassRows(tuple(recorded_setting(base, "class_names") or ()))
    return Base(base, dataset, recorded_setting(base, "image_size"), networks, rows)


def _read_network(name: str, saved: Any) -> Weights:
    """The tensors of a network, also those without its spectral norm. ValueError."""
    if not isinstance(saved, dict):
        raise ValueError(f"{name} is a {type(saved).__name__}; expected a dict")
    tensors = {str(key): value for key, value in saved.items() if isinstance(value, Tensor)}
    return {**_without_spectral_norm(tensors), **tensors}


def _without_spectral_norm(tensors: Weights) -> Weights:
    """The weight that each layer with spectral norm computes with: W / sigma, sigma = u' W v."""
    plain = {}
    for name, original in tensors.items():
        prefix = name.removesuffix(".original")
        u, v = (tensors.get(f"{prefix}.0.{vector}") for vector in ("_u", "_v"))
        if u is None or v is None or original.dim() < 2 or original[0].numel() != v.numel():
            continue  # not spectral norm, or that of a transposed convolution
        sigma = u @ original.flatten(1) @ v
        plain[_plain_name(name)] = original / sigma
    return plain


def _check_numbers(name: str, own: Mapping[str, Tensor], fitting: Weights) -> None:
    """ValueError if a number is not finite, but was in the new network, or a variance negative."""
    at_start = find_non_finite(numbers_of_networks({name: own}))
    problems = find_non_finite(numbers_of_networks({name: fitting}), at_start)
    for label, kind in problems.items():
        raise ValueError(f"{label} is {kind}")
    for key, tensor in fitting.items():
        if key.endswith("running_var") and (tensor < 0).any():
            raise ValueError(f"{name} has a negative {key}")


def describe_begin(record: Mapping[str, Any], init: str) -> str:
    """One line that says which tensors of G and D a run has from its base `init`."""
    new = {name: len(keys) for name, keys in record["new"].items()}
    source = f"from {init.partition('@')[0]}"
    classes = record.get("new_classes", [])  # runs of before have none
    more_classes = f"; new classes: {', '.join(classes)}" if classes else ""
    if not any(new.values()):
        return f"G and D begin with the weights {source}{more_classes}"
    parts = []
    for name, total in record["tensors"].items():
        taken = total - new[name]
        share = "all" if taken == total else f"{taken or 'none'} of"
        parts.append(f"{share} {total} tensors of {name}")
    named = [f"{key} of {name}" for name, keys in record["new"].items() for key in keys]
    more = len(named) - MAX_NAMED
    names = ", ".join(named[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{' and '.join(parts)} are {source}; new: {names}{more_classes}"


def warn_of_untrained_d(record: Mapping[str, Any], D: nn.Module, tricks: Iterable[Trick]) -> None:
    """Warn of tricks that keep what D has learnt, if what they keep is not from a base."""
    new = record["new"]["D"] if record else []
    frozen = {name for name, weight in D.named_parameters() if not weight.requires_grad}
    if not record:
        cure = "give a trained run with --init RUN, or omit the trick"
    elif len(new) == record["tensors"]["D"]:
        cure = "nothing of D is from the base, so give another one, or omit the trick"
    elif not_taken := sorted(frozen.intersection(new)):
        what = f"{not_taken[0]} of D is not from the base, which has none of this name and shape"
        cure = f"{what}: give the --channels and the --discriminator of the base, or omit the trick"
    else:
        return
    cure = in_caller_words(cure)
    for trick in tricks:
        if trick.needs_trained_d:
            log.warning("trick %s: %s: %s", trick.name, trick.needs_trained_d, cure)
