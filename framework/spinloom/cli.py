"""The command `spinloom`: one lazy table of subcommands, and one place where errors become messages.

Each command is the attribute `command` of its module, imported when it is asked for, so that help stays fast.
"""

from __future__ import annotations

from importlib import import_module

import click

from spinloom import __version__
from spinloom.errors import SpinloomError, known_names

COMMANDS = {
    "simulate": ("spinloom.commands.simulate", "Simulate a sequence on a tissue and track the run."),
    "generate": ("spinloom.commands.generate", "Simulate many tissues and protocols into a set of signals."),
    "train": ("spinloom.commands.train", "Train a network to stand in for a simulator."),
    "tune": ("spinloom.commands.tune", "Search the settings with which a network learns best."),
    "evaluate": ("spinloom.commands.evaluate", "Compare a trained network with the exact simulator."),
    "predict": ("spinloom.commands.predict", "Play a sequence on a tissue by a trained network."),
    "sequence": ("spinloom.commands.sequence", "Describe, plot or write a Pulseq file."),
    "phantom": ("spinloom.commands.phantom", "List, draw or write phantoms: maps of spins on a grid."),
    "quantify": ("spinloom.commands.quantify", "Make maps of Z-spectra: WASABI, Lorentzian and other fits."),
    "plugins": ("spinloom.commands.plugins", "List, show, disable, examine or begin plugins."),
    "runs": ("spinloom.commands.runs", "List, sort and compare tracked runs."),
    "track": ("spinloom.commands.track", "Log results that were kept while tracking was down."),
    "reproduce": ("spinloom.commands.reproduce", "Run a tracked run again and compare."),
    "compare": ("spinloom.commands.compare", "Compare two signals in numbers and a picture."),
    "ui": ("spinloom.commands.ui", "Open the page of tracked runs."),
}
"""Subcommands: their module, and a line of help that needs no import."""


class Failure(click.ClickException):
    """An error on purpose, shown as its message alone; exit code 1."""

    def show(self, file: object = None) -> None:
        """Print the message on standard error."""
        click.echo(f"error: {self.format_message()}", err=True)


class LazyGroup(click.Group):
    """A group that imports a subcommand when it runs, and turns Spinloom's errors into messages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in `COMMANDS`, in their order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Import the command; a usage error with the nearest name where there is none."""
        if cmd_name not in COMMANDS:
            ctx.fail(f"No such command '{cmd_name}'. {known_names(cmd_name, COMMANDS)}")
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with the help of the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run; Spinloom's errors end with their message, or with their traceback under `--debug`."""
        try:
            return super().invoke(ctx)
        except SpinloomError as error:
            if ctx.params["debug"]:
                raise
            raise Failure(str(error)) from error
        except KeyboardInterrupt:
            click.echo("\ninterrupted", err=True)
            ctx.exit(130)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, envvar="SPINLOOM_DEBUG", help="Show the traceback of an error.")
@click.version_option(__version__, message="spinloom %(version)s")
def root(debug: bool) -> None:
    """Simulation and learning for MR, driven by Pulseq sequence files."""


def main() -> None:
    """Entry point of the command `spinloom`."""
    root.main(prog_name="spinloom")
