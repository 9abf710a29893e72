"""The metric keeps to gankit's contract."""

import plugin_name

from gankit import testing


def test_a_set_is_nearest_to_itself_and_every_number_is_finite() -> None:
    testing.check_metric("plugin-name", plugin=plugin_name)


def test_it_does_so_with_its_options() -> None:
    testing.check_metric("plugin-name:bins=4", plugin=plugin_name)
