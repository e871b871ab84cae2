"""``metasr-export``: turn a run's weights into a model with its card."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
import tyro

from metasr_training.config import TrainConfig
from napari_metasr.networks import build
from napari_metasr.weights import ModelCard, save_weights

DATA = {
    "tcga-lgg": "TCGA-LGG T1 post-contrast, training patients; TCIA, CC BY 3.0, the repack "
    "CC BY-NC-SA 4.0",
    "cheng": "Cheng 2017 brain tumour T1 post-contrast slices, training patients; CC BY 4.0",
    "brats20": "BraTS 2020 T1 post-contrast slices, training patients; research use with citation",
}
LICENCE = "CC-BY-NC-SA-4.0"


def _about(config: TrainConfig, update: int, seconds: float) -> dict[str, Any]:
    patches = config.patches
    weights = ", ".join(f"{name} {share:g}" for name, share in patches.degradations.items())
    return {
        "title": "Meta-SRGAN",
        "network": config.network,
        "trained_scales": (min(patches.scales), max(patches.scales)),
        "trained_contrasts": ("T1c",),
        "degradations": tuple(patches.degradations),
        "intensity": "0.1 and 99.9 percentiles of the volume to 0 and 1, nothing clipped",
        "updates": update,
        "loss": "L1",
        "schedule": (
            f"Adam {config.learning_rate:g} with half a cosine, batch {patches.batch}, "
            f"{patches.patch} x {patches.patch} patches, {config.precision} convolutions, "
            f"degradations weighted {weights}, {patches.anisotropic_share:.0%} of the batches with "
            f"two scales, weights averaged with decay {config.average:g}, "
            f"{seconds / 3600:.1f} hours of training"
        ),
        "data": tuple(DATA[source] for source in patches.sources),
        "licence": LICENCE,
        "intended_use": (
            "Research: looking at T1 post-contrast brain MRI slices enlarged, beside the "
            "interpolated image. Not a medical device; not for diagnosis or treatment."
        ),
        "limitations": (
            "Detail beyond the acquired resolution is inferred, not measured. Trained on 2-D "
            "T1 post-contrast slices of adults with brain tumours; other contrasts, anatomy and "
            "scales outside the trained range are extrapolation."
        ),
        "citation": (
            "Tan, Zhu, Lio: Arbitrary Scale Super-Resolution for Brain MRI Images. "
            "AIAI 2020, 10.1007/978-3-030-49161-1_15"
        ),
    }


def export(run: Path, name: str, output: Path, results: Path | None = None) -> ModelCard:
    """Write NAME.safetensors and NAME.json from a run's best averaged weights.

    Parameters
    ----------
    run
        The run folder.
    name
        What the model is to be called.
    output
        The folder to write to.
    results
        A JSON of ``metasr-evaluate`` to put into the card.
    """
    config = TrainConfig.model_validate(json.loads((run / "config.json").read_text())["config"])
    best = torch.load(run / "best.pt", weights_only=True)
    last = torch.load(run / "last.pt", weights_only=True)
    network = build(config.network)
    network.load_state_dict(best["network"])
    return save_weights(
        network,
        output,
        name=name,
        results=json.loads(results.read_text()) if results else {},
        **_about(config, best["update"], last["elapsed"]),
    )


def main() -> int:
    """Run the command line."""
    try:
        card = tyro.cli(export, prog="metasr-export")
    except (ValueError, FileNotFoundError) as error:
        print(f"metasr-export: {error}", file=sys.stderr)
        return 2
    print(f"{card.name}: {card.parameters:,} parameters, {card.updates:,} updates")
    return 0


if __name__ == "__main__":
    sys.exit(main())
