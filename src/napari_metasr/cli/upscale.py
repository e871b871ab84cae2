"""``napari-metasr upscale``: a whole volume from file to file."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from pydantic import Field
from tqdm import tqdm

from napari_metasr.cli.enlarging import Enlarging
from napari_metasr.cli.parsing import OUTPUT
from napari_metasr.files import check_kept, check_writable
from napari_metasr.io import read
from napari_metasr.upscaling.sidecar import sidecar_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_metasr.upscaling.upscale import Upscaling


class Upscale(Enlarging):
    """Magnify a whole volume, in plane and across slices, for research use.

    What was learned and what interpolated stands in the JSON file beside the output.
    """

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="INPUT")] = Field(
        description="A brain MRI, 3-D or 4-D, in any orientation: .nii or .nii.gz, or DICOM as a "
        "folder, a file or a .zip."
    )
    output: Annotated[Path, OUTPUT, tyro.conf.arg(metavar="OUT.NII.GZ")] = Field(
        description="What to write, .nii or .nii.gz; OUT.json beside it says how it was made."
    )
    series: str | None = Field(
        default=None,
        description="Which of several DICOM series; `napari-metasr series` lists them.",
    )
    dicom: Annotated[Path | None, OUTPUT, tyro.conf.arg(metavar="OUT.DCM")] = Field(
        default=None,
        description="Write the result of a DICOM series as DICOM as well: one derived multi-frame "
        "file in the series' study, which names the patient. The whole result is held in memory "
        "for it.",
    )
    resume: bool = Field(
        default=False,
        description="Go on with unfinished work, if there is any. After a power failure begin "
        "anew.",
    )

    def written(self) -> Iterator[Path]:
        """The outputs, and the sidecar beside the volume."""
        yield from super().written()
        yield sidecar_path(self.output)

    def run(self) -> None:
        """Check, plan, enlarge, and say in one line what was done."""
        work = self.job(self.input, self.output, series=self.series, resume=self.resume).prepare()
        derive = None if self.dicom is None else self._deriving(self.dicom, work)
        carry_out(work)
        print(told(self.output, work))
        if derive is not None:
            print(f"{derive()}: the same as DICOM, which names the patient")

    def _deriving(self, path: Path, work: Upscaling) -> Callable[[], Path]:
        """What writes the finished volume as DICOM; what it cannot do is said at once."""
        from napari_metasr.io.dicom.volume import DicomVolume
        from napari_metasr.io.dicom.writing import write_dicom

        source, description = work.plan.volume, work.plan.description
        check_writable(path, overwrite=self.overwrite)
        check_kept(path, source.files)
        if not isinstance(source, DicomVolume):
            raise ValueError(
                f"{path}: expected a DICOM series to write as DICOM, found a NIfTI file"
            )
        if source.time_points > 1:
            raise ValueError(
                f"{path}: expected one time point to write as DICOM, found {source.time_points}"
            )

        def derive() -> Path:
            try:
                done = read(self.output)
                return write_dicom(
                    path,
                    done.data,
                    done.affine,
                    source,
                    description=description,
                    overwrite=self.overwrite,
                )
            except KeyboardInterrupt:
                raise InterruptedError(f"{path}: stopped; {self.output} is whole") from None
            except MemoryError:
                raise MemoryError(
                    f"to write {path} all of the result is held; {self.output} is whole"
                ) from None

        return derive


def carry_out(work: Upscaling) -> None:
    """Do the work under a progress bar, warning of all that speaks against its result.

    Raises
    ------
    InterruptedError
        If somebody stops it at the keyboard.
    """
    for concern in work.plan.concerns:
        warnings.warn(concern, stacklevel=2)
    layout = "{desc} |{bar}| {percentage:3.0f}% [{elapsed}<{remaining}]"
    with tqdm(total=1.0, bar_format=layout, file=sys.stderr) as bar:
        try:
            for progress in work.steps():
                bar.set_description(progress.stage, refresh=False)
                bar.update(progress.overall - bar.n)
        except KeyboardInterrupt:
            raise InterruptedError("stopped; --resume goes on with what is done") from None


def told(output: Path, work: Upscaling) -> str:
    """What was done, in one line."""
    plan = work.plan
    axes = plan.volume.axes
    size = " x ".join(str(plan.target.shape[axis]) for axis in axes)
    spacing = " x ".join(f"{plan.target.spacing[axis]:.4g}" for axis in axes)
    times = f" x {plan.volume.time_points}" if plan.volume.time_points > 1 else ""
    networks = " and ".join(card.title for card in plan.cards)
    minutes, seconds = divmod(round(sum(work.stage_seconds.values())), 60)
    return (
        f"{output}: {size}{times} voxels of {spacing} mm, super-resolved by {networks} on "
        f"{plan.device} in {minutes}:{seconds:02} min, for research use, not for diagnosis"
    )
