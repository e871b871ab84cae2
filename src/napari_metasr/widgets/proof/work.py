"""What the dock does off the GUI thread: load the network, try it, draw the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.widgets.proof import messages as words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_metasr.figures.report.document import Document, Picture
    from napari_metasr.trust.proof_settings import ProofSettings
    from napari_metasr.trust.prover import Progress
    from napari_metasr.volume import Volume
    from napari_metasr.widgets.proof.scope import Part
    from napari_metasr.widgets.viewer.models import ModelCache
    from napari_metasr.zoom.engine import ZoomModel


@dataclass(frozen=True)
class Request:
    """What is to be tried.

    Attributes
    ----------
    volume, part
        The scan, and what of it is tried.
    model, device
        Name of the network, and where it runs.
    settings
        How it is tried.
    with_marks
        Whether the marks of the network's error head are tried as well.
    """

    volume: Volume
    part: Part
    model: str
    device: str
    settings: ProofSettings
    with_marks: bool = False


@dataclass(frozen=True)
class Report:
    """The report of a scan, and what of it is shown in the dock."""

    document: Document
    sentences: tuple[str, ...]
    curves: Picture


def prove(request: Request, models: ModelCache[ZoomModel]) -> Iterator[Progress | Report]:
    """Try a network on a scan, telling how far it is; the last step is the report.

    Raises
    ------
    ValueError
        As `Prover`, or if the network cannot be loaded.
    """
    from napari_metasr.figures.report import document
    from napari_metasr.figures.report.pictures import curves_at
    from napari_metasr.trust.proof import Proof
    from napari_metasr.trust.prover import Progress, Prover
    from napari_metasr.trust.sentences import gain_sentence, lesion_sentence, marks_sentence

    yield Progress(words.LOADING, 0.0)
    model, part = models.get(request.model, request.device), request.part
    head = models.head(request.model, request.device) if request.with_marks else None
    prover = Prover(
        request.volume,
        model,
        request.settings,
        plane=part.plane,
        index=part.index,
        region=part.region,
        time=part.time,
        head=head,
    )
    for step in prover.steps():
        if not isinstance(step, Proof):
            yield step
            continue
        yield Progress(words.DRAWING, 1.0)
        scale = step.usual_scale
        told = (gain_sentence(step), lesion_sentence(step, scale), marks_sentence(step, scale))
        yield Report(document(step), tuple(filter(None, told)), curves_at(step, scale))


def write(path: Path, report: Report, overwrite: bool) -> Path:
    """Write a report; see `napari_metasr.figures.report.write_report`."""
    from napari_metasr.figures.report import write_report

    return write_report(path, report.document, overwrite=overwrite)
