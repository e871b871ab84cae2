"""What is set in the zoom dock is kept from session to session, and set back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.widgets import CARD, begin_session, settle

from napari_metasr.geometry.display import DisplayConvention
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.viewer.napari_versions import camera_of
from napari_metasr.widgets.viewer.preferences import DEFAULTS, PLUGIN, preferences, remember
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.settings import Compare

if TYPE_CHECKING:
    from pathlib import Path

OTHER = CARD.model_copy(update={"name": "other", "title": "Other-SR"})


@pytest.fixture
def begin(monkeypatch, tmp_path):
    """Begin a session of napari whose files are those of the last one."""

    def begin() -> Path:
        begin_session(monkeypatch, tmp_path / "settings.yaml")
        return tmp_path / f"{PLUGIN}.yaml"

    return begin


@pytest.fixture
def opened(qtbot, viewer, engine):
    docks = []

    def make():
        for dock in docks:
            dock.coordinator.close()
        dock = MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD, "other": OTHER})
        qtbot.addWidget(dock)
        docks.append(dock)
        settle(qtbot, dock)
        return dock

    yield make
    for dock in docks:
        dock.coordinator.close()


def choose(dock):
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
    dock.comparison.setCurrentEnum(Compare.BLINK)
    dock.model.setCurrentIndex(dock.model.findData("other"))
    dock.device.setCurrentIndex(dock.device.findData("cpu"))
    dock.display.convention.setCurrentIndex(
        dock.display.convention.findData(DisplayConvention.NEUROLOGICAL)
    )


def chosen(dock):
    now = dock.settings
    return now.region, now.comparison, now.model, now.device, dock.display.convention.currentData()


CHOICE = RegionMode.WHOLE, Compare.BLINK, "other", "cpu", DisplayConvention.NEUROLOGICAL
FIRST = RegionMode.CENTRE, Compare.SIDE_BY_SIDE, "fake", "auto", DisplayConvention.RADIOLOGICAL


def test_the_next_session_begins_as_the_last_one_ended(qtbot, begin, opened, viewer):
    begin()
    dock = opened()
    assert chosen(dock) == FIRST
    choose(dock)
    settle(qtbot, dock)
    path = begin()
    assert path.exists()
    again = opened()
    assert chosen(again) == CHOICE
    assert camera_of(viewer).orientation2d[1] == "right" or not viewer.layers[0].metadata


def test_reset_sets_back_what_was_chosen(qtbot, begin, opened):
    begin()
    dock = opened()
    scale = dock.scale.scale
    choose(dock)
    dock.scale.set_scale(6.5)
    dock.move_camera.setChecked(False)
    settle(qtbot, dock)
    dock.display.reset.click()
    settle(qtbot, dock)
    assert chosen(dock) == FIRST
    assert (dock.scale.scale, dock.move_camera.isChecked()) == (scale, True)
    begin()
    assert chosen(opened()) == FIRST


@pytest.mark.parametrize(
    "content",
    [
        b"{{{: garbage",
        b"- 1\n- 2\n",
        b"\xff\xfe\x00",
        b"session: 7\n",
        b"session: {region: everywhere, comparison: Wipe, model: gone}\n",
        b"",
    ],
)
def test_damaged_files_mean_the_defaults(begin, opened, content, tmp_path):
    (tmp_path / f"{PLUGIN}.yaml").write_bytes(content)
    begin()
    assert chosen(opened()) == FIRST


def test_a_lesion_is_no_region_to_begin_with(begin):
    begin()
    remember(region="rectangle")
    remember(region=str(RegionMode.LESION))
    assert preferences()["region"] == "rectangle"


def test_every_comparison_and_region_can_be_kept(begin):
    begin()
    assert preferences() == DEFAULTS
    for comparison in Compare:
        remember(comparison=str(comparison))
        assert preferences()["comparison"] == str(comparison)
    for region in set(RegionMode) - {RegionMode.LESION}:
        remember(region=str(region))
        assert preferences()["region"] == str(region)
