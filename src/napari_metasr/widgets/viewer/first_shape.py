"""What napari needs for the first shape of a session, made ready in a thread of its own.

With its first Shapes layer napari imports pandas and compiles the code that draws shapes, or loads
it from Numba's cache: one second of the window's thread, and eleven the first time on a machine.
"""

from __future__ import annotations

from functools import cache
from threading import Thread

import numpy as np
from napari.layers import Shapes


def prepare_shapes() -> None:
    """Begin to make shapes ready, once in a session; return at once."""
    _preparation()


def await_shapes() -> None:
    """Return when shapes are ready; for threads other than the window's."""
    _preparation().join()


@cache
def _preparation() -> Thread:
    thread = Thread(target=_make_shapes, name="first shape")
    thread.start()
    return thread


def _make_shapes() -> None:
    """Make layers as this plugin's: a rectangle with a label, and none."""
    corners = np.array([[0, 0], [0, 4], [4, 4], [4, 0]], dtype=float)
    features = {"label": np.array(["a"], dtype=object)}
    Shapes([corners], shape_type="rectangle", features=features, text={"string": "{label}"})
    Shapes(ndim=2)
