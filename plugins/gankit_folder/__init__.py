"""One's own pictures."""

from gankit import DatasetSpec, hookimpl


@hookimpl
def register_datasets(register):
    register(
        DatasetSpec(
            name="folder",
            summary="your own pictures: every picture file in the folders given with --data",
            source="your disk",
            build="gankit_folder.files:Folder",
            pictures="yours",
            licence="yours to know",
            lesson=2,
            own=True,
        )
    )
