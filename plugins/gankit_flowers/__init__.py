"""Pictures of flowers."""

from gankit import DatasetSpec, hookimpl


@hookimpl
def register_datasets(register):
    register(
        DatasetSpec(
            name="petals",
            summary="soft flowers drawn by gankit: 4-9 petals in six colours, 36 modes",
            source="drawn by gankit",
            build="gankit_flowers.petals:Petals",
            pictures="as many as you ask for",
            licence="MIT, like gankit",
            lesson=1,
            default=True,
        )
    )
