"""The two networks, in plain PyTorch."""

from torch import Tensor, nn


class Generator(nn.Module):
    """z (N, latent_dim) -> images (N, channels, image_size, image_size) in [-1, 1]."""

    # gankit passes the first three; a parameter with a default is an option.
    def __init__(self, image_size: int, channels: int, latent_dim: int, width: int = 32) -> None:
        super().__init__()
        if image_size % 4:
            raise ValueError(f"image_size {image_size} must be a multiple of 4")
        small = image_size // 4
        self.main = nn.Sequential(
            nn.Linear(latent_dim, 2 * width * small**2),
            nn.Unflatten(1, (2 * width, small, small)),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(2 * width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(width, channels, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        images: Tensor = self.main(z)
        return images


class Discriminator(nn.Module):
    """Images (N, channels, image_size, image_size) -> logits (N,), without a sigmoid."""

    def __init__(self, image_size: int, channels: int, width: int = 32) -> None:
        super().__init__()
        if image_size % 4:
            raise ValueError(f"image_size {image_size} must be a multiple of 4")
        self.main = nn.Sequential(
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(2 * width * (image_size // 4) ** 2, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.main(images)
        return logits.flatten()
