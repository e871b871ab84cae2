"""Write the demonstration's figures, which need no screen: pictures, animation, table."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from napari_metasr.degradations import degrade
from napari_metasr.figures.animation import save_animation
from napari_metasr.figures.comparison import Comparison, save_comparison
from napari_metasr.figures.panel import View
from napari_metasr.figures.sequence import REDUCTION, SCALES, run_sequence, save_sequence
from napari_metasr.files import replacing
from napari_metasr.geometry.windows import Window
from napari_metasr.normalisation import contrast_limits
from napari_metasr.quality.trial import run_trial
from napari_metasr.volume import Plane
from napari_metasr.zoom.loading import load_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_metasr.cli.demo_scene import Scene
    from napari_metasr.quality.trial import Trial
    from napari_metasr.zoom.engine import ZoomModel

COMPARISON_SCALE = 2.0


@dataclass(frozen=True)
class DemoRow:
    """The slice reduced by a scale and super-resolved back: PSNR in dB, SSIM, times in ms."""

    scale: float
    true_scale: str
    psnr_bicubic: float
    psnr_model: float
    ssim_bicubic: float
    ssim_model: float
    brain_psnr_bicubic: float
    brain_psnr_model: float
    brain_ssim_bicubic: float
    brain_ssim_model: float
    encode_ms: float
    render_ms: float

    @classmethod
    def of(cls, scale: float, trial: Trial) -> DemoRow:
        """Make the row of a trial."""
        images = trial.interpolated, trial.super_resolved
        bicubic, own = (trial.quality(image, in_box=False) for image in images)
        brain_bicubic, brain_own = (trial.quality(image, in_box=True) for image in images)
        return cls(
            scale=scale,
            true_scale=" x ".join(dict.fromkeys(f"{factor:.3f}" for factor in trial.scale)),
            psnr_bicubic=bicubic.psnr,
            psnr_model=own.psnr,
            ssim_bicubic=bicubic.ssim,
            ssim_model=own.ssim,
            brain_psnr_bicubic=brain_bicubic.psnr,
            brain_psnr_model=brain_own.psnr,
            brain_ssim_bicubic=brain_bicubic.ssim,
            brain_ssim_model=brain_own.ssim,
            encode_ms=1000 * trial.encode_seconds,
            render_ms=1000 * trial.render_seconds,
        )


def write_pictures(scene: Scene, folder: Path) -> list[Path]:
    """Write all figures and tables into a folder, replacing older ones, and print the table.

    Returns
    -------
    list of Path
        What was written.
    """
    model = load_model(scene.model, device=scene.device)
    volume, index, region = scene.volume, scene.index, scene.region
    image = volume.slice(Plane.AXIAL, index)
    spacing = volume.plane_spacing(Plane.AXIAL)
    view = View.of(volume, Plane.AXIAL, contrast_limits(volume.data))
    name, title = volume.source.name, model.card.title
    place = (
        f"axial slice {index} · region y {region.top:g}, x {region.left:g}, "
        f"{region.height:g} × {region.width:g} pixels"
    )
    intensity_range, value_range = volume.intensity_range, volume.value_range
    trials = _trials(scene, model)
    shown = trials[COMPARISON_SCALE]
    top, left, bottom, right = (round(edge) for edge in region)
    rows = [DemoRow.of(scale, trial) for scale, trial in trials.items()]
    low_resolution, steps = run_sequence(
        image, model, intensity_range=intensity_range, value_range=value_range
    )
    written = [
        save_sequence(
            folder / "sequence.png",
            low_resolution,
            steps,
            view=view,
            spacing=(REDUCTION * spacing[0], REDUCTION * spacing[1]),
            window=_reduced(region),
            model=title,
            heading=name,
            details=place,
            overwrite=True,
        ),
        save_comparison(
            folder / "comparison.png",
            Comparison(
                interpolated=shown.interpolated[top:bottom, left:right],
                super_resolved=shown.super_resolved[top:bottom, left:right],
                truth=shown.truth[top:bottom, left:right],
                data_range=shown.data_range,
                spacing=spacing,
                scale=shown.scale,
                model=title,
                heading=name,
                details=f"{place} · reduced by {COMPARISON_SCALE:g} (antialiased bicubic) and "
                "super-resolved back",
            ),
            view=view,
            overwrite=True,
        ),
        save_animation(
            folder / "zoom.gif",
            image,
            model,
            title=title,
            trained_scales=model.card.trained_scales,
            view=view,
            spacing=spacing,
            window=region,
            intensity_range=intensity_range,
            value_range=value_range,
            overwrite=True,
        ),
        *_write_tables(rows, folder),
    ]
    print(f"{name}, {place}; {title} on {model.device}\n")
    print(_markdown(rows))
    return written


def _trials(scene: Scene, model: ZoomModel) -> dict[float, Trial]:
    """Reduce the slice by every scale, and super-resolve it back."""
    volume = scene.volume
    image = volume.slice(Plane.AXIAL, scene.index)
    model.render(model.encode(image), SCALES[0])  # compiles, which is not to be timed
    return {
        scale: run_trial(
            degrade(image, _reduced_shape(image.shape, scale), "bicubic"),
            image,
            model,
            intensity_range=volume.intensity_range,
            value_range=volume.value_range,
        )
        for scale in SCALES
    }


def _reduced_shape(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    return max(round(shape[0] / scale), 1), max(round(shape[1] / scale), 1)


def _reduced(window: Window) -> Window:
    return Window(*(edge / REDUCTION for edge in window))


def _cells(row: DemoRow) -> list[str]:
    """Write a row's values as text, with significant decimals."""
    cells = []
    for name, value in asdict(row).items():
        decimals = 3 if "ssim" in name else 2 if "psnr" in name else 1
        cells.append(value if isinstance(value, str) else f"{value:.{decimals}f}")
    return cells


def _markdown(rows: Sequence[DemoRow]) -> str:
    """Write the rows as a Markdown table."""
    table = [[field.name.replace("_", " ") for field in fields(DemoRow)], *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        " | ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in table
    ]
    lines.insert(1, " | ".join("-" * (width - 1) + ":" for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def _write_tables(rows: Sequence[DemoRow], folder: Path) -> list[Path]:
    """Write the table as CSV and as Markdown."""
    numbers, text = folder / "figures.csv", folder / "figures.md"
    with (
        replacing(numbers, overwrite=True) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow([field.name for field in fields(DemoRow)])
        writer.writerows(asdict(row).values() for row in rows)
    with replacing(text, overwrite=True) as temporary:
        temporary.write_text(
            "The slice reduced by each scale (antialiased bicubic) and super-resolved back, "
            "against itself: PSNR in dB and SSIM on the whole slice and in the brain's "
            "bounding box.\n\n"
            f"{_markdown(rows)}\n",
            encoding="utf-8",
        )
    return [numbers, text]
