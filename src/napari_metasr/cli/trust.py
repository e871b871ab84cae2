"""``napari-metasr trust``: how far a scan can be zoomed, tried on its own slices."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from pydantic import Field

from napari_metasr.cli.lesion_choice import LesionChoice, LesionSource, MaskArgument, RoisArgument
from napari_metasr.cli.parsing import (
    OUTPUT,
    READABLE,
    AnySliceArgument,
    Command,
    Flag,
    FoundRegionArgument,
    IndexArgument,
    ModelArgument,
    OneLesionArgument,
    PlaneArgument,
    described,
    optional,
)
from napari_metasr.cli.work_bar import WorkBar
from napari_metasr.devices import Device
from napari_metasr.errors import problems
from napari_metasr.forecast import Forecast
from napari_metasr.io import read
from napari_metasr.purpose import RESEARCH_USE
from napari_metasr.trust.proof_settings import ProofSettings
from napari_metasr.upscaling.job import Job
from napari_metasr.weights import DEFAULT_MODEL
from napari_metasr.weights.risk import has_risk

if TYPE_CHECKING:
    from napari_metasr.trust.proof import Proof
    from napari_metasr.trust.prover import Prover


class Trust(Command):
    """Try on a scan's own slices how far it can be zoomed, and write a report of it.

    Slices are reduced as the scan was acquired, enlarged again by the network, bicubic and Lanczos,
    and compared with what they were; small lesions are put in to see which sizes survive. The
    report names neither the file nor the patient.
    """

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="SCAN")] = Field(
        description=READABLE
    )
    output: Annotated[Path, OUTPUT, tyro.conf.arg(metavar="REPORT.HTML")] = Field(
        description="The report: one page as .html, or the same as .pdf."
    )
    pdf: Annotated[Path | None, OUTPUT, optional("REPORT.PDF")] = Field(
        default=None, description="Also write the report as a PDF."
    )
    series: Annotated[str | None, optional("SERIES")] = described(Job, "series")
    plane: PlaneArgument = Field(
        default=None,
        description="Anatomical plane of the slices; by default that of the thick slices, and "
        "axial otherwise.",
    )
    slice: AnySliceArgument = Field(default=None, description="Try only this slice: seconds.")
    region: FoundRegionArgument = Field(
        default=None,
        description="Try only a rectangle of a slice (by default the middle one), in pixels: top "
        "row, left column, size.",
    )
    lesion: OneLesionArgument = Field(
        default=None,
        description="In place of a region: around a lesion, 1 being the best, in its largest "
        "slice or in that of --slice.",
    )
    rois: RoisArgument = described(LesionSource, "rois")
    mask: MaskArgument = described(LesionSource, "mask")
    detector: ModelArgument = described(LesionSource, "detector")
    time: IndexArgument = described(LesionSource, "time")
    model: ModelArgument = Field(
        default=DEFAULT_MODEL,
        description="A name that `napari-metasr models` lists, or a .safetensors file with its "
        "card.",
    )
    scales: Annotated[tuple[float, ...], tyro.conf.arg(metavar="SCALE")] = described(
        ProofSettings, "scales"
    )
    slices: int = described(ProofSettings, "slices")
    contrast: Annotated[float, tyro.conf.arg(metavar="SHARE")] = described(
        ProofSettings, "contrast"
    )
    acquisition: Annotated[str, tyro.conf.arg(metavar="NAME")] = described(
        ProofSettings, "acquisition"
    )
    seed: int = described(ProofSettings, "seed")
    device: Device = described(Job, "device")
    overwrite: Flag = described(Job, "overwrite")

    def run(self) -> None:
        """Check, read, try, write, and print the verdict."""
        from napari_metasr.figures.report.writing import check_report

        outputs = list(self.written())
        for path in outputs:
            check_report(path, overwrite=self.overwrite)
        if self.pdf is not None and self.pdf.suffix.lower() != ".pdf":
            raise ValueError(f"{self.pdf}: expected a report that ends in .pdf")
        settings = self._settings()
        choice = LesionChoice.asked(self)
        volume = read(self.input, series=self.series)
        plane = self.plane or volume.acquired_plane
        index, region = self.slice, self.region
        if choice is not None:
            (place,) = choice.find(volume, plane, self.slice, self.time)
            index, region = place.index, place.region
            print(place.told)

        from napari_metasr.figures.report import document, write_report
        from napari_metasr.trust.prover import Prover
        from napari_metasr.trust.risk import load_risk_model
        from napari_metasr.trust.sentences import gain_sentence, lesion_sentence, marks_sentence
        from napari_metasr.zoom.loading import load_model

        model = load_model(self.model, device=self.device)
        head = load_risk_model(self.model, device=self.device) if has_risk(self.model) else None
        prover = Prover(
            volume,
            model,
            settings,
            plane=plane,
            index=index,
            region=region,
            time=self.time,
            head=head,
        )
        proof = carry_out(prover)
        report = document(proof)
        for path in outputs:
            write_report(path, report, overwrite=self.overwrite)
        for concern in proof.concerns:
            if concern not in volume.source.concerns:  # of which the reader has warned
                warnings.warn(concern, stacklevel=2)
        print(gain_sentence(proof))
        for gain in proof.gains:
            print(lesion_sentence(proof, gain.scale))
        for told in filter(None, (marks_sentence(proof, one.scale) for one in proof.marks)):
            print(told)
        print(f"{' and '.join(map(str, outputs))}: the report, {RESEARCH_USE}")

    def _settings(self) -> ProofSettings:
        from pydantic import ValidationError

        names = ("scales", "slices", "contrast", "acquisition", "seed")
        try:
            return ProofSettings(**{name: getattr(self, name) for name in names})
        except ValidationError as error:
            raise ValueError(problems(error)) from None


def carry_out(prover: Prover) -> Proof:
    """Do the work under a progress bar that shows the time left.

    Raises
    ------
    InterruptedError
        After an interrupt from the keyboard; nothing was written.
    """
    from napari_metasr.trust.proof import Proof

    forecast = Forecast.of_one_stage()
    with WorkBar() as bar:
        try:
            for step in prover.steps():
                if isinstance(step, Proof):
                    bar.reach(1.0, "", 0.0)
                    return step
                forecast.reach_share(step.overall)
                bar.reach(step.overall, step.stage, forecast.seconds)
        except KeyboardInterrupt:
            raise InterruptedError("stopped; no report was written") from None
    raise RuntimeError("the work ended without a proof")
