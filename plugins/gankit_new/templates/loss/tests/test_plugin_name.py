"""The plugin follows gankit's rules."""

import plugin_name

from gankit import testing


def test_the_loss_has_the_right_gradients_and_trains() -> None:
    testing.check_loss("plugin-name", plugin=plugin_name)


def test_the_option_of_the_loss_works() -> None:
    testing.check_loss("plugin-name:scale=2", plugin=plugin_name)
