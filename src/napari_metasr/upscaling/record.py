"""What is said of finished work in the sidecar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_metasr import __version__
from napari_metasr.purpose import RESEARCH_USE_SENTENCE
from napari_metasr.upscaling.sidecar import DetectorRecord, GeneratedBy, Sidecar

if TYPE_CHECKING:
    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.upscaling.workspace import Findings


def record_of(plan: Plan, findings: Findings, output_name: str, output_sha256: str) -> Sidecar:
    """Everything that is needed to understand an output, and to make it again.

    Parameters
    ----------
    plan, findings
        What was done, with the boxes that it was done in.
    output_name, output_sha256
        Of the file, without folders.
    """
    target, source = plan.target, plan.volume
    spacing, scale = (
        tuple(float(numbers[axis]) for axis in source.axes)
        for numbers in (target.spacing, target.scale)
    )
    shape = tuple(target.shape[axis] for axis in source.axes)
    return Sidecar(
        description=f"{plan.description}. {RESEARCH_USE_SENTENCE}",
        sources=source.record_names,
        resolution=" x ".join(f"{size:.6g}" for size in spacing) + " mm",
        generated_by=(GeneratedBy(name="napari-metasr", version=__version__),),
        learned=plan.learned,
        interpolated=plan.interpolated,
        scale=scale,
        spacing=spacing,
        input_shape=source.file_shape,
        output_shape=(*shape, *source.file_shape[3:]),
        intensity_range=findings.intensity,
        value_range=findings.limits,
        options=plan.options.recorded,
        models=plan.models,
        device=plan.device,
        versions=plan.versions,
        concerns=(*plan.concerns, *findings.doubts),
        input_sha256=plan.input_sha256,
        output_name=output_name,
        output_sha256=output_sha256,
        detector=None
        if plan.search is None
        else DetectorRecord(name=Path(plan.search.detector).name, sha256=plan.search.sha256),
    )
