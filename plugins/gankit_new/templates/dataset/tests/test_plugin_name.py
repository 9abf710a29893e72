"""The plugin follows gankit's rules."""

import plugin_name

from gankit import testing


def test_the_pictures_are_the_same_each_time() -> None:
    testing.check_dataset("plugin-name:count=50", plugin=plugin_name)
