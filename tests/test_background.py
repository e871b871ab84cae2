"""What value the background of a scan has."""

from __future__ import annotations

import numpy as np

from napari_metasr.background import background_value


def test_the_background_is_what_most_of_the_edge_is():
    assert background_value(np.array([-5, -5, 3, -5])) == -5
    assert background_value(np.array([np.nan, 2.0, np.nan])) == 2
    assert background_value(np.array([np.nan])) == 0
