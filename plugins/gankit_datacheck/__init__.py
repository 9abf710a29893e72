"""`gankit data`: check, preview and tidy up pictures before a GAN sees them."""

from gankit.core.hookspecs import hookimpl


@hookimpl
def register_commands(cli):
    cli.later("data", "gankit_datacheck.commands:data", "Check, preview and tidy up pictures.")
