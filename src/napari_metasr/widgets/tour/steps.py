"""What the tour says, and which controls it points at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.purpose import RESEARCH_USE_SENTENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget

    from napari_metasr.widgets.zoom.dock import ZoomDock


@dataclass(frozen=True)
class Step:
    """One stop of the tour.

    Attributes
    ----------
    title, body
        What it says.
    control
        Finds what it points at in the zoom dock; None for the canvas.
    """

    title: str
    body: str
    control: Callable[[ZoomDock], QWidget] | None = None


STEPS = (
    Step(
        "Meta-SR in two minutes",
        "Magnify a brain scan continuously, by interpolation and by a network, side by side. All "
        f"controls work during the tour. {RESEARCH_USE_SENTENCE}",
    ),
    Step(
        "The loupe",
        "Put the mouse on the image and hold G: the left half of the loupe is bicubic, the right "
        "half is super-resolved. The wheel changes its magnification; a tap of G lets it stay.",
    ),
    Step(
        "The scale",
        "Move the slider: both views follow at once. Below it stands which scales the network was "
        "trained on.",
        lambda dock: dock.scale,
    ),
    Step(
        "What is super-resolved",
        "The middle of the view, the whole slice, a rectangle that you draw, or a lesion. The "
        "network runs on this region alone.",
        lambda dock: dock.region,
    ),
    Step(
        "Compare",
        "Side by side, swipe, blink, or a map of the differences. Where the two disagree, look "
        "twice.",
        lambda dock: dock.comparison,
    ),
    Step(
        "Can it be trusted?",
        "“Consistent” takes back what the network changed of the measured part; “Risk”, above, "
        "marks where the result may be wrong.",
        lambda dock: dock.consistent,
    ),
    Step(
        "What you see, in millimetres",
        "The true scale, the size of a voxel and of a pixel, and where the mouse points to.",
        lambda dock: dock.readout,
    ),
    Step(
        "Take it with you",
        "“Keep” adds the result as a layer, “Save” writes it into its place in the scanner's "
        "space, “Export” makes figures, films and a page that zooms itself.",
        lambda dock: dock.export,
    ),
    Step(
        "All keys",
        "Press ? in the dock, or click here, for the list; napari's preferences change them.",
        lambda dock: dock.keys,
    ),
    Step(
        "And then",
        "In the menu Plugins > Meta-SR: three linked planes, tumour detection, whole volumes, what "
        "your own scan can be zoomed to, and this tour.",
    ),
)
