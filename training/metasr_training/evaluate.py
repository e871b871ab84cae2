"""``metasr-evaluate``: what a model gains over interpolation, as a table."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import tyro
from tqdm import tqdm

from metasr_training.datasets.slices import SOURCES, load_slices, some_of_each
from metasr_training.evaluation.methods import methods
from metasr_training.evaluation.table import markdown, summarise, write_csv
from metasr_training.evaluation.zoom import score_slice
from napari_metasr.degradations import DEGRADATIONS
from napari_metasr.files import replacing
from napari_metasr.zoom.engine import load_model


def zoom(
    data: Path,
    output: Path,
    model: str = "meta-srgan",
    sources: tuple[str, ...] = tuple(SOURCES),
    scales: tuple[float, ...] = (1.5, 2.0, 2.5, 3.0, 3.7, 4.0),
    slices: int = 24,
    device: str = "auto",
) -> None:
    """PSNR and SSIM of bicubic, Lanczos and a model on validation patients.

    Parameters
    ----------
    data
        A folder with tumour-slices/ in it.
    output
        Where zoom.csv, zoom.md and zoom.json go.
    model
        A model's name, or the path of its weights.
    sources
        Which data sets.
    scales
        By which factors the slices are reduced and enlarged.
    slices
        Slices of each data set, evenly spread over its patients; 0 for all.
    device
        auto, cuda, mps or cpu.
    """
    engine = load_model(model, device=device)
    compared = methods(engine)
    chosen = some_of_each(load_slices(data, "val", sources), slices)
    scores = [
        score
        for one in tqdm(chosen, unit="slice")
        for score in score_slice(one, compared, scales, DEGRADATIONS)
    ]
    rows = summarise(scores)
    table = markdown(rows, tuple(compared))
    gains = {
        f"{row.source}/{row.degradation}/x{row.scale:g}": round(row.psnr - reference.psnr, 2)
        for row in rows
        for reference in rows
        if row.method == engine.name
        and reference.method == "bicubic"
        and (row.source, row.degradation, row.scale)
        == (reference.source, reference.degradation, reference.scale)
    }
    output.mkdir(parents=True, exist_ok=True)
    write_csv(rows, output / "zoom.csv")
    summary = {"psnr_gain_over_bicubic": gains, "slices": len(chosen), "split": "val"}
    texts = {"zoom.md": f"{table}\n", "zoom.json": json.dumps(summary, indent=2)}
    for name, text in texts.items():
        with replacing(output / name, overwrite=True) as temporary:
            temporary.write_text(text)
    print(table)


EXPERIMENTS = {"zoom": zoom}


def main() -> int:
    """Run the command line."""
    try:
        tyro.extras.subcommand_cli_from_dict(EXPERIMENTS, prog="metasr-evaluate")
    except (ValueError, FileNotFoundError) as error:
        print(f"metasr-evaluate: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
