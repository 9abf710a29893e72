"""The names of files of `gankit sample --class`."""

from gankit.cli.sample.classes import file_prefix


def test_classes_whose_names_look_alike_in_a_file_have_their_number():
    names = ("a b", "a/b", "rose", "x" * 50, "x" * 60)
    prefixes = [file_prefix((name,), names) for name in names]
    assert len(set(prefixes)) == len(names)
    assert prefixes[2] == "rose-"
    assert not any("/" in prefix or len(prefix) > 45 for prefix in prefixes)
    assert file_prefix((), names) == ""


def test_a_long_name_is_cut_and_has_a_digest_of_the_whole():
    birds = ("american goldfinch", "american robin", "common ")
    prefixes = {file_prefix((*birds[:2], birds[2] + last)) for last in ("blackbird", "blackcap")}
    assert len(prefixes) == 2
    for prefix in prefixes:
        assert prefix.startswith("american_goldfinch,american_robin")
        assert len(prefix) == 41
