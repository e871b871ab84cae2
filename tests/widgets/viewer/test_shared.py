"""What belongs to a viewer is shared by its docks, each of which has a stand-in of its own."""

from __future__ import annotations

import gc

from napari.utils._proxies import PublicOnlyProxy

from napari_metasr.widgets.viewer.anatomical_view import anatomical_view
from napari_metasr.widgets.viewer.focus import lesion_focus
from napari_metasr.widgets.viewer.shared import real_viewer


def test_stand_ins_of_a_viewer_stand_for_the_same(viewer):
    assert real_viewer(PublicOnlyProxy(viewer)) is viewer
    assert real_viewer(viewer) is viewer


def test_what_is_shared_outlives_the_stand_in_that_asked_first(viewer):
    stand_in = PublicOnlyProxy(viewer)
    focus, view = lesion_focus(stand_in), anatomical_view(stand_in)
    del stand_in
    gc.collect()
    assert lesion_focus(PublicOnlyProxy(viewer)) is focus
    assert anatomical_view(viewer) is view
    view.close()
    assert anatomical_view(viewer) is not view
    anatomical_view(viewer).close()
