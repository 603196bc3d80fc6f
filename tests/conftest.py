"""What several rooms share: plugins installed as other people's distributions are, and processes that can be
interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

TOYS = Path(__file__).parent / "plugins_toy"

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # a shell lets what it starts in the background ignore interrupts, and so would what the tests start
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class PluginEnvironment:
    """A virtual environment that sees this one's packages and has the toy plugins beside."""

    interpreter: Path

    def python(self, *arguments: str, folder: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run its interpreter in `folder` with `arguments` and additional environment variables."""
        return subprocess.run(
            [str(self.interpreter), *arguments],
            cwd=folder,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )


def _create(folder: Path) -> PluginEnvironment:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    environment = PluginEnvironment(scripts / "python")
    asked = environment.python("-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    parents = "; ".join(f"site.addsitedir({path!r})" for path in sys.path if "site-packages" in path)
    (Path(asked.stdout.strip()) / "parent.pth").write_text(f"import site; {parents}\n")
    return environment


@pytest.fixture(scope="session")
def plugin_environment(tmp_path_factory: pytest.TempPathFactory) -> PluginEnvironment:
    """An environment with the good toy plugin and the misfits, each installed from its wheel by pip."""
    environment = _create(tmp_path_factory.mktemp("plugins") / "venv")
    pip = [sys.executable, "-m", "pip", "--python", str(environment.interpreter), "install"]
    offline = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, *offline, str(TOYS / "toy"), str(TOYS / "misfits")], check=True)
    return environment


@pytest.fixture
def settings_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder of its own, for this process and those that it starts."""
    folder = tmp_path / "settings"
    monkeypatch.setenv("SPINLOOM_CONFIG_DIR", str(folder))
    monkeypatch.delenv("SPINLOOM_PLUGINS", raising=False)
    return folder


@pytest.fixture
def install_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings_folder: Path) -> Callable[..., None]:
    """Installs the source of a plugin module as a distribution of its own, for the length of a test."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))

    def install(name: str, source: str, distribution: str | None = None, value: str | None = None) -> None:
        module = f"plugin_module_{name}_{distribution or 'own'}".replace("-", "_")
        (folder / f"{module}.py").write_text(source, encoding="utf-8")
        monkeypatch.delitem(sys.modules, module, raising=False)
        metadata = folder / f"{distribution or name}-1.0.dist-info"
        metadata.mkdir()
        text = f"Metadata-Version: 2.1\nName: {distribution or name}\nVersion: 1.0\n"
        (metadata / "METADATA").write_text(text, encoding="utf-8")
        entry = f"[spinloom]\n{name} = {module if value is None else value}\n"
        (metadata / "entry_points.txt").write_text(entry, encoding="utf-8")

    return install
