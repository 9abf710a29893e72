"""The plugin follows gankit's rules."""

import plugin_name

from gankit import testing


def test_the_generator_gives_images() -> None:
    testing.check_generator("plugin-name:width=4", plugin=plugin_name)


def test_the_discriminator_gives_logits() -> None:
    testing.check_discriminator("plugin-name:width=4", plugin=plugin_name)


def test_the_model_trains() -> None:
    testing.check_model("plugin-name", plugin=plugin_name)
