"""Every conversion between index and position; the one place where half a pixel lives.

Along an axis, low-resolution pixel ``k`` spans ``[k, k + 1]`` (its *edges*); napari's
coordinates of the same points are smaller by one half, since there pixel ``k`` is centred on
``k``. All cells and offsets are computed with integers: ``floor(i / r)`` in floating point is
off by a whole pixel at some scales.
"""
