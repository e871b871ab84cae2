"""How well regions agree with a segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.lesions.files import mask_of
from napari_metasr.lesions.labelled import lesions_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_metasr.lesions.lesion import Lesion
    from napari_metasr.volume import Plane


@dataclass(frozen=True)
class MaskAgreement:
    """Regions against a segmentation, all 0..1.

    Attributes
    ----------
    coverage
        Share of the segmentation's voxels that lie in a region.
    iou
        Intersection over union of the regions with the segmentation's own rectangles, slice by
        slice: regions that are just as large as they have to be have 1.
    volume_share
        Share of the image that the regions take.
    exact_share
        What the segmentation's own rectangles take.
    """

    coverage: float
    iou: float
    volume_share: float
    exact_share: float


def agreement(lesions: Sequence[Lesion], labels: NDArray[Any], plane: Plane) -> MaskAgreement:
    """Compare regions with a segmentation.

    Parameters
    ----------
    lesions
        The regions.
    labels
        (z, y, x), or (y, x) of a picture; 0 is background.
    plane
        In whose slices the segmentation's rectangles lie.

    Raises
    ------
    ValueError
        If nothing is segmented, or as `lesions_in`.
    """
    tumour = np.asarray(labels) != 0
    if not tumour.any():
        raise ValueError("expected a segmentation with a tumour, found none")
    found = mask_of(tumour.shape, lesions) > 0
    exact = mask_of(tumour.shape, lesions_in(labels, plane)) > 0
    return MaskAgreement(
        coverage=float(found[tumour].mean()),
        iou=float((found & exact).sum() / (found | exact).sum()),
        volume_share=float(found.mean()),
        exact_share=float(exact.mean()),
    )
