"""`spinloom ui`: open the page of tracked runs."""

from __future__ import annotations

import click


@click.command()
@click.option("--uri", help="MLflow store to show; mlruns/spinloom.db of the working directory where not given.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of this machine to serve the page on.")
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535), help="Port to serve it on.")
def command(uri: str | None, host: str, port: int) -> None:
    """Serve the page of tracked runs until Ctrl-C."""
    from spinloom.tracking import TrackingSettings, serve

    settings = TrackingSettings(uri=uri)

    def announce(address: str) -> None:
        click.echo(f"Tracked runs: {address}{'' if settings.is_server else '  (Ctrl-C ends it)'}")

    serve(settings, host, port, announce)
