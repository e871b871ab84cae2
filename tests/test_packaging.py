"""The installed distribution: what napari finds of it, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import distribution, entry_points
from importlib.resources import files
from pathlib import Path

import pytest
from npe2 import PluginManager, PluginManifest

import napari_metasr
from napari_metasr.io.names import SUFFIXES, WRITTEN_SUFFIXES

NAME = "napari-metasr"


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_distribution(NAME)


def loaded_after(statement: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after a statement."""
    code = f"{statement}; import sys; print(*(name.partition('.')[0] for name in sys.modules))"
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(finished.stdout.split())


def test_versions_agree() -> None:
    assert distribution(NAME).version == napari_metasr.__version__


def test_manifest_is_named_after_the_distribution(manifest: PluginManifest) -> None:
    assert manifest.name == distribution(NAME).metadata["Name"]


def test_every_command_of_the_manifest_imports(manifest: PluginManifest) -> None:
    manifest.validate_imports()


def test_manifest_offers_reader_writer_samples_and_widget(manifest: PluginManifest) -> None:
    offered = manifest.contributions
    patterns = {f"*{suffix}" for suffix in SUFFIXES}
    assert set(offered.readers[0].filename_patterns) == patterns | {"*.dcm", "*.ima", "*.zip"}
    assert offered.readers[0].accepts_directories is True
    assert tuple(offered.writers[0].filename_extensions) == WRITTEN_SUFFIXES
    assert [sample.key for sample in offered.sample_data] == ["phantom", "brats"]
    assert [widget.display_name for widget in offered.widgets] == [
        "Meta-SR Zoom",
        "Three planes",
        "Detect tumour",
        "Upscale volume",
        "How far can I zoom?",
        "Rate images (MOS)",
        "Tour (two minutes)",
    ]


@pytest.mark.parametrize("script", ["napari-metasr", "metasr-train", "metasr-evaluate"])
def test_console_scripts_load(script: str) -> None:
    (entry,) = entry_points(group="console_scripts", name=script)
    assert callable(entry.load())


def test_preferences_have_their_defaults(npe2pm: PluginManager, manifest: PluginManifest) -> None:
    from napari_metasr.widgets.viewer.plugin_settings import plugin_settings

    npe2pm.register(manifest)
    settings = plugin_settings(NAME)
    assert settings.display.orientation == "radiological"
    assert settings.engine.device == "auto"
    assert settings.engine.cache_megabytes >= 128


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_after("import napari_metasr")
    assert not {"numpy", "torch", "numba", "napari", "qtpy", "matplotlib"} & loaded


def test_napari_finds_the_plugin_without_importing_it() -> None:
    loaded = loaded_after(
        "from npe2 import PluginManager; plugins = PluginManager.instance(); plugins.discover(); "
        f"assert plugins.get_manifest({NAME!r}).contributions.widgets"
    )
    assert not {"napari_metasr", "numpy", "torch", "numba", "napari", "qtpy"} & loaded


@pytest.mark.parametrize(
    "statement",
    [
        "import napari_metasr; napari_metasr.load_model",
        "import napari_metasr.cli.demo",
        "import napari_metasr.io.reader, napari_metasr.io.writer, napari_metasr.samples.samples",
        "import metasr_training.train, metasr_training.evaluate",
    ],
)
def test_what_works_without_a_screen_loads_neither_qt_nor_napari(statement: str) -> None:
    loaded = loaded_after(statement)
    assert "numpy" in loaded
    assert not {"napari", "qtpy", "PyQt6", "PySide6", "superqt", "magicgui", "vispy"} & loaded


def test_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'super_resolve'"):
        napari_metasr.super_resolve  # noqa: B018


def test_package_holds_its_manifest_types_and_weights() -> None:
    package = files("napari_metasr")
    assert package.joinpath("napari.yaml").is_file()
    assert package.joinpath("py.typed").is_file()
    assert any(item.name.endswith(".safetensors") for item in package.joinpath("weights").iterdir())


def test_manifest_link_at_the_root_reads_the_packages_own() -> None:
    root = Path(__file__).resolve().parents[1]
    assert (root / "napari.yaml").resolve() == root / "src" / "napari_metasr" / "napari.yaml"
