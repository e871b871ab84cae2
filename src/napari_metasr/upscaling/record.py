"""Compose the sidecar of finished work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_metasr import __version__
from napari_metasr.purpose import RESEARCH_USE_SENTENCE
from napari_metasr.upscaling.provenance import model_records, versions
from napari_metasr.upscaling.sidecar import DetectorRecord, GeneratedBy, Sidecar

if TYPE_CHECKING:
    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.upscaling.provenance import Input
    from napari_metasr.upscaling.workspace import Findings


def record_of(
    plan: Plan, source: Input, findings: Findings, output_name: str, output_sha256: str
) -> Sidecar:
    """Describe an output well enough to understand it, and to make it again.

    Parameters
    ----------
    plan, source
        What was done, and to what.
    findings
        Findings about the input.
    output_name, output_sha256
        Name of the output without folders, and hash of its content.
    """
    target, volume = plan.target, source.volume
    spacing, scale = (
        tuple(float(numbers[axis]) for axis in volume.axes)
        for numbers in (target.spacing, target.scale)
    )
    shape = tuple(target.shape[axis] for axis in volume.axes)
    return Sidecar(
        description=f"{plan.description}. {RESEARCH_USE_SENTENCE}",
        sources=source.names,
        resolution=" x ".join(f"{size:.6g}" for size in spacing) + " mm",
        generated_by=(GeneratedBy(name="napari-metasr", version=__version__),),
        learned=plan.learned,
        interpolated=plan.interpolated,
        scale=scale,
        spacing=spacing,
        input_shape=volume.file_shape,
        output_shape=(*shape, *volume.file_shape[3:]),
        intensity_range=findings.intensity_range,
        value_range=findings.value_range,
        time_point_ranges=findings.ranges or None,
        options=plan.options.recorded,
        models=model_records(plan),
        device=plan.device,
        versions=versions(),
        acquisition=findings.acquisition,
        concerns=(*plan.concerns, *findings.concerns, *findings.missing_concerns),
        input_sha256=source.sha256,
        output_name=output_name,
        output_sha256=output_sha256,
        tissue_continued=plan.tissue_continued,
        **volume.source.acquisition,
        detector=None
        if plan.search is None
        else DetectorRecord(name=Path(plan.search.detector).name, sha256=plan.search.sha256),
        consistent_with=findings.consistent_with,
        told=findings.told,
    )
