"""Check the outputs of two networks whenever they are built."""

import copy
import math
import re

import torch
from torch import Tensor, nn

from gankit.core import randomness
from gankit.core.class_labels import LabelsInTurn, without_labels
from gankit.core.errors import describe_error, error_text, place_in_plugin
from gankit.core.parts.registry import Registry
from gankit.core.run.image_size import ImageSize
from gankit.core.run.settings import Run
from gankit.distributed.processes import current_process_group
from gankit.training.checks.returns import require_state

# What torch says of a layer that expects another size.
_LAYER_SIZE = re.compile(r"cannot be multiplied \(\d+x(?P<got>\d+) and (?P<expected>\d+)x\d+\)")
_CONVOLUTION_SIZE = re.compile(r"to have (?P<expected>\d+) channels, but got (?P<got>\d+) channels")
HUGE = 1e6  # times the values of an image; logits grow with it, squashed ones do not
ENDS_IN_TANH = (
    "returns -1 or 1 for images of huge values, so its logits are bounded: remove the final tanh, "
    "because the loss needs logits without bounds"
)
RETURNS_PROBABILITIES = "returns probabilities; the loss needs logits: remove the final sigmoid"


@torch.no_grad()
def check_networks(run: Run, registry: Registry, G: nn.Module, D: nn.Module) -> None:
    """GankitError if G's images or D's logits have a wrong shape, type or range.

    And if a checkpoint could not store one of the networks.
    """
    nets = (("generator", G), ("discriminator", D))
    G = without_labels(G, len(run.class_names))
    D = without_labels(D, len(run.class_names))
    z = randomness.latents(run.seed, 0, 4, run.latent_dim, "check")
    with registry.attribute_errors_to("generator", run.generator):
        shape = (4, run.channels, run.size.height, run.size.width)
        images = _generate(G, z, shape, D)
        low, high = torch.cat([images, G(100 * z)]).nan_to_num().aminmax()
        if low < -1.001 or high > 1.001 or (low >= 0 and high > 0.9):
            pixels = f"returns pixels from {low:.3g} to {high:.3g}"
            raise ValueError(f"{pixels}; expected -1 to 1: end the network in a tanh")
    with registry.attribute_errors_to("discriminator", run.discriminator):
        # Logits of extreme images leave [0, 1]; probabilities do not.
        extreme = HUGE * images / images.abs().max()
        logits = _check_output(_forward(D, images, "images", "(N, C, H, W)"), 4)
        low, high = torch.cat([logits, D(extreme), D(-extreme)]).aminmax()
        if low >= 0 and high <= 1 and high - low > 0.4:
            raise ValueError(RETURNS_PROBABILITIES)
    for kind, net in nets:
        with registry.attribute_errors_to(kind, getattr(run, kind)):
            require_state(net.state_dict())
            if not any(weight.requires_grad for weight in net.parameters()):
                raise ValueError("has no weights to train")
    if run.batch_size == current_process_group().world_size * run.accumulate:
        # Each micro-batch is a single picture.
        for kind, net, single in (("generator", G, z[:1]), ("discriminator", D, images[:1])):
            with registry.attribute_errors_to(kind, getattr(run, kind)), torch.random.fork_rng([]):
                _check_single(net, single)


def _generate(G: nn.Module, z: Tensor, shape: tuple[int, ...], D: nn.Module) -> Tensor:
    """G's images; ValueError if they have another shape, or if G and D are swapped."""
    try:
        return _check_output(_forward(G, z, "z", "(N, latent_dim)"), *shape)
    except ValueError as error:
        if not _makes(D, z, shape):
            raise
        what = "is a discriminator, and the discriminator makes images, so they are swapped"
        raise ValueError(f"{what}: give G first, as in model=(G, D)") from error


def _makes(net: nn.Module, given: Tensor, shape: tuple[int, ...]) -> bool:
    """Whether a network returns this shape."""
    try:
        return tuple(net.eval()(given).shape) == shape
    except Exception:  # of the network's code
        return False


