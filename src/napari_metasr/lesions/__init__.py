"""Where the tumour is: detectors and segmentations to regions of interest, for research use."""

from napari_metasr.lesions.detection import Detection
from napari_metasr.lesions.lesion import Lesion

__all__ = ["Detection", "Lesion"]
