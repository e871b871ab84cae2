"""What tests share: real images where they are at hand, a volume without symmetry, the dock."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from fakes.widgets import CARD, SHAPE, FakeEngine, begin_session, settle

from napari_metasr.volume import Source, Volume

if TYPE_CHECKING:
    from collections.abc import Iterator

# Read by napari when its settings are first imported: nothing of the user's is read or written.
os.environ["NAPARI_CONFIG"] = ""

# The tests' convolutions are small: more threads only wait for each other on a busy machine.
torch.set_num_threads(1)

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images that lies beside the checkout; the test is skipped without it."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs the real images of {SHARED_DATA}, which are not here")
    return SHARED_DATA


@pytest.fixture(scope="session", autouse=True)
def _decoded_slices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The training package keeps nothing in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAPARI_METASR_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _no_models_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No model of whoever runs the tests is listed or touched."""
    monkeypatch.setenv("NAPARI_METASR_MODELS", str(tmp_path / "no-models-yet"))


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds set what an earlier one has set."""
    begin_session(monkeypatch)


@pytest.fixture(autouse=True)
def _nothing_begins_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """What begins a while after a file is opened would do so in whichever test runs then.

    The tour is offered seconds after the plugin's first command, and the loupe's network is loaded
    a second after the first file.
    """
    for module, delay in (("opening", "OFFER_MS"), ("loupe.shortcuts", "PREPARING_MS")):
        found = sys.modules.get(f"napari_metasr.widgets.{module}")
        if found is not None:
            monkeypatch.setattr(found, delay, 10**6)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20201119)


@pytest.fixture
def phantom_volume(rng: np.random.Generator) -> Volume:
    """A head of 18 x 26 x 22 voxels (z, y, x), no two axes alike, int16, with noise.

    Brighter towards the right, anterior and superior at different rates, and with one bright
    lesion in the left anterior superior part: any flip or swap of axes shows.
    """
    shape, spacing = (18, 26, 22), (2.5, 1.0, 0.8)
    z, y, x = (
        np.linspace(-1, 1, n).reshape([-1 if axis == k else 1 for k in range(3)])
        for axis, n in enumerate(shape)
    )
    head = z**2 + y**2 + x**2 < 1
    lesion = (z - 0.35) ** 2 + (y - 0.4) ** 2 + (x + 0.45) ** 2 < 0.25**2
    tissue = 300 + 60 * x + 90 * y + 130 * z + rng.normal(0, 5, shape)
    data = np.where(lesion, 900, np.where(head, tissue, 0)).round().astype(np.int16)
    affine = np.diag([*spacing[::-1], 1.0])
    affine[:3, 3] = -9, -14, 21
    source = Source(name="phantom", affine=affine, orientation="RAS", dtype=data.dtype)
    return Volume(data=data, affine=affine, spacing=spacing, source=source)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def viewer(rng):
    """A viewer model, which has no canvas, with a volume whose voxels are no cubes."""
    from napari.components import ViewerModel

    viewer = ViewerModel()
    viewer.add_image(rng.normal(100, 20, SHAPE), name="t1c", scale=(3, 1, 1.5))
    return viewer


@pytest.fixture
def make_dock(qtbot, engine):
    """Make the zoom dock of a viewer, with the network that is known, and wait until it shows."""
    from napari_metasr.widgets import MetaSRZoomWidget

    docks = []

    def make(viewer):
        dock = MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD})
        qtbot.addWidget(dock)
        docks.append(dock)
        settle(qtbot, dock)
        return dock

    yield make
    engine.gate.set()
    for dock in docks:
        dock.coordinator.close()


@pytest.fixture
def dock(make_dock, viewer):
    """The zoom dock, set to whole slices."""
    from napari_metasr.widgets.viewer.viewport import RegionMode

    dock = make_dock(viewer)
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
    return dock


@pytest.fixture
def notes():
    """What napari was told to notify the user of."""
    from napari.utils.notifications import notification_manager

    messages = []
    callback = lambda notification: messages.append(notification.message)  # noqa: E731
    notification_manager.notification_ready.connect(callback)
    yield messages
    notification_manager.notification_ready.disconnect(callback)
