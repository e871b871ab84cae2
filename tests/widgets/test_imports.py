"""A dock opens without the heavy libraries: they are loaded in the threads that need them."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("torch", "matplotlib", "highdicom", "scipy.stats")
OPENED = """
import sys
import napari_metasr.widgets.opening
from napari_metasr.widgets.lesions.widget import LesionWidget
from napari_metasr.widgets.planes.widget import PlanesWidget
from napari_metasr.widgets.proof.widget import ProofWidget
from napari_metasr.widgets.rating.widget import RatingWidget
from napari_metasr.widgets.tour.widget import TourWidget
from napari_metasr.widgets.upscaling.widget import UpscaleWidget
from napari_metasr.widgets.zoom.widget import MetaSRZoomWidget
print(*sorted(set(sys.argv[1:]) & set(sys.modules)))
"""


def test_no_dock_loads_a_heavy_library_in_the_window_s_thread():
    done = subprocess.run(
        [sys.executable, "-c", OPENED, *HEAVY], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
