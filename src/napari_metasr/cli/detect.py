"""``napari-metasr detect``: detect the tumours of a volume, as JSON and as a mask."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import numpy as np
import tyro
from pydantic import Field

from napari_metasr.cli.parsing import (
    OUTPUT,
    READABLE,
    AnySliceArgument,
    Command,
    Flag,
    IndexArgument,
    ModelArgument,
    PlaneArgument,
    RatioArgument,
    described,
    optional,
)
from napari_metasr.devices import Device
from napari_metasr.io import read
from napari_metasr.lesions import DEFAULT_DETECTOR
from napari_metasr.lesions.document import Finder
from napari_metasr.lesions.files import check_outputs, read_labels, write_rois
from napari_metasr.lesions.labelled import lesions_in
from napari_metasr.plurals import in_number
from napari_metasr.purpose import RESEARCH_USE
from napari_metasr.upscaling.job import Job
from napari_metasr.volume import Plane
from napari_metasr.weights import model_card

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Sized

    from numpy.typing import NDArray

    from napari_metasr.io.dicom.regions import Region
    from napari_metasr.io.dicom.volume import DicomVolume
    from napari_metasr.lesions import Lesion
    from napari_metasr.volume import Volume


@dataclass(frozen=True)
class _Found:
    """Regions, and where they are from.

    Attributes
    ----------
    lesions, finder, concerns
        What is recorded.
    told
        What found them, in words.
    regions
        Makes their voxels.
    """

    lesions: tuple[Lesion, ...]
    finder: Finder
    told: str
    concerns: Sequence[str]
    regions: Callable[[], list[Region]]


class Detect(Command):
    """Detect tumours in a brain MRI and write their regions as JSON, and as a mask.

    A region is a rectangle in one slice; rectangles of neighbouring slices are linked to lesions.
    Scores say how confident the detector is. If it finds nothing, the list of regions is empty.
    For research use, not for diagnosis.
    """

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="INPUT")] = Field(
        description=READABLE
    )
    output: Annotated[Path, OUTPUT, tyro.conf.arg(metavar="ROIS.JSON")] = Field(
        description="The regions as JSON: plane, slice, box in pixels and mm, and score of each; "
        "in BIDS derivatives sub-01_label-tumor_rois.json."
    )
    mask: Annotated[Path | None, OUTPUT, optional("MASK.NII.GZ")] = Field(
        default=None,
        description="Also write a mask on the input's grid, 1 inside the regions; in BIDS "
        "derivatives sub-01_label-tumor_mask.nii.gz.",
    )
    seg: Annotated[Path | None, OUTPUT, optional("OUT.DCM")] = Field(
        default=None,
        description="Also write the regions of a DICOM series as a DICOM segmentation, a segment "
        "for each lesion, or label; that file names the patient.",
    )
    rtstruct: Annotated[Path | None, OUTPUT, optional("OUT.DCM")] = Field(
        default=None,
        description="Likewise, their contours as an RT structure set.",
    )
    labels: Annotated[Path | None, optional("SEG.NII.GZ")] = Field(
        default=None,
        description="Take the regions from this segmentation on the input's grid, in place of a "
        "detector's.",
    )
    scale_input: RatioArgument = Field(
        default=1.0,
        description="Factor by which the input has been reduced in plane, at least 1. It is "
        "recorded, with a warning where the detector was not trained for it; pixels stay the "
        "input's.",
    )
    series: Annotated[str | None, optional("SERIES")] = described(Job, "series")
    plane: PlaneArgument = Field(
        default=None,
        description="Anatomical plane of the slices; by default that of the thick slices, and "
        "axial otherwise.",
    )
    slice: AnySliceArgument = Field(default=None, description="Search only this slice.")
    time: IndexArgument = Field(default=0, description="Time point of a 4-D volume, from 0.")
    model: ModelArgument = Field(
        default=DEFAULT_DETECTOR,
        description="A detector that `napari-metasr models` lists, or a .safetensors file with "
        "its card.",
    )
    device: Device = described(Job, "device")
    truth: Annotated[Path | None, optional("SEG.NII.GZ")] = Field(
        default=None,
        description="A segmentation on the input's grid: print how well the regions agree with it.",
    )
    truth_labels: Annotated[tuple[int, ...], optional("LABELS")] = Field(
        default=(), description="Its labels that are tumour; by default all but 0."
    )
    overwrite: Flag = Field(default=False, description="Replace existing outputs.")

    def run(self) -> None:
        """Check, read, detect, write, and print what was found."""
        check_outputs(self.output, self.mask, overwrite=self.overwrite)
        if self.truth_labels and self.truth is None:
            raise ValueError("--truth-labels are of --truth: expected a segmentation, found none")
        if self.labels is None:
            self._check_scale()
        elif self.slice is not None:
            raise ValueError("expected --labels or --slice, found both: labels are taken whole")
        volume = read(self.input, series=self.series)
        plane = self.plane or volume.acquired_plane
        if volume.data.ndim == 2 and (plane is not Plane.AXIAL or self.slice):
            raise ValueError(f"{self.input}: a 2-D image has one slice, 0 of the axial plane")
        volume.slice(plane, self.slice or 0, self.time)
        dicom = self._series_of(volume)
        truth = None if self.truth is None else self._read_truth(volume, plane, self.truth)

        from napari_metasr.cli.lesion_search import table

        found = self._labelled(volume, plane) if self.labels else self._detected(volume, plane)
        lesions = found.lesions
        write_rois(
            self.output,
            volume,
            lesions,
            found.finder,
            time=self.time,
            scale_input=self.scale_input,
            concerns=found.concerns,
            mask=self.mask,
            overwrite=self.overwrite,
        )
        if lesions:
            print(table(lesions, volume))
        if truth is not None:
            self._compare(lesions, truth, plane)
        slices = set().union(*(lesion.detections for lesion in lesions))
        outputs = self.output if self.mask is None else f"{self.output} and {self.mask}"
        print(
            f"{outputs}: {_counted(lesions, 'lesion')} in {_counted(slices, 'slice')}, "
            f"{found.told}, {RESEARCH_USE}"
        )
        if dicom is not None:
            self._write_dicom(found.regions, dicom)

    def _detected(self, volume: Volume, plane: Plane) -> _Found:
        """Search the volume."""
        from napari_metasr.cli.lesion_search import search
        from napari_metasr.lesions.detector import load_detector
        from napari_metasr.lesions.dicom import regions_of

        detector = load_detector(self.model, device=self.device)
        lesions, concerns = search(volume, plane, detector, index=self.slice, time=self.time)
        return _Found(
            lesions,
            Finder.of(detector),
            f"by {detector.title} on {detector.device.type} at a threshold of "
            f"{detector.point.threshold:g}",
            concerns,
            partial(regions_of, lesions, volume.spatial_shape, detector.title),
        )

    def _labelled(self, volume: Volume, plane: Plane) -> _Found:
        """Take the regions from a segmentation."""
        from napari_metasr.lesions.dicom import regions_in

        path = cast("Path", self.labels)
        labels = read_labels(path, volume)
        lesions = lesions_in(labels, plane)
        finder = Finder(kind="segmentation", name=path.name)
        return _Found(lesions, finder, f"in {path.name}", (), partial(regions_in, labels))

    def _series_of(self, volume: Volume) -> DicomVolume | None:
        """Return the DICOM series that regions are to be written of, having checked the files."""
        written = [path for path in (self.seg, self.rtstruct) if path is not None]
        if not written:
            return None
        from napari_metasr.lesions.dicom import check_output, series_of

        source = series_of(volume, self.input, self.series)
        for path in written:
            check_output(path, source, overwrite=self.overwrite)
        return source

    def _write_dicom(self, regions: Callable[[], list[Region]], source: DicomVolume) -> None:
        """Write the regions as DICOM, if there are any."""
        from napari_metasr.lesions.dicom import write_rtstruct, write_seg

        found = regions()
        for path, write, title in (
            (self.seg, write_seg, "a DICOM segmentation"),
            (self.rtstruct, write_rtstruct, "an RT structure set"),
        ):
            if path is None:
                continue
            if not found:
                warnings.warn(f"{path}: not written, since there is no region", stacklevel=2)
                continue
            write(path, found, source, time=self.time, overwrite=self.overwrite)
            print(f"{path}: the regions as {title}, which names the patient")

    def _read_truth(self, volume: Volume, plane: Plane, path: Path) -> NDArray[np.bool_]:
        """Return the voxels of the tumour, in the searched slice alone if it is one."""
        labels = read_labels(path, volume)
        tumour = np.isin(labels, self.truth_labels) if self.truth_labels else labels != 0
        if self.slice is not None and tumour.ndim == 3:
            axis = plane.normal_axis
            others = np.arange(tumour.shape[axis]) != self.slice
            np.moveaxis(tumour, axis, 0)[others] = False
        if not tumour.any():
            wanted = f"the labels {self.truth_labels}" if self.truth_labels else "labels"
            raise ValueError(f"{path}: expected {wanted} in the searched slices, found none")
        return tumour

    def _compare(self, lesions: Sequence[Lesion], tumour: NDArray[np.bool_], plane: Plane) -> None:
        from napari_metasr.lesions.agreement import agreement

        found = agreement(lesions, tumour, plane)
        print(
            f"{self.truth}: {found.coverage:.1%} of its voxels lie in the regions, which take "
            f"{found.volume_share:.1%} of the volume (its own rectangles: "
            f"{found.exact_share:.1%}); intersection over union with those {found.iou:.3f}"
        )

    def _check_scale(self) -> None:
        if not 1 <= self.scale_input < float("inf"):
            raise ValueError(
                "expected a scale of the input of at least 1 (how much it has been reduced), "
                f"found {self.scale_input:g}"
            )
        low, high = model_card(self.model).trained_scales
        if self.scale_input > high:
            warnings.warn(
                f"{self.model} was trained on slices reduced by {low:g} to {high:g}, these are "
                f"reduced by {self.scale_input:g}: small tumours may be missed",
                stacklevel=2,
            )


def _counted(found: Sized, noun: str) -> str:
    return in_number(len(found), noun) if found else f"no {noun}"
