"""What the methods of parts may return: checks of shape and type, never of values.

They cost nothing that you can measure. Reading values would make the program wait for the device.
Each raises ValueError.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gankit.core.contracts.growing import shape_in_training
from gankit.core.contracts.trick import Targets
from gankit.core.errors import quote_value
from gankit.core.reported import TEXT, Activity, require_numbers

MAX_DEPTH = 100  # of the lists and dicts in a trick's state


def require_like(what: str, result: object, example: Tensor) -> Tensor:
    """ValueError unless it is a tensor of the example's shape, dtype and device; returns it."""
    tensor = require_tensor(what, result)
    if tensor.is_inference():
        raise ValueError(f"{what} returns a tensor of torch.inference_mode, which has no gradient")
    is_like = tensor.shape == example.shape and tensor.dtype == example.dtype
    if is_like and tensor.device == example.device:
        return tensor
    properties: dict[str, tuple[object, object]] = {
        "shape": (tuple(tensor.shape), tuple(example.shape)),
        "dtype": (tensor.dtype, example.dtype),
        "device": (tensor.device, example.device),
    }
    for name, (actual, expected) in properties.items():
        if actual != expected:
            raise ValueError(f"{what} returns {name} {actual}; expected {expected}, like its input")
    return tensor


def require_reals(result: object, images: Tensor, net: torch.nn.Module) -> Tensor:
    """ValueError unless they are like the images that `reals` got; returns them.

    They may be as small as the pictures of `net`, if this is a network that has yet to grow.
    """
    height, width = shape_in_training(net, tuple(images.shape))[-2:]
    is_small = require_tensor("reals", result).shape[-2:] == (height, width)
    return require_like("reals", result, images[..., :height, :width] if is_small else images)


def require_tensor(what: str, result: object) -> Tensor:
    """ValueError unless it is a tensor; returns it."""
    if not isinstance(result, torch.Tensor):
        raise ValueError(f"{what} returns a {type(result).__name__}; expected a tensor")
    return result


def require_targets(result: object, example: Targets) -> Targets:
    """ValueError unless they are a pair of targets like the example; returns them."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise ValueError(f"targets returns a {type(result).__name__}; expected Targets(real, fake)")
    real = require_like("targets (real)", result[0], example.real)
    fake = require_like("targets (fake)", result[1], example.fake)
    return Targets(real, fake)


def require_logits(what: str, result: object, example: Tensor) -> None:
    """ValueError unless they are float32 logits (N,); a trick may select some of the given ones."""
    logits = require_tensor(what, result)
    count = len(example)
    if logits.ndim == 1 and 0 < len(logits) < count:
        example = example[: len(logits)]
    require_like(what, logits, example)


def require_scalar_shape(what: str, result: object) -> Tensor:
    """ValueError unless it is a tensor of shape () with a real number; returns it."""
    if isinstance(result, torch.Tensor) and result.ndim == 0:
        if not result.is_floating_point() or result.is_meta:
            kind = "on the device meta" if result.is_meta else f"of dtype {result.dtype}"
            raise ValueError(f"{what} is a tensor {kind}; expected one with a float")
        return result
    shape = ""
    cure = "return a tensor that is computed from the logits"
    if isinstance(result, torch.Tensor):
        shape = f" of shape {tuple(result.shape)}"
        cure = "end it in .mean()"
    elif result is None:
        cure = "did you forget return?"
    elif isinstance(result, int | float):
        cure = "return the tensor itself, without .item() or float()"
    wrong = f"{what} is a {type(result).__name__}{shape}"
    raise ValueError(f"{wrong}; expected a scalar tensor: {cure}")


def require_scalar(what: str, value: object) -> Tensor:
    """ValueError unless it is a finite tensor without dimensions; returns it."""
    scalar = require_scalar_shape(what, value)
    if not scalar.isfinite():
        raise ValueError(f"{what} is {scalar.item()}")
    return scalar


def require_loss(what: str, result: object) -> None:
    """ValueError unless it is a scalar tensor with a gradient."""
    if not require_scalar_shape(what, result).requires_grad:
        raise ValueError(f"{what} has no gradient, so nothing is learnt: do not detach it")


def require_images(what: str, result: object, shape: tuple[int, ...]) -> None:
    """ValueError unless it is a tensor of this shape: a network's images or logits."""
    actual = tuple(require_tensor(what, result).shape)
    if actual != shape:
        raise ValueError(f"{what} returns shape {actual}; expected {shape}")


def require_penalty(result: object) -> None:
    """ValueError unless it is None or a scalar tensor."""
    if result is not None:
        require_scalar_shape("penalty", result)


def require_score(result: object) -> None:
    """ValueError unless it is a tensor of floats."""
    if not require_tensor("score", result).is_floating_point():
        raise ValueError("score returns whole numbers; expected floats")


def require_activity(result: object) -> Activity:
    """ValueError unless it is text, a dict of numbers, perhaps with a text, or None; returns it."""
    if result is None or isinstance(result, str):
        return result
    if not isinstance(result, dict):
        expected = "text, a dict of numbers, or None"
        raise ValueError(f"activity returns {quote_value(result)}; expected {expected}")
    numbers = {name: value for name, value in result.items() if name != TEXT}
    require_numbers("what activity returns", numbers)
    if not isinstance(result.get(TEXT, ""), str):
        what = quote_value(result[TEXT])
        raise ValueError(f"activity returns {what} as {TEXT!r}; expected text")
    return result


def require_state(result: object) -> None:
    """ValueError unless it is a dict that a checkpoint can store."""
    if not isinstance(result, dict):
        raise ValueError(f"state_dict returns a {type(result).__name__}; expected a dict")
    _require_storable(result, "", 0)


def _require_storable(value: object, path: str, depth: int) -> None:
    """ValueError that names the path of what a checkpoint cannot store, such as `/seen/0`."""
    if depth > MAX_DEPTH:
        raise ValueError(f"state_dict is nested more than {MAX_DEPTH} deep at {path[:60]}")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str | int | float):
                kind = type(key).__name__
                raise ValueError(f"state_dict has a key of type {kind} at {path}/; expected text")
            _require_storable(item, f"{path}/{key}", depth + 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _require_storable(item, f"{path}/{index}", depth + 1)
    elif not _is_storable(value):
        kinds = "tensors, numbers, text, None, and lists and dicts of these"
        raise ValueError(f"state_dict has a {type(value).__name__} at {path}; expected {kinds}")


def _is_storable(value: object) -> bool:
    if isinstance(value, torch.Tensor):
        return value.layout == torch.strided and not value.is_meta and not value.is_quantized
    return value is None or isinstance(value, bool | int | float | str)


def changes_input(what: str) -> ValueError:
    """The error for a method or network that changes its input in place."""
    return ValueError(f"{what} changes its input in place: return a new tensor")
