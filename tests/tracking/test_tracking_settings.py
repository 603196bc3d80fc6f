"""Where runs go: defaults, places of files, and settings that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from spinloom.errors import ConfigurationError
from spinloom.tracking import TrackingSettings, ui_command

SHIPPED = Path(__file__).parents[2] / "conf" / "tracking"


@pytest.fixture(autouse=True)
def _working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_a_uri_runs_go_to_a_database_in_the_working_directory(tmp_path: Path) -> None:
    settings = TrackingSettings()

    assert settings.store_uri == f"sqlite:///{tmp_path}/mlruns/spinloom.db"
    assert settings.artifact_uri == (tmp_path / "mlruns" / "artifacts").as_uri()


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        pytest.param("sqlite:////data/runs.db", "file:///data/artifacts", id="beside an SQLite file"),
        pytest.param("http://host:5000", None, id="where a server says"),
        pytest.param("https://host", None, id="where a secure server says"),
    ],
)
def test_files_lie_where_the_store_implies(uri: str, place: str | None) -> None:
    assert TrackingSettings(uri=uri).artifact_uri == place


def test_files_of_a_database_server_lie_in_the_working_directory(tmp_path: Path) -> None:
    place = TrackingSettings(uri="postgresql+psycopg://me@host/runs").artifact_uri

    assert place == (tmp_path / "mlruns" / "artifacts").as_uri()


@pytest.mark.parametrize(
    ("given", "place"),
    [pytest.param("s3://bucket/runs", "s3://bucket/runs", id="a URI"), pytest.param("/data/a b", "file:///data/a%20b")],
)
def test_files_lie_where_they_are_told_to(given: str, place: str) -> None:
    assert TrackingSettings(artifacts=given).artifact_uri == place


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql+psycopg://me:secret@host/runs",
        "postgresql+psycopg:///runs?host=/tmp&user=me&password=secret",
        "https://me:secret@host:5000",
    ],
)
def test_a_password_is_never_shown(uri: str) -> None:
    settings = TrackingSettings(uri=uri)

    assert "secret" in settings.store_uri
    assert "secret" not in settings.shown_uri + ui_command(settings)
    assert "me" in settings.shown_uri


def test_the_page_of_the_default_store_needs_no_uri() -> None:
    assert ui_command(TrackingSettings()) == "spinloom ui"
    assert ui_command(TrackingSettings(uri="sqlite:///my runs.db")) == "spinloom ui --uri 'sqlite:///my runs.db'"


@pytest.mark.parametrize("choice", ["sqlite", "server", "off"])
def test_each_shipped_configuration_gives_settings(choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host:5000")
    config = OmegaConf.to_container(OmegaConf.load(SHIPPED / f"{choice}.yaml"), resolve=True)

    settings = TrackingSettings.from_config(config)

    assert settings.enabled == (choice != "off")
    assert settings.uri == ("http://host:5000" if choice == "server" else None)
    assert set(config) == {"enabled", "uri", "experiment", "artifacts"}


def test_an_unknown_key_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ConfigurationError, match=r"tracking\.experimnt .* Did you mean 'experiment'\?"):
        TrackingSettings.from_config({"experimnt": "a"})


@pytest.mark.parametrize("uri", ["runs.db", "./mlruns", "/data/mlruns", "file:///data/mlruns"])
def test_a_path_is_no_uri_of_a_store(uri: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"tracking\.uri is '{uri}'.* such as sqlite:///runs\.db"):
        TrackingSettings(uri=uri)


@pytest.mark.parametrize("name", ["", "  ", None])
def test_an_experiment_needs_a_name(name: str | None) -> None:
    with pytest.raises(ConfigurationError, match=rf"tracking\.experiment is '{name}'; give a name"):
        TrackingSettings.from_config({"experiment": name})
