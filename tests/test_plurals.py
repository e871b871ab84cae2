"""Numbers of things, in words."""

import pytest

from napari_metasr.plurals import in_number


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 slices"), (1, "1 slice"), (2, "2 slices"), (1200, "1,200 slices")]
)
def test_a_noun_follows_its_number(count, text):
    assert in_number(count, "slice") == text
