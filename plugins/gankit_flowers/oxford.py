"""Which kind of flower each photo of Flowers-102 shows."""

from __future__ import annotations

from pathlib import Path


def kinds(paths: list[Path]) -> list[str]:
    """The kind's name for each `image_00001.jpg` ... `image_08189.jpg`, in torchvision's words.

    The labels come in a small file of their own, imagelabels.mat; it is taken from beside the
    pictures (as torchvision lays them out) or downloaded by torchvision, which checks its md5.
    """
    from scipy.io import loadmat
    from torchvision.datasets import Flowers102

    numbers = loadmat(_labels(paths), squeeze_me=True)["labels"]
    return [Flowers102.classes[numbers[int(path.stem.rsplit("_")[-1]) - 1] - 1] for path in paths]


def _labels(paths: list[Path]) -> Path:
    from torchvision.datasets.utils import download_url

    name, md5 = "imagelabels.mat", "e0620be6f572b9609742df49c70aed4d"
    for folder in paths[0].parents[:2] if paths else ():
        if (folder / name).exists():
            return folder / name
    folder = paths[0].parent
    try:
        download_url(f"https://www.robots.ox.ac.uk/~vgg/data/flowers/102/{name}", folder, md5=md5)
    except (OSError, RuntimeError) as error:
        raise ValueError(f"cannot download {name}, which names the kinds ({error})") from error
    return folder / name
