"""`gankit list` and `gankit plugins`: what there is to choose from, and who brought it."""

import click

from gankit.core.specs import KINDS

PLURALS = {kind: f"{kind}es" if kind == "loss" else f"{kind}s" for kind in KINDS}
SINGULARS = {plural: kind for kind, plural in PLURALS.items()}


class Kind(click.Choice):
    """A kind of part, in the singular or the plural."""

    def convert(self, value, param, ctx):
        return super().convert(SINGULARS.get(value.lower(), value), param, ctx)


KIND = Kind(list(KINDS), case_sensitive=False)


@click.command("list")
@click.argument("kind", type=KIND, required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def list_parts(ctx, kind, as_json):
    """List the parts to choose from: all, or those of one KIND."""
    registry = ctx.obj
    found = {k: registry.specs(k) for k in ([kind] if kind else KINDS)}
    if as_json:
        rows = [_row(registry, spec) for specs in found.values() for spec in specs]
        _echo_json(rows)
        return
    width = max((len(spec.name) for specs in found.values() for spec in specs), default=0) + 2
    for k, specs in found.items():
        click.secho(PLURALS[k], bold=True)
        for spec in specs:
            mark = "*" if spec.default else " "
            click.echo(f"{mark} {spec.name:{width}}{spec.summary}")
        click.echo()
    click.echo("* what gankit run takes when you name none.  More on one: gankit show NAME")


def _echo_json(rows):
    import json  # kept out of the quick path

    click.echo(json.dumps(rows, indent=2))


def _row(registry, spec):
    return {
        "kind": spec.kind,
        "name": spec.name,
        "summary": spec.summary,
        "source": spec.source,
        "default": spec.default,
        "plugin": next(p.name for p in registry.plugins if spec in p.specs),
    }


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def list_plugins(ctx, as_json):
    """List plugins: version, load time, what each offers, what is wrong with a broken one."""
    rows = [
        {
            "name": plugin.name,
            "version": plugin.distribution.version if plugin.distribution else "",
            "load_ms": round(plugin.load_ms, 1),
            "offers": [f"{spec.kind} {spec.name}" for spec in plugin.specs],
            "error": plugin.error,
        }
        for plugin in sorted(ctx.obj.plugins, key=lambda p: p.name)
    ]
    if as_json:
        _echo_json(rows)
        return
    width = max(len(row["name"]) for row in rows) + 2
    for row in rows:
        state = f"broken: {row['error']}" if row["error"] else ", ".join(row["offers"])
        head = f"{row['name']:{width}}{row['version']:8} {row['load_ms']:6.1f} ms  "
        click.echo(head + (state or "observes runs or adds commands"))
