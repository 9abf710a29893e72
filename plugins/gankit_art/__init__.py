"""Pictures of paintings."""

from collections.abc import Callable

from gankit import DatasetSpec, Download, hookimpl, picture_files

CYCLEGAN = "https://people.eecs.berkeley.edu/~taesung_park/CycleGAN/datasets"
PAINTERS = {  # name: (the painter, the number of paintings in the paper, bytes, sha256)
    "vangogh": (
        "Vincent van Gogh", 401, 306590349,
        "362c3473e70be0944bda08d49d660eafdc2854df55d697835b8186d1d79caaff",
    ),
    "monet": (
        "Claude Monet", 1074, 305231073,
        "88f91b00fc228f97c9411fbf1880ec1d119c98f1722e4cfcfaa2fb35fac05b04",
    ),
    "cezanne": (
        "Paul Cezanne", 584, 279885071,
        "3a6c10ca21f9485862f1cbd707744b9dc258954a04631271d23a3605eeb63cff",
    ),
    "ukiyoe": (
        "ukiyo-e printmakers", 1433, 292946532,
        "02a2a2fb5ecf425ca1bf86aca7304377da64a2a1d3b86df54eb65e4068bf3b08",
    ),
}  # fmt: skip


@hookimpl
def register_datasets(register: Callable[[DatasetSpec], None]) -> None:
    for name, (painter, count, num_bytes, sha256) in PAINTERS.items():
        register(
            DatasetSpec(
                name=name,
                summary=f"pictures by {painter}, 256 px, from the CycleGAN sets",
                source="Zhu et al. 2017, CycleGAN, arXiv 1703.10593; downloaded from WikiArt",
                build=picture_files,
                pictures=f"{count:,} according to the paper, in the folders trainA and testA",
                licence="not stated by the source",
                home=f"{CYCLEGAN}/",
                downloads=(Download(f"{CYCLEGAN}/{name}2photo.zip", num_bytes, sha256),),
                classes=("trainA", "testA"),  # trainB and testB are photographs
            )
        )
    register(
        DatasetSpec(
            name="art-by-ai",
            summary="pictures made by neural style transfer (Kaggle: you download, gankit reads)",
            source="Kaggle, vbookshelf/art-by-ai-neural-style-transfer",
            build=picture_files,
            pictures="see its page",
            licence="see its page",
            home="https://www.kaggle.com/datasets/vbookshelf/art-by-ai-neural-style-transfer",
            by_hand="Kaggle needs a login: download the zip from "
            "https://www.kaggle.com/datasets/vbookshelf/art-by-ai-neural-style-transfer "
            "and give it, or the unpacked folder, with --data",
        )
    )
