"""Any pictures in: found, downloaded, decoded, prepared once; and `gankit data` to look at them."""

from gankit import DatasetSpec, hookimpl


@hookimpl
def register_datasets(register):
    register(
        DatasetSpec(
            name="folder",
            summary="your own pictures: what is in the folders, zips and tars given with --data",
            source="your disk",
            build="gankit_data.files:Files",
            pictures="yours",
            licence="yours to know",
            lesson=4,
            own=True,
        )
    )

    register(
        DatasetSpec(
            name="shards",
            summary="your own pictures in tar files, streamed: for sets beyond one disk",
            source="webdataset, Aizman, Maltby & Breuel 2019, arXiv 2001.01858",
            build="gankit_data.shards:Shards",
            pictures="yours",
            licence="yours to know",
        )
    )


@hookimpl
def register_commands(cli):
    cli.later("data", "gankit_data.commands:data", "Check, preview and tidy up pictures.")
