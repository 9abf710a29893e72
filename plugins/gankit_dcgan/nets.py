"""The two networks of DCGAN (Radford, Metz & Chintala 2015, arXiv 1511.06434).

Written for any image size, also oblong, that a small map reaches by doubling: each doubling adds
one block.
With 64 px and 64 base channels they are the networks of PyTorch's DCGAN example.
"""

from torch import Tensor, nn


def first_map(image_size: int | tuple[int, int]) -> tuple[int, int, int]:
    """Height and width of the first map, and how often it doubles until it is the picture.

    Its shorter side is 4, 5, 6 or 7. `image_size` is the side of a square, or (height, width).
    """
    height, width = image_size if isinstance(image_size, tuple) else (image_size, image_size)
    shorter, longer = sorted((height, width))
    doublings = max(2, (shorter // 4).bit_length() - 1)
    unit = 2**doublings
    if shorter < 16 or longer > 4 * shorter or height % unit or width % unit:
        raise ValueError(
            f"image_size is {width}x{height}, but this network needs sides of 16 px or more that "
            f"are multiples of {unit}, the longer one at most 4 times the shorter"
        )
    return height // unit, width // unit, doublings


def map_channels(maps: int, base_channels: int, max_channels: int) -> list[int]:
    """Channels of the feature maps, from the smallest to the largest: doubled the other way."""
    if base_channels < 1 or max_channels < 1:
        raise ValueError("base_channels and max_channels must be 1 or more")
    return [min(base_channels * 2**power, max_channels) for power in reversed(range(maps))]


def init_weights(module: nn.Module) -> None:
    """Convolutions ~ N(0, 0.02), batch norm scale ~ N(1, 0.02), as in the paper's code."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class ClassTable(nn.Embedding):
    """A row of numbers for each class: labels (N,) -> (N, features).

    Labels may also be shares of the classes, (N, num_classes): the rows are mixed by them.
    """

    def __init__(self, num_classes: int, features: int) -> None:
        super().__init__(num_classes, features)
        nn.init.normal_(self.weight, 0.0, 0.02)  # at first, the class changes little

    def forward(self, labels: Tensor) -> Tensor:
        return labels @ self.weight if labels.is_floating_point() else super().forward(labels)


class ClassBatchNorm(nn.BatchNorm2d):
    """Batch norm, then a scale and a shift for each class: maps (N, channels, H, W), labels (N,).

    Conditional batch norm (de Vries et al. 2017, arXiv 1707.00683). All tensors but the tables have
    the names that they have without classes, so that weights of networks without labels fit.
    """

    def __init__(self, num_classes: int, channels: int) -> None:
        super().__init__(channels)
        self.scale = ClassTable(num_classes, channels)
        self.shift = ClassTable(num_classes, channels)

    def normalize(self, maps: Tensor, labels: Tensor) -> Tensor:
        """Not `forward`, which is that of batch norm: --sync-batch-norm replaces it."""
        maps = self(maps)
        scale = (1 + self.scale(labels))[:, :, None, None].to(maps.dtype)
        return maps * scale + self.shift(labels)[:, :, None, None].to(maps.dtype)


class Layers(nn.Sequential):
    """Layers one after another; each ClassBatchNorm also gets the labels."""

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        for layer in self:
            if isinstance(layer, ClassBatchNorm):
                assert labels is not None  # a network with classes always gets them
                x = layer.normalize(x, labels)
            else:
                x = layer(x)
        return x


def batch_norm(channels: int, num_classes: int) -> nn.Module:
    """Batch norm, conditional if there are classes."""
    return ClassBatchNorm(num_classes, channels) if num_classes else nn.BatchNorm2d(channels)


class Generator(nn.Module):
    """z (N, latent_dim) -> images (N, channels, height, width) in [-1, 1].

    3,576,704 parameters for 64 px at base_channels=64. Each smaller map has twice the channels, up
    to max_channels. Without a limit (max_channels=1024 for 128 px, 2048 for 256) the parameters
    are 12,786,560 and 47,983,488.

    With class labels, `labels` (N,) are the classes that the images are to show. They act after
    each batch norm only. An embedding beside z was tried: it grew until batch norm left nothing of
    z, and all pictures of a class were alike.

    base_channels: channels of the last map.
    """

    def __init__(
        self,
        image_size: int | tuple[int, int] = 64,
        channels: int = 3,
        latent_dim: int = 100,
        num_classes: int = 0,
        base_channels: int = 64,
        max_channels: int = 512,
    ) -> None:
        super().__init__()
        height, width, doublings = first_map(image_size)
        first, *others = map_channels(doublings, base_channels, max_channels)
        layers: list[nn.Module] = [  # z as a 1x1 image -> (first, height, width): 4x4 for 64 px
            nn.ConvTranspose2d(latent_dim, first, (height, width), 1, 0, bias=False),
            batch_norm(first, num_classes),
            nn.ReLU(inplace=True),
        ]
        wide = first
        for narrow in others:  # (wide, h, w) -> (narrow, 2h, 2w)
            layers += [
                nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False),
                batch_norm(narrow, num_classes),
                nn.ReLU(inplace=True),
            ]
            wide = narrow
        layers += [nn.ConvTranspose2d(wide, channels, 4, 2, 1, bias=False), nn.Tanh()]
        self.main = Layers(*layers)
        self.apply(init_weights)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.main(z[:, :, None, None], labels)


class Discriminator(nn.Module):
    """Images (N, channels, height, width) -> logits (N,).

    2,765,568 parameters for 64 px at base_channels=64; without a limit 11,164,416
    for 128 px and 44,739,328 for 256. No batch norm on the first layer.

    With class labels, `labels` (N,) are the classes that the images should show. The logit has a
    second term, the product of the image's mean features with a vector of its class: projection
    (Miyato & Koyama 2018, arXiv 1802.05637).

    base_channels: channels of the first map.
    """

    def __init__(
        self,
        image_size: int | tuple[int, int] = 64,
        channels: int = 3,
        num_classes: int = 0,
        base_channels: int = 64,
        max_channels: int = 512,
    ) -> None:
        super().__init__()
        height, width, doublings = first_map(image_size)
        first, *others = reversed(map_channels(doublings, base_channels, max_channels))
        layers: list[nn.Module] = [  # the image -> (first, half its height, half its width)
            nn.Conv2d(channels, first, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        narrow = first
        for wide in others:  # (narrow, h, w) -> (wide, h / 2, w / 2), down to 4x4 for 64 px
            layers += [
                nn.Conv2d(narrow, wide, 4, 2, 1, bias=False),
                nn.BatchNorm2d(wide),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            narrow = wide
        layers.append(nn.Conv2d(narrow, 1, (height, width), 1, 0, bias=False))  # -> 1x1
        self.project = ClassTable(num_classes, narrow) if num_classes else None
        self.main = nn.Sequential(*layers)
        self.apply(init_weights)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.project is None:
            return self.main(images).flatten()
        vectors = self.project(labels)  # (N, channels)
        features = self.main[:-1](images)  # (N, channels, 4, 4)
        logits = self.main[-1](features).flatten()
        return logits + (vectors * features.mean(dim=(2, 3))).sum(dim=1)
