"""Describe the upscaling of one volume from file to file, and prepare the work."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from napari_metasr.devices import Device
from napari_metasr.io.names import READ_FORMATS, WRITTEN_SUFFIXES, labels_name
from napari_metasr.lesions import DEFAULT_DETECTOR
from napari_metasr.upscaling.options import UpscaleOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_metasr.upscaling.upscale import Upscaling

LESION = "lesion"


class Job(BaseModel, extra="forbid", frozen=True):
    """One volume to upscale, as a value that can be pickled; fields carry their descriptions."""

    input: Path = Field(
        description=f"A brain MRI, 3-D or 4-D, in any orientation: {READ_FORMATS}, or DICOM as a "
        "folder, a file or a .zip."
    )
    output: Path = Field(
        description=f"The upscaled volume, {', '.join(WRITTEN_SUFFIXES)}; OUT.json beside it "
        "records how it was made."
    )
    options: UpscaleOptions
    series: str | None = Field(
        default=None,
        description="Which of several DICOM series: a number or a description (`*t1*`) that "
        "`napari-metasr series` lists, or a UID.",
    )
    within: str | None = Field(
        default=None,
        description="Super-resolve only boxes around lesions, which a detector finds or a "
        "segmentation on the input's grid holds; interpolate the rest.",
    )
    labels: tuple[Path, ...] = Field(
        default=(),
        description="Segmentations on the input's grid, files of whole numbers: their labels "
        "are written on the output's grid beside the output, with smooth outlines.",
    )
    detector: str = Field(
        default=DEFAULT_DETECTOR,
        description="Lesion detector to use; `napari-metasr models` lists them.",
    )
    device: Device = Field(
        default="auto", description="Where networks run; auto takes the fastest device there is."
    )
    overwrite: bool = Field(default=False, description="Replace an existing output.")
    resume: bool = Field(
        default=False,
        description="Resume unfinished work, if there is any. After a power failure start over.",
    )
    named: bool = Field(
        default=True,
        description="Let records mention the name of the input, if it may be named at all.",
    )
    force: bool = Field(
        default=False,
        description="Allow outputs above 4096 voxels per side or 2^32 voxels in total.",
    )

    def prepare(self, clock: Callable[[], float] = time.monotonic) -> Upscaling:
        """Open the input, plan the work and check what it takes; nothing is written yet.

        Parameters
        ----------
        clock
            Seconds, by which the time left is told.

        Raises
        ------
        ValueError
            If the options do not go together or do not fit the volume, a model is missing or
            unsuitable, the input is no image, the output would replace the input or the
            segmentation, or would be very large (see ``force``).
        OSError
            If the input does not exist, or the output exists or cannot be written.
        """
        from napari_metasr.io.opening import open_stored
        from napari_metasr.upscaling.labels import Segmentation, check_labels
        from napari_metasr.upscaling.lesion_search import LesionSearch, boxes_in
        from napari_metasr.upscaling.outputs import check_inputs_kept, check_outputs, record_beside
        from napari_metasr.upscaling.plan import Plan
        from napari_metasr.upscaling.provenance import Input
        from napari_metasr.upscaling.target import check_size
        from napari_metasr.upscaling.upscale import Upscaling
        from napari_metasr.weights import WeightsError

        check_outputs(self.output, overwrite=self.overwrite, resume=self.resume)
        options, looks = self.options, self.within == LESION
        mask = None if self.within is None or looks else Path(self.within)
        record = record_beside(self.output) if self.resume else None
        made = () if record is None else [one.output_name for one in record.labels]
        check_labels(self.labels, self.output, overwrite=self.overwrite, made=made)
        others = [self.output.with_name(labels_name(self.output, one)) for one in self.labels]
        inputs = (self.input, *(() if mask is None else (mask,)), *self.labels)
        check_inputs_kept(self.output, inputs, others)
        volume = open_stored(self.input, series=self.series)
        options = options.of_volume(volume)
        search = LesionSearch.by(self.detector, self.device, options.plane) if looks else None
        plan = Plan.of(volume, options, self.device, search)
        reason = "" if plan.in_plane is None else plan.in_plane.lesions_only
        if reason and self.within is None and not options.boxes:
            raise WeightsError(f"{reason}, found a whole volume")
        check_size(plan.target, volume.time_points, plan.dtype.itemsize, force=self.force)
        if mask is not None:
            boxes = boxes_in(mask, volume, options.plane)
            plan = replace(plan, options=options.model_copy(update={"boxes": boxes}))
        segmentations = [
            Segmentation.open(path, volume, self.output, named=self.named) for path in self.labels
        ]
        source = Input.of(volume, named=self.named)
        return Upscaling(
            plan,
            source,
            self.output,
            overwrite=self.overwrite,
            resume=self.resume,
            segmentations=segmentations,
            clock=clock,
        )
