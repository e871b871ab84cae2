"""``metasr-export``: turn a trained network into a model with its card."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch

from metasr_training.cards import Stated, card_fields
from metasr_training.command_line import call
from metasr_training.tables import writing_together
from metasr_training.trained import load_trained
from napari_metasr.cli.standard_output import ending_with_its_reader
from napari_metasr.errors import in_words
from napari_metasr.files import keeping, making_folders, naming_within
from napari_metasr.networks import build
from napari_metasr.weights import OperatingPoint, load_network, save_weights


def export(
    output: Path,
    run: Path | None = None,
    network: str | None = None,
    model: str | None = None,
    onnx: bool = False,
    name: str | None = None,
    results: Path | None = None,
    point: Path | None = None,
    precision: Literal["float32", "float16"] = "float32",
    title: str | None = None,
    contrast: tuple[str, ...] = (),
    licence: str | None = None,
    untold: str = "",
) -> str:
    """Write NAME.safetensors and NAME.json from a trained network of a run, or an ONNX file.

    With ``--onnx`` also NAME.onnx; with ``--model`` that file alone, of a model that there is.

    Parameters
    ----------
    output
        The folder to write to.
    run
        The run folder.
    network
        The trained network, such as srresnet-x4.
    model
        In place of run and network: a name of ``napari-metasr models``, or the path of weights.
    onnx
        Write an ONNX file: of a network of fixed scales the whole, of Meta-SRGAN the encoder.
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
    untold
        Of a network that is told how scans were acquired: the shipped model that takes its place
        where nothing is known.
    """
    if model is not None and run is None and network is None:
        if not onnx:
            raise ValueError("expected --onnx: a model that there is can become nothing else")
        return write_model(model, output, name)
    if model is not None or run is None or network is None:
        raise ValueError("expected --run with --network, or --model")
    stated = Stated(title=title, contrasts=contrast, licence=licence)
    trained = load_trained(run, network)
    if (point is None) == (trained.config.detection is not None):
        expected = "no operating point" if point else "the operating point (--point) of a detector"
        raise ValueError(f"{network}: expected {expected}, found {point or 'none'}")
    fields = card_fields(trained, name or network, stated) | {"untold": untold}
    module = build(trained.config.network, **trained.config.options)
    module.load_state_dict(trained.weights["network"])
    read = [path for path in (run / "run.json", results, point) if path is not None]
    endings = (".safetensors", ".json", ".onnx") if onnx else (".safetensors", ".json")
    paths = [output / f"{name or network}{ending}" for ending in endings]
    with (
        keeping(lambda: read),
        writing_together(paths) as temporary,
        TemporaryDirectory(dir=output, prefix=".") as scratch,
        naming_within(made := Path(scratch), output),
    ):
        card = save_weights(
            module,
            made,
            dtype=getattr(torch, precision),
            results=json.loads(results.read_text(encoding="utf-8")) if results else {},
            detection=OperatingPoint.model_validate_json(point.read_bytes()) if point else None,
            **fields,
        )
        if onnx:
            write_model(made / f"{card.name}.safetensors", made, card.name)
        for path, place in zip(paths, temporary, strict=True):
            (made / path.name).rename(place)
    return f"{card.name}: {card.parameters:,} parameters, {card.updates:,} updates"


def write_model(model: str | Path, output: Path, name: str | None) -> str:
    """Write a model as ONNX into a folder; what was written, in one line.

    Raises
    ------
    ValueError, OSError, ImportError
        As ``load_network`` and ``write_onnx``.
    """
    from metasr_training.onnx_files import exported, write_onnx

    network, card = load_network(model)
    _, outputs = exported(network, card)
    path = output / f"{name or card.name}.onnx"
    with making_folders([output]):
        write_onnx(network, card, path, overwrite=True)
    return f"{path}: image to {' and '.join(outputs)}"


@ending_with_its_reader
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    try:
        done = call(export, "metasr-export", arguments)
    except (ValueError, OSError, ImportError) as error:
        print(f"metasr-export: {in_words(error)}", file=sys.stderr)
        return 2
    print(done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
