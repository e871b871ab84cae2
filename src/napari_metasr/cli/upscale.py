"""``napari-metasr upscale``: upscale a whole volume from file to file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from pydantic import Field

from napari_metasr.cli.columns import in_columns
from napari_metasr.cli.parsing import OUTPUT, Flag, described, optional
from napari_metasr.cli.upscaling import UpscalingCommand
from napari_metasr.cli.work_bar import WorkBar
from napari_metasr.files import check_kept, check_writable
from napari_metasr.io import read
from napari_metasr.io.names import labels_name, sidecar_path
from napari_metasr.purpose import RESEARCH_USE
from napari_metasr.upscaling.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_metasr.upscaling.sidecar import LabelsRecord
    from napari_metasr.upscaling.upscale import Upscaling


class Upscale(UpscalingCommand):
    """Upscale a whole volume, in plane and across slices.

    A JSON sidecar beside the output records which parts were super-resolved and which were
    interpolated. For research use, not for diagnosis.
    """

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="INPUT")] = described(
        Job, "input"
    )
    output: Annotated[Path, OUTPUT, tyro.conf.arg(metavar="OUT.NII.GZ")] = described(Job, "output")
    labels: Annotated[tuple[Path, ...], optional("SEG.NII.GZ")] = described(Job, "labels")
    series: Annotated[str | None, optional("SERIES")] = described(Job, "series")
    dicom: Annotated[Path | None, OUTPUT, optional("OUT.DCM")] = Field(
        default=None,
        description="Also write the result of a DICOM series as DICOM: one derived multi-frame "
        "file in the study of the series, which names the patient. This holds the whole result "
        "in memory.",
    )
    risk: Annotated[Path | None, OUTPUT, optional("OUT.NII.GZ")] = Field(
        default=None,
        description="Also write where the slices, super-resolved in plane, may be wrong: 1 where "
        "they are marked, on their rows and columns and the slices of the input. This holds the "
        "input and the marks in memory.",
    )
    resume: Flag = described(Job, "resume")

    def written(self) -> Iterator[Path]:
        """Give the outputs, and the sidecar and the labels beside the volume."""
        yield from super().written()
        yield sidecar_path(self.output)
        names = dict.fromkeys(labels_name(self.output, one) for one in self.labels)
        yield from map(self.output.with_name, names)

    def run(self) -> None:
        """Check, plan, upscale, and print one line about the result."""
        job = self.job(self.input, self.output, series=self.series, resume=self.resume)
        work = job.model_copy(update={"labels": self.labels}).prepare()
        if self.consistent is not None and work.plan.in_plane is None:
            raise ValueError(
                "--consistent is of slices that are super-resolved in plane: found a scale of 1 "
                "along their rows and columns"
            )
        if self.risk is not None:
            from napari_metasr.upscaling.risk import check_marks

            check_marks(self.risk, work.plan, overwrite=self.overwrite)
        derive = None if self.dicom is None else self._deriving(self.dicom, work)
        carry_out(work)
        print(summary(self.output, work))
        for record in work.carried:
            print(volumes(self.output.with_name(record.output_name), record))
        if self.risk is not None:
            print(self._mark(self.risk, work))
        if derive is not None:
            print(f"{derive()}: the same as DICOM, which names the patient")

    def _mark(self, path: Path, work: Upscaling) -> str:
        """Write where the result may be wrong; return a line about it."""
        from napari_metasr.trust.risk import marked_text
        from napari_metasr.upscaling.risk import write_marks
        from napari_metasr.upscaling.sidecar import read_sidecar

        volume = read(self.input, series=self.series)
        boxes = read_sidecar(sidecar_path(self.output)).options.boxes
        found, share = write_marks(path, volume, work.plan, boxes, overwrite=self.overwrite)
        of = "tissue in the boxes" if boxes else "tissue"
        return f"{path}: {marked_text(share, of)} {found.sentence}"

    def _deriving(self, path: Path, work: Upscaling) -> Callable[[], Path]:
        """Return what writes the finished volume as DICOM, once it is known to be possible."""
        from napari_metasr.io.dicom.regions import ENDING
        from napari_metasr.io.dicom.volume import DicomVolume
        from napari_metasr.io.dicom.writing import check_source, write_dicom

        source, description = work.source.volume, work.plan.description
        if not path.name.lower().endswith(ENDING):
            raise ValueError(f"{path}: expected a name that ends in {ENDING}")
        check_writable(path, overwrite=self.overwrite)
        check_kept(path, source.files)
        if not isinstance(source, DicomVolume):
            raise ValueError(f"{path}: expected a DICOM series to write as DICOM, found none")
        if source.time_points > 1:
            raise ValueError(
                f"{path}: expected one time point to write as DICOM, found {source.time_points}"
            )
        check_source(path, source, work.plan.target.shape)

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
                raise InterruptedError(f"{path}: stopped; {self.output} is complete") from None
            except MemoryError:
                raise MemoryError(
                    f"writing {path} holds the whole result; {self.output} is complete"
                ) from None

        return derive


def carry_out(work: Upscaling) -> None:
    """Do the work under a progress bar, and warn of every concern about its result.

    Raises
    ------
    InterruptedError
        After an interrupt from the keyboard.
    """
    for concern in work.plan.concerns:
        warnings.warn(concern, stacklevel=2)
    with WorkBar() as bar:
        try:
            for progress in work.steps():
                bar.reach(progress.overall, progress.stage.title, progress.left)
        except KeyboardInterrupt:
            raise InterruptedError("stopped; --resume resumes the work") from None


def summary(output: Path, work: Upscaling) -> str:
    """Summarise finished work in one line."""
    plan = work.plan
    axes = plan.volume.axes
    size = " x ".join(str(plan.target.shape[axis]) for axis in axes)
    spacing = " x ".join(f"{plan.target.spacing[axis]:.4g}" for axis in axes)
    times = f" x {plan.volume.time_points}" if plan.volume.time_points > 1 else ""
    networks = " and ".join(card.title for card in plan.cards)
    minutes, seconds = divmod(round(sum(work.stage_seconds.values())), 60)
    return (
        f"{output}: {size}{times} voxels of {spacing} mm, super-resolved by {networks} on "
        f"{plan.device} in {minutes}:{seconds:02} min, {RESEARCH_USE}"
    )


def volumes(path: Path, record: LabelsRecord) -> str:
    """Tell the volume of each label before and after, in lines."""
    lines = [("label", "ml before", "ml after", "change")]
    for one in record.volumes:
        change = one.after / one.before - 1
        lines.append((str(one.label), f"{one.before:.4g}", f"{one.after:.4g}", f"{change:+.1%}"))
    return f"{path}: its labels, {RESEARCH_USE}\n" + in_columns(lines, right=range(4))
