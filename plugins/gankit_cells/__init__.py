"""Pictures of cells and tissue."""

from gankit import DatasetSpec, hookimpl


@hookimpl
def register_datasets(register):
    register(
        DatasetSpec(
            name="ihc",
            summary="patches of one stained tissue micrograph that comes with scikit-image",
            source="skimage.data.immunohistochemistry: human colon, stained (CMMI, Belgium)",
            build="gankit_cells.ihc:Patches",
            pictures="as many patches as you ask for, from one picture of 512 px",
            licence="no known copyright restrictions, as scikit-image states",
            home="https://scikit-image.org/docs/stable/api/skimage.data.html",
            lesson=2,
        )
    )
