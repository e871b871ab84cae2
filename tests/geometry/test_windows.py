"""Windows: sizes, what they share, what of them lies in a slice."""

from __future__ import annotations

import pytest

from napari_metasr.geometry.windows import Window


def test_sizes_by_hand():
    window = Window(1, 2, 4, 7)
    assert (window.height, window.width, window.area, window.centre) == (3, 5, 15, (2.5, 4.5))
    assert window.grown(1) == (0, 1, 5, 8)
    assert Window.around((2.5, 4.5), 3, 5) == window
    assert Window.at(1, 2, 3, 5) == window
    assert Window(4, 2, 1, 7).area == 0


def test_what_two_windows_share():
    first, second = Window(0, 0, 4, 4), Window(2, 3, 9, 9)
    assert first.intersection(second) == second.intersection(first) == (2, 3, 4, 4)
    assert first.overlap(second) == 2
    assert first.intersection(Window(4, 0, 8, 4)) is None
    assert first.overlap(Window(4, 0, 8, 4)) == 0


def test_whole_pixels_cover_a_window_and_stay_in_the_slice():
    assert Window(-1.5, 0.2, 3.1, 99).pixels((8, 9)) == (0, 0, 4, 9)


def test_regions():
    region = Window.parse("1.5,2,10,20")
    assert region == (1.5, 2, 11.5, 22)
    assert region.clipped((8, 9)) == (1.5, 2, 8, 9)
    with pytest.raises(ValueError, match="reaches outside the slice of 8 x 9"):
        region.inside((8, 9))
    with pytest.raises(ValueError, match="lies wholly outside"):
        Window.at(50, 50, 2, 2).clipped((8, 9))


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "0,0,0,5", "0,0,nan,5", ""])
def test_regions_that_are_none(text):
    with pytest.raises(ValueError, match="region"):
        Window.parse(text)
