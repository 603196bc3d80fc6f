"""`spinloom plugins`: which plugins are installed, whether each runs and why not; disable, enable, begin one."""

from __future__ import annotations

import json
from pathlib import Path

import click

from spinloom import registry
from spinloom.commands.table import column_table, field_list
from spinloom.registry import PluginRecord
from spinloom.scaffold import KINDS, check_name, write_package


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the installed plugins, or show, disable, enable, examine or begin one."""
    if ctx.invoked_subcommand is not None:
        return
    records = registry.load().records
    if as_json:
        click.echo(json.dumps([record.as_dict() for record in records], indent=2))
    else:
        click.echo("\n".join(_listing(records)))


@command.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the plugin as JSON.")
def show(name: str, as_json: bool) -> None:
    """Show all that is known of a plugin, with the traceback of what broke it."""
    record = registry.load().record(name)
    if as_json:
        click.echo(json.dumps(record.as_dict(), indent=2))
        return
    click.echo("\n".join(field_list(_details(record))))
    if record.traceback:
        click.echo(f"\n{record.traceback.rstrip()}")


@command.command()
@click.argument("name")
def disable(name: str) -> None:
    """Disable a plugin until it is enabled again; it is not even imported."""
    registry.disable(name, _installed())
    click.echo(f"Plugin '{name}' is disabled.")


@command.command()
@click.argument("name")
def enable(name: str) -> None:
    """Enable a disabled plugin."""
    registry.enable(name, _installed())
    click.echo(f"Plugin '{name}' is enabled.")


@command.command()
@click.argument("name", required=False)
def doctor(name: str | None) -> None:
    """Import each plugin in a process of its own, and say in order what to do about what is wrong."""
    from spinloom.commands.doctor import examinations, lines_of

    found = examinations(name)
    for line in lines_of(found):
        click.echo(line)
    if any(each.findings for each in found):
        raise click.exceptions.Exit(1)


@command.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(list(KINDS)), required=True, help="What the plugin provides.")
@click.option("--dir", "parent", type=click.Path(path_type=Path), default=Path(), help="Folder for the new package.")
def new(name: str, kind: str, parent: Path) -> None:
    """Write a whole plugin as a package of its own: code, configuration, test, README."""
    check_name(name, registry.load())
    folder = write_package(name, kind, parent)
    click.echo(f"{folder} holds a {kind} that works. Next:")
    click.echo(f"  pip install --editable {folder}")
    click.echo(f"  spinloom plugins doctor {name}")
    click.echo(f"  pytest {folder}")


def _installed() -> set[str]:
    return {record.name for record in registry.discover()}


def _listing(records: tuple[PluginRecord, ...]) -> list[str]:
    """The plugins as lines of a table, each with its reason beneath."""
    header = ("name", "status", "provides", "distribution", "version")
    rows = [(record.name, record.status, _provides(record), record.distribution, record.version) for record in records]
    return column_table(header, rows, notes=[record.reason for record in records])


def _provides(record: PluginRecord) -> str:
    """Kinds of what the plugin provides, with the names where there are any."""
    names = {
        "simulator": record.simulators,
        "surrogate": record.surrogates,
        "sequence": record.sequence_families,
    }
    return "; ".join(" ".join([kind, ", ".join(names.get(kind, ()))]).strip() for kind in record.kinds) or "-"


def _details(record: PluginRecord) -> list[tuple[str, str]]:
    """Everything in the record as labels and values, the empty ones left out."""
    details = [
        ("name", record.name),
        ("status", record.status),
        ("reason", record.reason),
        ("distribution", f"{record.distribution} {record.version}"),
        ("module", record.module),
        ("plugin API", record.api_version or ""),
        *(("simulator", f"{name} = {path}") for name, path in record.simulators.items()),
        *(("surrogate", f"{name} = {path}") for name, path in record.surrogates.items()),
        *(("sequence", f"{name} = {path}") for name, path in record.sequence_families.items()),
        ("search path", record.search_path or ""),
        ("observes", ", ".join(f"run {moment}" for moment in record.observes)),
    ]
    return [(label, value) for label, value in details if value]
