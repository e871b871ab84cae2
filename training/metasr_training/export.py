"""``metasr-export``: turn a trained network into a model with its card."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
import tyro

from metasr_training.catalogue import recipe
from metasr_training.datasets.detection import DetectionConfig
from metasr_training.lineage import all_seconds, all_updates, updates_text
from metasr_training.trained import TrainedNetwork, load_trained
from napari_metasr.files import check_kept
from napari_metasr.lesions.detector import LARGEST_SEEN
from napari_metasr.networks import build
from napari_metasr.weights import ModelCard, OperatingPoint, save_weights

DATA = {
    "tcga-lgg": "TCGA-LGG T1 post-contrast, training patients; TCIA, CC BY 3.0, the repack "
    "CC BY-NC-SA 4.0",
    "cheng": "Cheng 2017 brain tumour T1 post-contrast slices, training patients; CC BY 4.0",
    "brats20": "BraTS 2020 T1 post-contrast slices, training patients; research use with citation",
    "natural": "BSDS and T91 natural images; research use",
}
LICENCE = "CC-BY-NC-SA-4.0"
USES = {
    "pairs": "Research: looking at T1 post-contrast brain MRI slices enlarged, beside the "
    "interpolated image. Not a medical device; not for diagnosis or treatment.",
    "detection": "Research: proposing where in a T1 post-contrast brain MRI slice to look closer. "
    "Not a medical device; not for diagnosis or treatment.",
}
LIMITS = {
    "pairs": "Detail beyond the acquired resolution is inferred, not measured. Trained on 2-D "
    "T1 post-contrast slices of adults with brain tumours; other contrasts, anatomy, scales and "
    "degradations are extrapolation.",
    "detection": "It misses tumours and finds some that are not there. Trained on 2-D T1 "
    "post-contrast slices of adults with meningioma, glioma or pituitary tumours; other "
    "contrasts, planes and lesions are extrapolation.",
}

WINDOWS = (
    " Trained on windows of the head alone: the empty background beyond it comes out less than "
    "empty."
)
CITATIONS = {
    "Tan, Zhu, Lio 2020": "Tan, Zhu, Lio: Arbitrary Scale Super-Resolution for Brain MRI Images. "
    "AIAI 2020, 10.1007/978-3-030-49161-1_15",
    "Zhu, Yang, Lio 2018": "Zhu, Yang, Lio: Lesion Focused Super-Resolution. SPIE Medical Imaging "
    "2019",
    "Zhu, Yang, Lio 2019": "Zhu, Yang, Lio: How Can We Make GAN Perform Better in Single Medical "
    "Image Super-Resolution? A Lesion Focused Multi-Scale Approach. ISBI 2019, arXiv:1901.03419",
}


def _citation(source: str) -> str:
    """The paper that a recipe names as its source."""
    return next((text for paper, text in CITATIONS.items() if paper in source), source)


def _schedule(trained: TrainedNetwork) -> str:
    """The run in words."""
    config = trained.config
    stages = "; ".join(
        f"{stage.name}: "
        + " + ".join(f"{weight:g} {name}" for name, weight in stage.losses.items())
        + (f", game {stage.game}" if stage.game else "")
        + f", Adam {stage.rate.initial:g} ({stage.rate.shape})"
        for stage in config.stages
    )
    batch = (config.pairs or config.detection).batch  # type: ignore[union-attr]
    line = trained.lineage
    return (
        f"preset {config.preset}; {stages}; batch {batch}, {config.precision} convolutions"
        + (f", weights averaged with decay {config.average:g}" if config.average else "")
        + (f", updates {updates_text(line)}" if len(line) > 1 else "")
        + (f", perceptual features: {trained.perceptual}" if trained.perceptual else "")
        + f"; {all_seconds(line) / 3600:.2f} hours of training"
    )


def _reductions(detection: DetectionConfig | None) -> tuple[float, ...]:
    """By how much full slices are reduced before a detector sees them; a map's canvas too."""
    if detection is None:
        return ()
    return (1.0, max(detection.scales) * LARGEST_SEEN / detection.canvas)


def card_fields(trained: TrainedNetwork) -> dict[str, Any]:
    """What a model card says of a trained network."""
    config = trained.config
    pairs = config.pairs
    scales = pairs.scales if pairs else _reductions(config.detection)
    made_by = recipe(config.recipe)
    task = "pairs" if pairs else "detection"
    sources = trained.about.get("task", {}).get("images", {"tcga-lgg": 1, "cheng": 1})
    mean, std = trained.weights["task"].get("standardisation", (0.0, 1.0))
    return {
        "title": made_by.title + (f"-x{scales[-1]:g}" if len(scales) == 1 and pairs else ""),
        "network": config.network,
        "options": config.options,
        "trained_scales": (min(scales), max(scales)),
        "axes": "one" if pairs and pairs.axes == "one" else "both",
        "trained_contrasts": ("T1c",),
        "degradations": tuple(pairs.degradations) if pairs else (),
        "intensity": "0.1 and 99.9 percentiles of the volume to 0 and 1, nothing clipped"
        + (f"; then less {mean:.4f}, over {std:.4f}" if std != 1 else ""),
        "standardisation": (mean, std),
        "updates": all_updates(trained.lineage),
        "loss": ", ".join(dict.fromkeys(name for one in config.stages for name in one.losses)),
        "schedule": _schedule(trained),
        "data": tuple(DATA.get(source, source) for source in sources),
        "licence": LICENCE,
        "intended_use": USES[task],
        "limitations": LIMITS[task] + (WINDOWS if pairs and pairs.windows != "head" else ""),
        "citation": _citation(made_by.source),
    }


def export(
    run: Path,
    network: str,
    output: Path,
    name: str | None = None,
    results: Path | None = None,
    point: Path | None = None,
    precision: Literal["float32", "float16"] = "float32",
) -> ModelCard:
    """Write NAME.safetensors and NAME.json from a trained network of a run.

    Parameters
    ----------
    run
        The run folder.
    network
        The trained network, such as srresnet-x4.
    output
        The folder to write to.
    name
        What the model is to be called; by default as the network.
    results
        A JSON of ``metasr-evaluate`` to put into the card.
    point
        Of a detector, which needs it: a JSON of the threshold, level and margin that its answers
        are read with, as ``metasr-evaluate experiment lfsr-detection`` chooses them on
        validation patients.
    precision
        Of the stored weights; they are computed with in float32.
    """
    trained = load_trained(run, network)
    if (point is None) == (trained.config.detection is not None):
        expected = "no operating point" if point else "the operating point (--point) of a detector"
        raise ValueError(f"{network}: expected {expected}, found {point or 'none'}")
    module = build(trained.config.network, **trained.config.options)
    module.load_state_dict(trained.weights["network"])
    output.mkdir(parents=True, exist_ok=True)
    read = [path for path in (run / "run.json", results, point) if path is not None]
    for suffix in (".safetensors", ".json"):
        check_kept(output / f"{name or network}{suffix}", read)
    return save_weights(
        module,
        output,
        dtype=getattr(torch, precision),
        name=name or network,
        results=json.loads(results.read_text(encoding="utf-8")) if results else {},
        detection=OperatingPoint.model_validate_json(point.read_text("utf-8")) if point else None,
        **card_fields(trained),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    try:
        card = tyro.cli(export, prog="metasr-export", args=arguments)
    except (ValueError, OSError) as error:
        print(f"metasr-export: {error}", file=sys.stderr)
        return 2
    print(f"{card.name}: {card.parameters:,} parameters, {card.updates:,} updates")
    return 0


if __name__ == "__main__":
    sys.exit(main())
