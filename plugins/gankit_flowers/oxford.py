"""The class names of Oxford Flowers-102."""

from __future__ import annotations

from pathlib import Path

LABELS = "imagelabels.mat"
LABELS_URL = f"https://www.robots.ox.ac.uk/~vgg/data/flowers/102/{LABELS}"
LABELS_MD5 = "e0620be6f572b9609742df49c70aed4d"


def class_names(paths: list[Path]) -> list[str]:
    """The class of each `image_00001.jpg` ... `image_08189.jpg`, by torchvision's names.

    The labels are in a small file, imagelabels.mat. If it is not next to the pictures or one folder
    above (as torchvision saves it), torchvision downloads it and checks its md5.
    """
    from scipy.io import loadmat
    from torchvision.datasets import Flowers102

    labels = loadmat(_find_labels(paths), squeeze_me=True)["labels"]  # (8189,), from 1 on
    numbers = [int(path.stem.rsplit("_")[-1]) for path in paths]  # from 1 on, too
    return [Flowers102.classes[labels[number - 1] - 1] for number in numbers]


def _find_labels(paths: list[Path]) -> Path:
    from torchvision.datasets.utils import download_url

    for folder in paths[0].parents[:2]:
        if (folder / LABELS).exists():
            return folder / LABELS
    folder = paths[0].parent
    try:
        download_url(LABELS_URL, folder, md5=LABELS_MD5)
    except (OSError, RuntimeError) as error:
        cure = f"download {LABELS_URL} yourself and save it in {folder}"
        raise ValueError(
            f"--classes needs {LABELS}, and its download failed: {error}; {cure}"
        ) from error
    return folder / LABELS