def _forward(net: nn.Module, given: Tensor, name: str, meaning: str) -> object:
    """Call a network in eval mode; if it raises, a ValueError says what gankit gives it."""
    if not isinstance(net, nn.Module):
        raise ValueError(f"its builder returns a {type(net).__name__}; expected a torch.nn.Module")
    try:
        return net.eval()(given)
    except Exception as error:  # of the network's code
        advice = _advise_setting(error_text(error), given)
        arguments = f"{name}, labels" if isinstance(net, LabelsInTurn) else name
        call = f"gankit calls forward({arguments}) with {name} of shape"
        call = f"{call} {tuple(given.shape)}, {meaning}"
        what = describe_error(error, place=place_in_plugin(error))
        raise ValueError(f"{what}; {call}{advice}") from error


def _advise_setting(text: str, given: Tensor) -> str:
    """The setting with which the run would fit a network whose layer expects another size."""
    match = _LAYER_SIZE.search(text) or _CONVOLUTION_SIZE.search(text)
    if not match:
        return ""
    is_convolution = match.re is _CONVOLUTION_SIZE
    expected, got = int(match["expected"]), int(match["got"])
    if given.ndim == 2 and got == given.shape[1]:  # z
        return f": the run's latent_dim is {got}, so give --latent-dim {expected}"
    if given.ndim == 4 and is_convolution and got == given.shape[1]:
        return f": the run's channels is {got}, so give --channels {expected}"
    if given.ndim == 4 and got == given[0].numel():  # flattened images
        size = math.isqrt(expected // given.shape[1])
        if given.shape[1] * size**2 == expected:
            own = ImageSize(given.shape[3], given.shape[2]).setting
            return f": the run's image_size is {own}, so give --image-size {size}"
    return ""


@torch.no_grad()
def ends_in_tanh(D: nn.Module, images: Tensor) -> bool:
    """Whether D's logits for images (N, C, H, W) saturate at -1 and 1; D is in eval mode then."""
    extreme = HUGE * torch.cat([images, -images])
    logits: Tensor = D.eval()(extreme)
    return bool(((logits.float().abs() - 1).abs() < 1e-3).all())


def _check_single(net: nn.Module, single: Tensor) -> None:
    """ValueError if a network, in training mode, needs more than one picture."""
    try:
        copy.deepcopy(net).train()(single)
    except ValueError as error:  # from batch norm, if a feature map is one pixel
        why = "cannot train on one picture at a time: use a larger --batch-size"
        raise ValueError(f"{why} ({error})") from error


def _check_output(output: object, *shape: int) -> Tensor:
    """ValueError unless a network's output is a tensor of this shape, of finite float32."""
    if output is None:
        raise ValueError("returns None; expected a tensor: did you forget return in forward?")
    if not isinstance(output, Tensor):
        raise ValueError(f"returns a {type(output).__name__}; expected a single tensor")
    actual = f"{tuple(output.shape)}, {output.dtype}"
    expected = f"{shape}, torch.float32"
    if actual != expected:
        advice = _advise_shape(tuple(output.shape), shape)
        raise ValueError(f"returns shape {actual}; expected {expected}{advice}")
    if not output.isfinite().all():
        raise ValueError("returns NaN or infinity")
    return output


def _advise_shape(actual: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """What to change if a network returns this shape."""
    if actual == (*expected, 1):
        return ": end it in .flatten()"
    if len(actual) != 4 or len(expected) != 4 or actual[0] != expected[0]:
        return ""
    if actual[1] != expected[1]:
        return f": the run's channels is {expected[1]}, so give --channels {actual[1]}"
    if min(actual[2:]) < 1:
        return ""
    own, other = (ImageSize(shape[3], shape[2]).setting for shape in (expected, actual))
    return f": the run's image_size is {own}, so give --image-size {other}"
