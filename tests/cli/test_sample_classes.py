"""The names of files of `gankit sample --class`."""

from gankit.cli.sample_classes import file_prefix


def test_classes_whose_names_look_alike_in_a_file_have_their_number():
    names = ("a b", "a/b", "rose", "x" * 50, "x" * 60)
    prefixes = [file_prefix((name,), names) for name in names]
    assert len(set(prefixes)) == len(names)
    assert prefixes[2] == "rose-"
    assert not any("/" in prefix or len(prefix) > 45 for prefix in prefixes)
    assert file_prefix((), names) == ""
