"""Where the tumour is: detectors and segmentations to regions of interest, for research use."""

from napari_metasr.lesions.detection import Detection
from napari_metasr.lesions.lesion import Lesion

__all__ = ["DEFAULT_DETECTOR", "Detection", "Lesion"]

DEFAULT_DETECTOR = "ld-plus"
"""The model that looks for tumours unless another is asked for."""
