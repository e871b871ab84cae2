"""Everything that can be asked for when a volume is enlarged, from file to file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, PositiveFloat

from napari_metasr.io.opening import open_stored
from napari_metasr.lesions import DEFAULT_DETECTOR
from napari_metasr.upscaling.lesion_search import LesionSearch, boxes_in
from napari_metasr.upscaling.options import Numbers, UpscaleOptions
from napari_metasr.upscaling.outputs import check_inputs_kept, check_outputs
from napari_metasr.upscaling.plan import Plan
from napari_metasr.upscaling.target import check_size
from napari_metasr.upscaling.upscale import Upscaling
from napari_metasr.volume import Plane

LESION = "lesion"


class Job(BaseModel, extra="forbid", frozen=True):
    """One volume to enlarge; can be pickled, and needs no screen.

    Attributes
    ----------
    input
        A NIfTI file; or DICOM: a folder, a file or a .zip.
    output
        ``.nii`` or ``.nii.gz``; the sidecar lies beside it.
    series
        Which of several DICOM series.
    scale, spacing, plane, model, through_plane_model, thickness, dtype
        As ``UpscaleOptions``.
    within
        Where networks work: ``lesion`` for the boxes round what a detector finds, or a
        segmentation on the input's grid. Everywhere by default.
    detector
        What looks for lesions.
    device
        Where networks run: ``auto``, ``cuda``, ``mps`` or ``cpu``.
    overwrite, resume
        Replace an existing output; go on with unfinished work.
    force
        Whatever the size of the output.
    """

    input: Path
    output: Path
    series: str | None = None
    scale: Numbers | None = None
    spacing: Numbers | None = None
    plane: Plane = Plane.AXIAL
    model: str = "meta-srgan"
    through_plane_model: str = "meta-srgan-through-plane"
    thickness: PositiveFloat | None = None
    within: str | None = None
    detector: str = DEFAULT_DETECTOR
    dtype: Literal["source", "float32"] = "source"
    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    overwrite: bool = False
    resume: bool = False
    force: bool = False

    def prepare(self) -> Upscaling:
        """Open the input, plan the work and check what it takes; nothing is written yet.

        Raises
        ------
        ValueError
            If the options do not go together or do not fit the volume, a model is not there or
            not for this, the input is no image, the output would replace the input or the
            segmentation, or would be very large (see ``force``).
        OSError
            If the input is not there, or the output exists or cannot be written.
        """
        check_outputs(self.output, overwrite=self.overwrite, resume=self.resume)
        masks = () if self.within in (None, LESION) else (Path(str(self.within)),)
        check_inputs_kept(self.output, (self.input, *masks))
        options = UpscaleOptions(
            scale=self.scale,
            spacing=self.spacing,
            plane=self.plane,
            model=self.model,
            through_plane_model=self.through_plane_model,
            thickness=self.thickness,
            dtype=self.dtype,
        )
        volume = open_stored(self.input, series=self.series)
        looks = self.within == LESION
        search = LesionSearch.by(self.detector, self.device, self.plane) if looks else None
        plan = Plan.of(volume, options, self.device, search)
        check_size(plan.target, volume.time_points, plan.dtype.itemsize, force=self.force)
        if self.within is not None and not looks:
            boxes = boxes_in(Path(self.within), volume, self.plane)
            plan = replace(plan, options=options.model_copy(update={"boxes": boxes}))
        return Upscaling(plan, self.output, overwrite=self.overwrite, resume=self.resume)
