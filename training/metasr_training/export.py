"""``metasr-export``: turn a trained network into a model with its card."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
import tyro

from metasr_training.cards import Stated, card_fields
from metasr_training.trained import load_trained
from napari_metasr.errors import in_words
from napari_metasr.files import check_kept
from napari_metasr.networks import build
from napari_metasr.weights import ModelCard, OperatingPoint, save_weights


def export(
    run: Path,
    network: str,
    output: Path,
    name: str | None = None,
    results: Path | None = None,
    point: Path | None = None,
    precision: Literal["float32", "float16"] = "float32",
    title: str | None = None,
    contrast: tuple[str, ...] = (),
    licence: str | None = None,
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
    title
        What people read in docks and on results; by default the name.
    contrast
        Contrasts of the training images, such as T1c; by default what their names tell.
    licence
        Of the weights, as SPDX writes it; by default that of the model the training began with,
        or what the data sets are known to ask.
    """
    stated = Stated(title=title, contrasts=contrast, licence=licence)
    trained = load_trained(run, network)
    if (point is None) == (trained.config.detection is not None):
        expected = "no operating point" if point else "the operating point (--point) of a detector"
        raise ValueError(f"{network}: expected {expected}, found {point or 'none'}")
    fields = card_fields(trained, name or network, stated)
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
        results=json.loads(results.read_text(encoding="utf-8")) if results else {},
        detection=OperatingPoint.model_validate_json(point.read_text("utf-8")) if point else None,
        **fields,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    try:
        card = tyro.cli(export, prog="metasr-export", args=arguments)
    except (ValueError, OSError) as error:
        print(f"metasr-export: {in_words(error)}", file=sys.stderr)
        return 2
    print(f"{card.name}: {card.parameters:,} parameters, {card.updates:,} updates")
    return 0


if __name__ == "__main__":
    sys.exit(main())
