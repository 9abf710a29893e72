"""Pictures of flowers, and a metric for the data set `petals`."""

from collections.abc import Callable

from gankit import DatasetSpec, Download, MetricSpec, hookimpl, picture_files

DATASETS = (
    DatasetSpec(
        name="petals",
        summary="soft flowers drawn by gankit: 4-9 petals in six colours, 36 modes",
        source="drawn by gankit",
        build="gankit_flowers.petals:Petals",
        pictures="as many as you ask for",
        licence="MIT, like gankit",
        lesson=1,
        default=True,
    ),
    DatasetSpec(
        name="flowers102",
        summary="photos of 102 kinds of flowers common in the United Kingdom",
        source="Nilsback and Zisserman 2008, Automated flower classification",
        build=picture_files,
        pictures="8,189 photos; 40 to 258 of each kind",
        licence="not stated by the source",
        home="https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
        downloads=(
            Download(
                "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/102flowers.tgz",
                344862509,
                "2d01ecc807db462958cfe3d92f57a8c252b4abd240eb955770201e45f783b246",
            ),
        ),
        classify="gankit_flowers.oxford:class_names",
    ),
    DatasetSpec(
        name="tf-flowers",
        summary="photos of daisies, dandelions, roses, sunflowers and tulips",
        source="The TensorFlow Team 2019, flower_photos",
        build=picture_files,
        pictures="3,670 photos in 5 class folders",
        licence="Creative Commons By-Attribution, photo by photo (LICENSE.txt in the archive)",
        home="https://www.tensorflow.org/datasets/catalog/tf_flowers",
        downloads=(
            Download(
                "http://download.tensorflow.org/example_images/flower_photos.tgz",
                228813984,
                "4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c",
            ),
        ),
    ),
)


@hookimpl
def register_datasets(register: Callable[[DatasetSpec], None]) -> None:
    for dataset in DATASETS:
        register(dataset)


@hookimpl
def register_metrics(register: Callable[[MetricSpec], None]) -> None:
    register(
        MetricSpec(
            name="modes",
            summary="petals only: how many of the 36 kinds G draws, and how evenly",
            source="counts the petals and measures the colours that gankit draws",
            build="gankit_flowers.modes:Modes",
        )
    )
