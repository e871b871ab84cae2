"""A blinded, shuffled rating study from the images of several methods."""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from napari_metasr.files import KeptFileError, replacing_folder
from napari_metasr.normalisation import cast_to_dtype, contrast_limits, unit_range
from napari_metasr.quality.rating.key import Key, Origin
from napari_metasr.quality.rating.study import (
    IMAGES,
    KEY_FILE,
    QUESTION,
    RATINGS,
    STUDY_FILE,
    Study,
    StudyCard,
    sha256,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.quality.rating.study import Interpolation

FEWEST_DIGITS = 4
WHITE = 255


def prepare(
    images: Mapping[str, Mapping[str, NDArray[Any]]],
    output: Path,
    *,
    seed: int,
    truth: str = "truth",
    limits: Mapping[str, tuple[float, float]] | None = None,
    interpolation: Interpolation = "cubic",
    question: str = QUESTION,
    overwrite: bool = False,
) -> Study:
    """Write a study: every version of every slice, shuffled, under a number, with a sealed key.

    Nothing of a file but its pixels depends on the method: all versions of a slice go through one
    display window to 8 bits, as a screen shows them, and into PNG files without metadata and
    without compression (a smooth image would be a smaller file), all of one time.

    Parameters
    ----------
    images
        Slice name -> method label -> image (rows, columns), first row on top, in any units that
        the versions of a slice share. Every slice has the same labels, ``truth`` among them.
    output
        The study's folder, which appears whole or not at all.
    seed
        Of the shuffling. Raters must not know it.
    truth
        The label of the truth.
    limits
        Slice name -> display window (shown black, shown white) in the images' units; by default
        `napari_metasr.normalisation.contrast_limits` of the truth.
    interpolation
        How the dock scales pixels to the screen's.
    question
        What the rater is asked.
    overwrite
        Replace a study without ratings.

    Raises
    ------
    ValueError
        If there is no slice, or one that lacks a version, has fewer than two, or has versions of
        different sizes, or that are not 2-D; or if a window is no window.
    FileExistsError
        If the output exists and may not be replaced.
    FileNotFoundError, NotADirectoryError
        If the output's parent does not exist, or the output is a file.
    """
    labels = _labels(images, truth)
    windows = {
        name: _window(name, versions, truth, limits or {}) for name, versions in images.items()
    }
    origins = [Origin(slice=name, method=label) for name in images for label in labels]
    order = np.random.default_rng(seed).permutation(len(origins))
    digits = max(FEWEST_DIGITS, len(str(len(origins))))
    _check_replaceable(output, overwrite=overwrite)
    with replacing_folder(output) as folder:
        (folder / IMAGES).mkdir()
        moment = int(time.time())
        digests, named = {}, {}
        for number, place in enumerate(order, start=1):
            origin = origins[place]
            path = folder / IMAGES / f"{number:0{digits}d}.png"
            shown = unit_range(images[origin.slice][origin.method], windows[origin.slice])
            Image.fromarray(cast_to_dtype(WHITE * shown, np.uint8)).save(path, compress_level=0)
            os.utime(path, (moment, moment))
            digests[path.name], named[path.name] = sha256(path.read_bytes()), origin
        key = Key(seed=seed, truth=truth, methods=labels, images=named)
        card = StudyCard(
            question=question, interpolation=interpolation, images=digests, key_sha256=key.digest
        ).identified()
        key.write(folder / KEY_FILE)
        (folder / STUDY_FILE).write_text(card.model_dump_json(indent=2), encoding="utf-8")
    return Study(output, card)


def _labels(images: Mapping[str, Mapping[str, NDArray[Any]]], truth: str) -> tuple[str, ...]:
    """Return the methods in order, the truth last as in the paper's table; checks every slice."""
    if not images:
        raise ValueError("a study needs at least one slice, found none")
    first = next(iter(images))
    labels = tuple(images[first])
    if truth not in labels:
        raise ValueError(
            f"slice {first}: expected {truth!r} among {', '.join(labels) or 'nothing'}"
        )
    if len(labels) < 2:
        raise ValueError(
            f"slice {first}: expected the truth and a method, found {labels[0]!r} only"
        )
    for name, versions in images.items():
        if set(versions) != set(labels):
            differing = ", ".join(sorted(set(versions) ^ set(labels)))
            raise ValueError(f"slice {name}: its methods differ from those of {first}: {differing}")
        for label, image in versions.items():
            if np.ndim(image) != 2 or 0 in np.shape(image):
                raise ValueError(
                    f"slice {name}, {label}: expected rows and columns, found {np.shape(image)}"
                )
        rows, columns = versions[truth].shape
        for label, image in versions.items():
            if image.shape != (rows, columns):
                raise ValueError(
                    f"slice {name}: expected all versions in one size, found {truth} of "
                    f"{rows} x {columns} and {label} of {image.shape[0]} x {image.shape[1]}"
                )
    return (*(label for label in labels if label != truth), truth)


def _window(
    name: str,
    versions: Mapping[str, NDArray[Any]],
    truth: str,
    limits: Mapping[str, tuple[float, float]],
) -> tuple[float, float]:
    low, high = limits[name] if name in limits else contrast_limits(versions[truth])
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"slice {name}: expected a display window low < high, found {low}, {high}")
    return low, high


def _check_replaceable(folder: Path, *, overwrite: bool) -> None:
    if not folder.parent.is_dir():
        raise FileNotFoundError(f"{folder}: the folder {folder.parent} does not exist")
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder}: expected a folder, found a file")
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / STUDY_FILE).is_file():
        raise FileExistsError(f"{folder}: the folder holds something else than a study")
    rated = [path.stem for path in (folder / RATINGS).glob("*.jsonl") if path.stat().st_size]
    if rated:
        raise FileExistsError(
            f"{folder}: a study rated by {', '.join(sorted(rated))} is not replaced; "
            "move it away or choose another folder"
        )
    if not overwrite:
        raise KeptFileError(
            f"{folder}: the study exists, and is kept unless overwriting is asked for"
        )
