"""Pictures of cells and tissue."""

from collections.abc import Callable

from gankit import DatasetSpec, Download, hookimpl, picture_files

DATASETS = (
    DatasetSpec(
        name="ihc",
        summary="patches of one stained tissue micrograph that comes with scikit-image",
        source="skimage.data.immunohistochemistry: human colon, stained (CMMI, Belgium)",
        build="gankit_cells.ihc:Patches",
        pictures="as many patches as you ask for, from one picture of 512 px",
        licence="no known copyright restrictions, as scikit-image states",
        home="https://scikit-image.org/docs/stable/api/skimage.data.html",
        lesson=2,
    ),
    DatasetSpec(
        name="tissue",
        summary="tiles of colorectal cancer tissue, stained with H&E, in 8 classes",
        source="Kather et al. 2016, Multi-class texture analysis in colorectal cancer histology",
        build=picture_files,
        pictures="5,000 tiles of 150 px in 8 class folders",
        licence="Creative Commons Attribution 4.0",
        home="https://zenodo.org/record/53169",
        downloads=(
            Download(
                "https://zenodo.org/record/53169/files/Kather_texture_2016_image_tiles_5000.zip",
                258098431,
                "936d0b95ae0f04f1f7b18a2b7e8c55776c3e887d102f645bcee752d1a6626a32",
            ),
        ),
    ),
    DatasetSpec(
        name="ovarian",
        summary="patches of ovarian cancer tissue (Kaggle: you download, gankit reads)",
        source="Kaggle, peymannejat/ovarian-cancer-pathology-patches",
        build=picture_files,
        pictures="thousands of patches; see its page",
        licence="see its page",
        home="https://www.kaggle.com/datasets/peymannejat/ovarian-cancer-pathology-patches",
        by_hand="Kaggle needs a login: download the zip from "
        "https://www.kaggle.com/datasets/peymannejat/ovarian-cancer-pathology-patches "
        "and give it, or the unpacked folder, with --data",
    ),
)


@hookimpl
def register_datasets(register: Callable[[DatasetSpec], None]) -> None:
    for dataset in DATASETS:
        register(dataset)
