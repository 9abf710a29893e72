"""The plugin follows gankit's rules."""

import plugin_name

from gankit import testing


def test_the_metric_scores_a_set_best_against_itself_and_is_finite() -> None:
    testing.check_metric("plugin-name", plugin=plugin_name)


def test_the_option_of_the_metric_works() -> None:
    testing.check_metric("plugin-name:bins=4", plugin=plugin_name)
