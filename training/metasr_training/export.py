"""``metasr-export``: turn a trained network into a model with its card."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch

from metasr_training.cards import Stated, card_fields
from metasr_training.command_line import call
from metasr_training.tables import writing_together
from metasr_training.trained import load_trained
from napari_metasr.cli.advice import with_advice
from napari_metasr.cli.standard_output import ending_with_its_reader
from napari_metasr.errors import nearest_hint
from napari_metasr.files import (
    KeptFileError,
    check_writable,
    keeping,
    making_folders,
    naming_within,
)
from napari_metasr.networks import build
from napari_metasr.weights import (
    OperatingPoint,
    check_model_name,
    check_new_model,
    load_network,
    model_card,
    save_weights,
    shipped_names,
    user_folder,
)
from napari_metasr.weights.card import TOLD_NETWORKS


def export(
    output: Path,
    run: Path | None = None,
    network: str | None = None,
    model: str | None = None,
    onnx: bool = False,
    name: str | None = None,
    results: Path | None = None,
    point: Path | None = None,
    precision: Literal["float32", "float16"] | None = None,
    title: str | None = None,
    contrast: tuple[str, ...] = (),
    licence: str | None = None,
    untold: str | None = None,
    overwrite: bool = False,
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
        What the model is to be called; by default as the network. In the folder of your own
        models it cannot be the name of one of the package.
    results
        A JSON of ``metasr-evaluate`` to put into the card.
    point
        Of a detector, which needs it: a JSON of the threshold, level and margin that its answers
        are read with, as ``metasr-evaluate experiment lfsr-detection`` chooses them on
        validation patients.
    precision
        Of the stored weights, float32 by default; they are computed with in float32.
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
    overwrite
        Replace the files that are there.
    """
    if model is not None and run is None and network is None:
        if not onnx:
            raise ValueError("expected --onnx: a model that there is can become nothing else")
        check_unused(
            {
                "--results": results,
                "--point": point,
                "--precision": precision,
                "--title": title,
                "--contrast": contrast or None,
                "--licence": licence,
                "--untold": untold,
            }
        )
        return write_model(model, output, name, overwrite=overwrite)
    if model is not None or run is None or network is None:
        raise ValueError("expected --run with --network, or --model")
    called = name or network
    endings = (".safetensors", ".json", ".onnx") if onnx else (".safetensors", ".json")
    paths = [output / f"{called}{ending}" for ending in endings]
    check_new_files(called, paths, overwrite=overwrite)
    stated = Stated(title=title, contrasts=contrast, licence=licence)
    trained = load_trained(run, network)
    if (point is None) == (trained.config.detection is not None):
        expected = "no operating point" if point else "the operating point (--point) of a detector"
        raise ValueError(f"{network}: expected {expected}, found {point or 'none'}")
    fields = card_fields(trained, called, stated)
    if untold is not None:
        check_untold(untold, fields)
        fields["untold"] = untold
    module = build(trained.config.network, **trained.config.options)
    module.load_state_dict(trained.weights["network"])
    read = [path for path in (run / "run.json", results, point) if path is not None]
    with (
        keeping(lambda: read),
        writing_together(paths) as temporary,
        TemporaryDirectory(dir=output, prefix=".") as scratch,
        naming_within(made := Path(scratch), output),
    ):
        card = save_weights(
            module,
            made,
            dtype=getattr(torch, precision or "float32"),
            results=json.loads(results.read_text(encoding="utf-8")) if results else {},
            detection=OperatingPoint.model_validate_json(point.read_bytes()) if point else None,
            **fields,
        )
        if onnx:
            write_model(made / f"{card.name}.safetensors", made, card.name)
        for path, place in zip(paths, temporary, strict=True):
            (made / path.name).rename(place)
    return f"{card.name}: {card.parameters:,} parameters, {card.updates:,} updates"


def check_unused(options: Mapping[str, object]) -> None:
    """Refuse options of a trained network's card where a model that there is becomes an ONNX file.

    Raises
    ------
    ValueError
        If one is given, that is, not None.
    """
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise ValueError(
            f"expected --model with --onnx, --output, --name and --overwrite alone, found "
            f"{', '.join(given)}: the card of a model that there is stays as it is"
        )


def check_new_files(name: str, paths: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse a name that no model can have in its folder, and files that are there.

    Raises
    ------
    WeightsError
        If it is no file name, or in the user's folder that of a model of the package.
    KeptFileError
        If a file is there and may not be replaced.
    """
    check_model_name(name)
    if paths[0].parent.resolve() == user_folder().resolve():
        check_new_model(name, overwrite=True)
    there = next((path for path in paths if path.exists()), None)
    if there is not None and not overwrite:
        raise KeptFileError(f"{there}: the file exists")


def check_untold(name: str, fields: Mapping[str, Any]) -> None:
    """Refuse a model that cannot take the place of one that is told nothing.

    Parameters
    ----------
    name
        Of the shipped model.
    fields
        Of the card of the one that can be told.

    Raises
    ------
    ValueError
        If that one cannot be told, or the other is no shipped Meta-SRGAN of the same axes and
        standardisation.
    """
    if fields["network"] not in TOLD_NETWORKS:
        raise ValueError(
            f"expected no --untold, found {name!r}: {fields['name']} cannot be told how a scan was "
            "acquired"
        )
    names = [one for one in shipped_names() if _takes_the_place(one, fields)]
    if name not in names:
        raise ValueError(
            f"expected one of {', '.join(names) or 'no model'} as --untold, found {name!r}"
            f"{nearest_hint(name, names)}"
        )


def _takes_the_place(name: str, fields: Mapping[str, Any]) -> bool:
    """Return whether a model is a Meta-SRGAN of the same axes and standardisation."""
    card, same = model_card(name), ("axes", "standardisation")
    return card.network == "meta-srgan" and all(getattr(card, key) == fields[key] for key in same)


def write_model(
    model: str | Path, output: Path, name: str | None, *, overwrite: bool = False
) -> str:
    """Write a model as ONNX into a folder; what was written, in one line.

    Raises
    ------
    ValueError, OSError, ImportError
        As ``check_model_name``, ``load_network`` and ``write_onnx``.
    """
    from metasr_training.onnx_files import exported, write_onnx

    network, card = load_network(model)
    _, outputs = exported(network, card)
    called = name or card.name
    check_model_name(called)
    path = output / f"{called}.onnx"
    with making_folders([output]):
        check_writable(path, overwrite=overwrite)
        write_onnx(network, card, path, overwrite=overwrite)
    return f"{path}: image to {' and '.join(outputs)}"


@ending_with_its_reader
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    try:
        done = call(export, "metasr-export", arguments)
    except (ValueError, OSError, ImportError) as error:
        print(f"metasr-export: {with_advice(error)}", file=sys.stderr)
        return 2
    print(done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
