"""`gankit list` and `gankit plugins`: the parts to choose from, and the plugins they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gankit.cli.param_types import NamedChoice
from gankit.cli.terminal.output import print_heading
from gankit.core.parts.specs import KINDS, Spec
from gankit.core.printable import printable

if TYPE_CHECKING:
    from gankit.core.parts.registry import Plugin, Registry

PLURALS = {kind: f"{kind}es" if kind == "loss" else f"{kind}s" for kind in KINDS}
SINGULARS = {plural: kind for kind, plural in PLURALS.items()}


class KindChoice(NamedChoice):
    """A kind of part, in the singular or the plural."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(SINGULARS.get(value.lower(), value), param, ctx)


@click.command("list", epilog=f"KIND is one of: {', '.join(KINDS)}.")
@click.argument(
    "kind", type=KindChoice(list(KINDS), case_sensitive=False), required=False, metavar="[KIND]"
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_parts(ctx: click.Context, /, kind: str | None, as_json: bool) -> None:
    """List the parts that you can choose: all, or those of one KIND."""
    registry = ctx.obj
    specs_by_kind = {k: registry.specs(k) for k in ([kind] if kind else KINDS)}
    all_specs = [spec for specs in specs_by_kind.values() for spec in specs]
    if as_json:
        _echo_json([_part_row(registry, spec) for spec in all_specs])
        return
    width = max((len(spec.name) for spec in all_specs), default=0) + 2
    for kind_listed, specs in specs_by_kind.items():
        print_heading(PLURALS[kind_listed])
        for spec in specs:
            mark = "*" if spec.default else " "
            click.echo(printable(f"{mark} {spec.name:{width}}{spec.summary}"))
        click.echo()
    click.echo("* default of gankit run.  Details of a part: gankit show NAME")


def _echo_json(rows: list[dict[str, Any]]) -> None:
    import json  # not at the top: only --json needs it

    click.echo(json.dumps(rows, indent=2))


def _part_row(registry: Registry, spec: Spec) -> dict[str, Any]:
    return {
        "kind": spec.kind,
        "name": spec.name,
        "summary": spec.summary,
        "source": spec.source,
        "default": spec.default,
        "plugin": registry.owner(spec).name,
    }


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_plugins(ctx: click.Context, /, as_json: bool) -> None:
    """List the plugins: version, load time, what they add, and the error of a broken one."""
    plugins = sorted(ctx.obj.plugins, key=lambda plugin: plugin.name)
    if as_json:
        _echo_json([_plugin_row(plugin) for plugin in plugins])
        return
    width = max(len(plugin.name) for plugin in plugins) + 2
    for plugin in plugins:
        head = f"{plugin.name:{width}}{plugin.version:8} {plugin.load_ms:6.1f} ms  "
        what = f"broken: {plugin.error}" if plugin.error else plugin.describe_additions()
        click.echo(printable(head + what))


def _plugin_row(plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "version": plugin.version,
        "load_ms": round(plugin.load_ms, 1),
        "offers": [f"{spec.kind} {spec.name}" for spec in plugin.specs],
        "commands": plugin.commands,
        "observes": plugin.observes,
        "error": plugin.error,
    }
