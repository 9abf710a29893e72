"""What the plugin brings. Light: gankit imports this for every command, so no torch here."""

from gankit import DiscriminatorSpec, GeneratorSpec, ModelSpec, hookimpl

ABOUT = {"name": "plugin-name", "source": "the paper or the page it follows"}


@hookimpl
def register_generators(register):
    summary = "a dense layer to a small map, then twice as large twice"
    built = "plugin_name.nets:Generator"  # imported when a run asks for it
    register(GeneratorSpec(summary=summary, build=built, **ABOUT))


@hookimpl
def register_discriminators(register):
    summary = "two strided convolutions and a dense layer"
    built = "plugin_name.nets:Discriminator"
    register(DiscriminatorSpec(summary=summary, build=built, **ABOUT))


@hookimpl
def register_models(register):
    register(
        ModelSpec(
            summary="a small GAN for 32 px pictures",
            generator="plugin-name",
            discriminator="plugin-name",
            image_size=32,
            settings={"batch_size": 32, "tricks": ("ema:decay=0.998",), "length": "50 kimg"},
            **ABOUT,
        )
    )
