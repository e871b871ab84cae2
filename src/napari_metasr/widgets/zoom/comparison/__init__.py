"""Ways to see the two results together, one class each behind one protocol."""

from napari_metasr.widgets.zoom.comparison.base import Mode, Stage
from napari_metasr.widgets.zoom.comparison.blink import Blink
from napari_metasr.widgets.zoom.comparison.difference import Difference
from napari_metasr.widgets.zoom.comparison.inferred import Inferred
from napari_metasr.widgets.zoom.comparison.side_by_side import SideBySide
from napari_metasr.widgets.zoom.comparison.single import Single
from napari_metasr.widgets.zoom.comparison.swipe import Swipe

MODES: tuple[type[Mode], ...] = (SideBySide, Swipe, Blink, Difference, Inferred, Single)

__all__ = [
    "MODES",
    "Blink",
    "Difference",
    "Inferred",
    "Mode",
    "SideBySide",
    "Single",
    "Stage",
    "Swipe",
]
