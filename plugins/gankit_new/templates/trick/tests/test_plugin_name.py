"""The plugin follows gankit's rules."""

import plugin_name

from gankit import testing


def test_the_trick_trains_resumes_and_works_with_all_other_tricks() -> None:
    testing.check_trick("plugin-name", plugin=plugin_name, off="strength=0")


def test_the_option_of_the_trick_works() -> None:
    testing.check_trick("plugin-name:strength=0.5", plugin=plugin_name, beside=())
