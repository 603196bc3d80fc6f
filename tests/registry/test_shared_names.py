"""Two plugins never answer to one choice of configuration, and a module that is missing comes with the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from spinloom import registry
from spinloom.errors import PluginError

HEAD = 'from spinloom.hookspecs import hookimpl\nSPINLOOM_API = "1.0"\n'


@pytest.fixture
def install_with_choice(install_plugin, tmp_path: Path) -> Callable[[str, str], None]:
    """Installs a plugin whose package of configuration holds one choice."""

    def install(name: str, choice: str) -> None:
        package = f"choices_{name}"
        path = tmp_path / "site" / package / choice
        path.parent.mkdir(parents=True)
        (tmp_path / "site" / package / "__init__.py").touch()
        path.write_text("name: anything\n")
        install_plugin(name, f"{HEAD}@hookimpl\ndef spinloom_search_path(): return 'pkg://{package}'\n")

    return install


def test_the_second_plugin_with_a_choice_of_configuration_is_broken_and_both_are_named(install_with_choice) -> None:
    install_with_choice("north", "simulator/shared.yaml")
    install_with_choice("south", "simulator/shared.yaml")
    loaded = registry.load()
    assert loaded.record("north").ok
    assert loaded.record("south").reason == (
        "Its configuration 'simulator/shared.yaml' has the name of one of plugin 'north', which Hydra would take for "
        "it, so plugin 'south' is left out; rename either."
    )


def test_a_plugin_cannot_stand_in_for_spinlooms_own_configuration(install_with_choice) -> None:
    install_with_choice("east", "tissue/water_3t.yaml")
    assert "'tissue/water_3t.yaml' has the name of one of Spinloom's own" in registry.load().record("east").reason


def test_choices_of_other_names_live_side_by_side(install_with_choice) -> None:
    install_with_choice("west", "simulator/west_own.yaml")
    assert registry.load().record("west").ok


def _requires(tmp_path: Path, name: str, *lines: str) -> None:
    metadata = tmp_path / "site" / f"{name}-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text() + "".join(f"Requires-Dist: {line}\n" for line in lines))


def test_a_plugin_that_needs_an_extra_names_it(install_plugin, tmp_path: Path) -> None:
    install_plugin("phantoms", "import no_such_maps.brain")
    _requires(tmp_path, "phantoms", 'No-Such.Maps>=2; extra == "brain"', "numpy")
    assert (
        registry.load()
        .record("phantoms")
        .reason.endswith(
            "No module named 'no_such_maps'. It needs an extra that is not installed: pip install 'phantoms[brain]'."
        )
    )


def test_a_class_that_needs_an_extra_names_it_when_it_is_asked_for(install_plugin, tmp_path: Path) -> None:
    install_plugin("maps", f"{HEAD}@hookimpl\ndef spinloom_simulators(): return {{'maps': 'no_such_pkg:Maps'}}\n")
    _requires(tmp_path, "maps", 'other>=2 ; python_version > "3" and extra == "gpu"')
    with pytest.raises(PluginError, match=r"may belong to an extra: pip install 'maps\[gpu\]', or install the package"):
        registry.load().simulator("maps")


def test_a_missing_module_of_a_plugin_without_extras_is_named(install_plugin) -> None:
    install_plugin("plain", "import no_such_module")
    assert "'no_such_module' is not installed; install the package" in registry.load().record("plain").reason
