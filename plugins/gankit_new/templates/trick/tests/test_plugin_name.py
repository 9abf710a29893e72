"""The trick keeps to gankit's contract."""

import plugin_name

from gankit import testing


def test_it_trains_acts_resumes_and_goes_with_all_other_tricks() -> None:
    testing.check_trick("plugin-name", plugin=plugin_name, off="strength=0")


def test_it_is_as_strong_as_asked() -> None:
    testing.check_trick("plugin-name:strength=0.5", plugin=plugin_name, beside=())
