"""Convolution layers with faster algorithms on a CPU; results differ by rounding only."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, type_before_parametrizations

from gankit.compute.algorithms import is_faster
from gankit.compute.conv_autograd import compute_product
from gankit.compute.geometry import ConvGeometry
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import Registry
from gankit.core.run.settings import Run


class FastConv2d(nn.Conv2d):
    """nn.Conv2d with faster algorithms on a CPU, also for its gradients."""

    def forward(self, input: Tensor) -> Tensor:
        images = _cast_for_autocast(input)
        if not _is_supported_input(images):
            return super().forward(images)
        height, width = images.shape[2:]
        geometry = ConvGeometry(*_kernel_stride_padding(self), height, width)
        if not is_faster(geometry, images, _weight_shape(self), images.requires_grad):
            return super().forward(images)
        maps = compute_product(
            "maps", geometry, images=images, weight=_cast_for_autocast(self.weight)
        )
        return _add_bias(maps, self.bias)


class FastConvTranspose2d(nn.ConvTranspose2d):
    """nn.ConvTranspose2d with faster algorithms on a CPU, also for its gradients."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        maps = _cast_for_autocast(input)
        if output_size is not None or not _is_supported_input(maps):
            return super().forward(maps, output_size)
        kernel_size, stride, padding = _kernel_stride_padding(self)
        extra = kernel_size - 2 * padding + self.output_padding[0]
        height = (maps.shape[2] - 1) * stride + extra
        width = (maps.shape[3] - 1) * stride + extra
        geometry = ConvGeometry(kernel_size, stride, padding, height, width)
        if not is_faster(geometry, maps, _weight_shape(self)):
            return super().forward(maps, output_size)
        images = compute_product(
            "images", geometry, maps=maps, weight=_cast_for_autocast(self.weight)
        )
        return _add_bias(images, self.bias)


FAST_LAYERS: dict[type[nn.Module], type[nn.Module]] = {
    nn.Conv2d: FastConv2d,
    nn.ConvTranspose2d: FastConvTranspose2d,
}


def use_fast_convolutions(net: nn.Module) -> nn.Module:
    """Replace a network's convolution layers by faster ones, in place; returns the network.

    A layer whose type is exactly nn.Conv2d or nn.ConvTranspose2d becomes a FastConv2d or
    FastConvTranspose2d: a subclass with the same weights, options and hooks. Not replaced: other
    subclasses, and layers with groups, dilation, reflected padding, or a kernel that is 1x1 or not
    square. Results differ by rounding. Any memory format works. On other devices than a CPU, under
    torch.compile, and where no faster algorithm is known, fast layers compute as torch's do.
    """
    for module in net.modules():
        fast = FAST_LAYERS.get(type_before_parametrizations(module))
        if fast is None or not _is_supported_layer(module):
            continue
        module.__class__ = _parametrized_class(fast, module) if is_parametrized(module) else fast
    return net


def wants_fast_convolutions(run: Run, registry: Registry, kind: str, device: torch.device) -> bool:
    """Whether a run's network of a kind ("generator" or "discriminator") gets fast layers.

    With "auto", only on a CPU and only if the network is bundled with gankit: layers of other
    packages are replaced only with `--convolutions fast`.
    """
    if run.convolutions != "auto":
        return run.convolutions == "fast"
    network: Choice = getattr(run, kind)
    return device.type == "cpu" and registry.comes_with_gankit(kind, network.name)


def count_fast_layers(net: nn.Module) -> tuple[int, int]:
    """The number of fast convolution layers of a network, and of all its convolution layers."""
    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    fast = [layer for layer in layers if isinstance(layer, FastConv2d | FastConvTranspose2d)]
    return len(fast), len(layers)


def _is_supported_layer(layer: Any) -> bool:
    """Whether kernel, stride and padding are square, and there are no groups and no dilation."""
    for pair in (layer.kernel_size, layer.stride, layer.padding, layer.output_padding):
        if isinstance(pair, str) or len(set(pair)) != 1:
            return False
    if layer.groups != 1 or layer.dilation != (1, 1) or layer.padding_mode != "zeros":
        return False
    # torch refuses a larger output padding; keep its layer, so that it raises the error.
    return bool(layer.output_padding[0] < layer.stride[0] and layer.kernel_size[0] > 1)


def _parametrized_class(fast: type[nn.Module], layer: nn.Module) -> type[nn.Module]:
    """A new class for one parametrized layer, like those of torch.nn.utils.parametrize.

    The weight of such a layer is a property of its class.
    """
    parametrized = type(layer)
    return type(parametrized.__name__, (fast,), dict(vars(parametrized)))


def _cast_for_autocast(tensor: Tensor) -> Tensor:
    """Cast a tensor to autocast's precision, as torch does for a convolution."""
    device_type = tensor.device.type
    if not torch.is_autocast_enabled(device_type):
        return tensor
    if not tensor.is_floating_point() or tensor.dtype == torch.float64:
        return tensor
    return tensor.to(torch.get_autocast_dtype(device_type))


def _is_supported_input(batch: Tensor) -> bool:
    """Whether this is a batch of images or maps on a CPU, outside torch.compile.

    torch.compile gives wrong results for in-place additions to overlapping views.
    """
    if batch.dim() != 4 or not batch.is_floating_point() or batch.device.type != "cpu":
        return False
    return not torch.compiler.is_compiling()


def _kernel_stride_padding(layer: nn.Conv2d | nn.ConvTranspose2d) -> tuple[int, int, int]:
    """Kernel size, stride and padding of a supported layer, which are square."""
    assert not isinstance(layer.padding, str)
    return layer.kernel_size[0], layer.stride[0], layer.padding[0]


def _weight_shape(layer: nn.Conv2d | nn.ConvTranspose2d) -> torch.Size:
    """The weight's shape, from the layer's options.

    `layer.weight.shape` would compute a parametrized weight, and spectral norm updates its estimate
    each time.
    """
    if layer.transposed:
        return torch.Size((layer.in_channels, layer.out_channels, *layer.kernel_size))
    return torch.Size((layer.out_channels, layer.in_channels, *layer.kernel_size))


def _add_bias(maps: Tensor, bias: Tensor | None) -> Tensor:
    """Add a bias (C,) to maps (N, C, H, W), in their precision."""
    if bias is None:
        return maps
    return maps + bias.to(maps.dtype)[:, None, None]
