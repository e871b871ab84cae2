"""``metasr-mos``: prepare a study of mean opinion scores, and score it.

Between the two, people rate: ``napari-metasr rate STUDY --rater NAME``, or the plugin's
*Rate images (MOS)*.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from numpy.typing import NDArray

from metasr_training.command_line import call_one_of
from metasr_training.datasets.pictures import read_gray
from metasr_training.tables import write_text, writing_together
from napari_metasr.cli.advice import with_advice
from napari_metasr.cli.standard_output import ending_with_its_reader
from napari_metasr.files import keeping
from napari_metasr.geometry.display import as_displayed
from napari_metasr.io import read_volume
from napari_metasr.io.images import is_picture
from napari_metasr.io.names import is_volume_file, stem
from napari_metasr.quality.rating import csv_files, markdown, prepare, read_study, score_study
from napari_metasr.quality.rating.study import IMAGES, KEY_FILE, RATINGS, STUDY_FILE, Interpolation
from napari_metasr.volume import Plane

__all__ = ["choose", "main", "prepare", "read_folders", "score"]


SCORES = ("mos.md", "mos.csv", "agreement.csv", "tests.csv", "ratings.csv")


def choose(names: list[str], count: int, seed: int) -> list[str]:
    """Choose this many names at random, kept in order; all for 0.

    Raises
    ------
    ValueError
        If there are fewer.
    """
    if not 0 <= count <= len(names):
        raise ValueError(f"expected between 1 and {len(names)} slices, or 0 for all, found {count}")
    places = np.random.default_rng(seed).choice(len(names), count or len(names), replace=False)
    return [names[place] for place in sorted(places)]


def read_folders(
    folder: Path, *, slices: int = 0, seed: int = 0
) -> dict[str, dict[str, NDArray[Any]]]:
    """Read a folder that holds one sub-folder a method, with files of the same names in each.

    Parameters
    ----------
    folder
        ``FOLDER/METHOD/SLICE.png`` or another gray picture, or a NIfTI file of one slice, which is
        turned as it is seen in radiological convention. Endings may differ between methods.
    slices
        How many slices to choose at random; 0 for all.
    seed
        Of that choice.

    Returns
    -------
    dict
        Slice name -> method label -> (rows, columns) in the files' units.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no such folder.
    ValueError
        If there are fewer than two methods, a slice is missing in one of them, a file is no
        image, or there are too few slices.
    """
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: expected a folder, found a file")
    methods = {sub.name: _files(sub) for sub in _visible(folder) if sub.is_dir()}
    if len(methods) < 2:
        raise ValueError(
            f"{folder}: expected a sub-folder for the truth and for each method, "
            f"found {', '.join(methods) or 'none'}"
        )
    everything = sorted(set().union(*methods.values()))
    for label, files in methods.items():
        missing = [name for name in everything if name not in files]
        if missing:
            raise ValueError(
                f"{folder / label}: {len(missing)} of {len(everything)} slices are missing, "
                f"the first is {missing[0]}"
            )
    return {
        name: {label: _image(files[name]) for label, files in methods.items()}
        for name in choose(everything, slices, seed)
    }


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _files(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in _visible(folder):
        if not (is_picture(path) or is_volume_file(path)):
            raise ValueError(f"{path}: expected gray pictures or NIfTI files, found another file")
        name = stem(path)
        if name in files:
            raise ValueError(f"{path}: expected one file a slice, found {files[name].name} too")
        files[name] = path
    return files


def _image(path: Path) -> NDArray[Any]:
    if is_picture(path):
        return read_gray(path)
    volume = read_volume(path)
    plane = next((plane for plane in Plane if volume.slice_count(plane) == 1), None)
    if plane is None or volume.time_points > 1:
        raise ValueError(f"{path}: expected one slice, found a volume of {volume.data.shape}")
    return as_displayed(volume.slice(plane))


def prepare_study(
    input: Path,  # noqa: A002
    output: Path,
    slices: int = 0,
    seed: int | None = None,
    truth: str = "truth",
    interpolation: Interpolation = "cubic",
    overwrite: bool = False,
) -> None:
    """Make a blinded, shuffled study from folders of images.

    Parameters
    ----------
    input
        A folder with one sub-folder a method and one for the truth, with files of the same names
        in each: gray pictures, or NIfTI files of one slice.
    output
        The study's folder.
    slices
        How many slices to choose at random; 0 for all.
    seed
        Of choice and shuffling, for doing the same again; keep it from the raters. By default a
        new one, which the sealed key holds.
    truth
        The sub-folder of the truth.
    interpolation
        How the dock upscales pixels to the screen's.
    overwrite
        Replace a study without ratings.
    """
    if seed is None:
        seed = secrets.randbits(32)
    images = read_folders(input, slices=slices, seed=seed)
    with keeping(lambda: [input]):
        study = prepare(
            images,
            output,
            truth=truth,
            seed=seed,
            interpolation=interpolation,
            overwrite=overwrite,
        )
    print(
        f"{output}: study {study.card.id}, {len(study.names)} images of {len(images)} slices; "
        f"rate it with: napari-metasr rate {output} --rater NAME"
    )


def score(study: tyro.conf.Positional[Path], output: Path | None = None) -> None:
    """Open the key, and print the table, the raters' agreement and tests between methods.

    Parameters
    ----------
    study
        The study's folder. That its key was opened is noted in it.
    output
        Where mos.md, mos.csv, agreement.csv, tests.csv and ratings.csv go, older ones being
        replaced; by default the folder scores in the study.
    """
    read_study(study)
    folder = study / "scores" if output is None else output
    read = [study / name for name in (STUDY_FILE, KEY_FILE, IMAGES, RATINGS)]
    with (
        keeping(lambda: read),
        writing_together([folder / name for name in SCORES]) as temporary,
    ):
        found = score_study(study)  # opens the key: in vain where nothing can be written
        texts = {SCORES[0]: markdown(found), **csv_files(found)}
        for path, name in zip(temporary, SCORES, strict=True):
            write_text(path, texts[name])
    print(markdown(found))
    print(f"In {folder}: mos.md and tables as CSV.")


VERBS: dict[str, Callable[..., None]] = {"prepare": prepare_study, "score": score}


@ending_with_its_reader
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    try:
        call_one_of(VERBS, "metasr-mos", "Mean opinion scores of super-resolved images.", arguments)
    except (ValueError, OSError) as error:
        print(f"metasr-mos: {with_advice(error)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
