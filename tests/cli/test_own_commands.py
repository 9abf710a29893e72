"""Commands of a plugin file: mistakes in them, and what gankit says of each."""

FORGOTTEN = """
    import click

    @click.command()
    def {name}(registry):
        "Print the number of tricks."

    @hookimpl
    def register_commands(cli):
        cli.add_command({name})
"""


def test_a_forgotten_pass_obj_is_named(gankit_cli, plugin_file):
    path = plugin_file(FORGOTTEN.format(name="brightness"))
    code, _, err = gankit_cli("-p", path, "brightness")
    assert code == 1
    assert err.count("\n") == 1
    for fact in ("plugin 'mine'", "gankit brightness", "'registry'", "@click.pass_obj"):
        assert fact in err
    assert "core.py" not in err


def test_a_command_that_another_plugin_has_names_it(gankit_cli, plugin_file):
    code, _, err = gankit_cli("-p", plugin_file(FORGOTTEN.format(name="evaluate")), "list")
    assert code == 2
    for fact in ("command 'evaluate'", "'metrics'"):
        assert fact in err


def test_a_model_of_the_name_of_its_networks_shows_a_command_that_loads_the_file(
    gankit_cli, plugin_file
):
    path = plugin_file("""
        ABOUT = {"name": "small", "summary": "s", "source": "s"}

        @hookimpl
        def register_generators(register):
            register(GeneratorSpec(**ABOUT, build="torch.nn:Identity"))

        @hookimpl
        def register_discriminators(register):
            register(DiscriminatorSpec(**ABOUT, build="torch.nn:Identity"))

        @hookimpl
        def register_models(register):
            register(ModelSpec(**ABOUT, generator="small", discriminator="small", image_size=32))
    """)
    code, out, _ = gankit_cli("-p", path, "show", "small", "--kind", "model")
    assert code == 0
    assert "gankit -p mine.py show small" in out
