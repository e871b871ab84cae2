"""Numbers of things and of bytes, in words."""

import pytest

from napari_metasr.plurals import in_bytes, in_number


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 slices"), (1, "1 slice"), (2, "2 slices"), (1200, "1,200 slices")]
)
def test_a_noun_follows_its_number(count, text):
    assert in_number(count, "slice") == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (48_000, "46.9 KiB"),
        (3 << 20, "3 MiB"),
        (5 << 30, "5 GiB"),
        (3e12, "2.73 TiB"),
    ],
)
def test_bytes_have_a_unit_in_which_they_are_seen(count, text):
    assert in_bytes(count) == text
