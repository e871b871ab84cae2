"""Where images hold more than background is found out for each that is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.upscale_dock import volume_of

from napari_metasr.widgets.upscaling.contents import Contents


@pytest.fixture
def contents(qtbot):
    found = Contents()
    yield found
    found.close()


def filled(rows):
    volume = volume_of(shape=(4, 40, 50))
    volume.data[:, :rows, 10:20] = 1
    return volume


def test_an_image_that_is_chosen_meanwhile_is_looked_at_next(qtbot, contents):
    one, other = filled(20), filled(30)
    wanted = [one]
    contents.found.connect(lambda: contents.of(wanted[0]))
    assert contents.of(one) is None
    wanted[0] = other
    assert contents.of(other) is None
    qtbot.waitUntil(lambda: contents.of(other) is not None)
    assert contents.of(other).stops[0][0, 0].tolist() == [1, 30, 20]


def test_what_is_not_in_memory_is_not_looked_at(contents):
    da = pytest.importorskip("dask.array")
    volume = filled(20)
    object.__setattr__(volume, "data", da.from_array(np.asarray(volume.data)))
    assert contents.of(volume) is None
    assert not contents.is_looking
