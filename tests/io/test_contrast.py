"""Which contrast a name tells of."""

from __future__ import annotations

import pytest

from napari_metasr.io.contrast import guess_contrast, known_contrast


@pytest.mark.parametrize(
    ("name", "contrast"),
    [
        ("sub-01_ce-gadolinium_T1w", "T1c"),
        ("BraTS-GLI-00000-000-t1c", "T1c"),
        ("t1_mprage_sag_gd", "T1c"),
        ("AX T1 POST", "T1c"),
        ("T1+C", "T1c"),
        ("sub-01_T1w", "T1"),
        ("BraTS-GLI-00000-000-t1n", "T1"),
        ("MPRAGE", "T1"),
        ("BraTS-GLI-00000-000-t2f", "FLAIR"),
        ("ax_t2_flair", "FLAIR"),
        ("p04_s1_flair:12", "FLAIR"),
        ("T2_TSE_tra", "T2"),
        ("chris_pd", "PD"),
        ("sub-01_T2star", None),
        ("T1_map", None),
        ("ep2d_dwi", None),
        ("brain", None),
    ],
)
def test_names(name, contrast):
    assert guess_contrast(name) == contrast


def test_the_first_name_that_tells_decides():
    assert guess_contrast("brain", "t2w", "flair") == "T2"
    assert guess_contrast() is None


def test_a_stated_contrast_is_one_that_is_known():
    assert known_contrast("flair") == "FLAIR"
    with pytest.raises(ValueError, match="expected a contrast among T1c, T1, T2, FLAIR, PD, found"):
        known_contrast("bold")
