"""The kinds of files that `fuzz.py` damages: a valid one of each, and what reads it."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom

from napari_metasr import weights
from napari_metasr.cli import main
from napari_metasr.files import file_sha256
from napari_metasr.io import read, write_volume
from napari_metasr.io.names import WRITTEN_SUFFIXES
from napari_metasr.lesions.document import Finder
from napari_metasr.lesions.files import read_rois, write_rois
from napari_metasr.lesions.labelled import lesions_in
from napari_metasr.quality.rating import RatingSheet, prepare, read_study, score_study
from napari_metasr.quality.rating.key import OPENED_FILE
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.options import UpscaleOptions
from napari_metasr.volume import Plane, Source
from napari_metasr.weights import load_network, model_card
from napari_metasr.weights.store import shipped_names

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = tuple[Path, Callable[[], object]]
    """A valid file, and what reads it."""

DICOM = Path(pydicom.__file__).parent / "data" / "test_files"
SHAPE = (3, 12, 14)
SCALE = (2.0, 2.0, 1.0)
INTERRUPTED_AFTER = 3
"""Parts of the work that are done before it is left."""


class PartialOutputError(Exception):
    """Files were left that are not whole, or differ from what undamaged work gives."""


def volume(suffix: str, folder: Path) -> Made:
    """Make a volume's file."""
    path = folder / f"scan{suffix}"
    data = np.random.default_rng(0).integers(0, 999, SHAPE).astype(np.int16)
    source = Source("scan", affine=np.diag([-1.0, -1.1, 2.5, 1.0]), orientation="LPS")
    write_volume(path, data, np.diag([1.0, 1.1, 2.5, 1.0]), source)
    return path, lambda: read(path)


def dicom(name: str, folder: Path) -> Made:
    """Copy a DICOM file that pydicom comes with."""
    path = Path(shutil.copy(DICOM / name, folder / name))
    return path, lambda: read(path)


def regions(folder: Path) -> Made:
    """Write regions of lesions, as `detect` does."""
    scan, path = read(volume(".nii", folder)[0]), folder / "rois.json"
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:, 3:7, 4:9] = 1
    write_rois(path, scan, lesions_in(labels, Plane.AXIAL), Finder(kind="person", name="reader"))
    return path, lambda: read_rois(path, scan)


def _model(folder: Path) -> Path:
    shipped = Path(weights.__file__).parent
    name = min(shipped_names(), key=lambda one: (shipped / f"{one}.safetensors").stat().st_size)
    for ending in (".safetensors", ".json"):
        shutil.copy(shipped / f"{name}{ending}", folder / f"model{ending}")
    return folder / "model.safetensors"


def card(folder: Path) -> Made:
    """Copy a model's card."""
    model = _model(folder)
    return model.with_suffix(".json"), lambda: model_card(model)


def network(folder: Path) -> Made:
    """Copy a model's weights; its card is made to name them, or their hash would refuse all."""
    model = _model(folder)
    told = json.loads(model.with_suffix(".json").read_bytes())

    def act() -> None:
        told["sha256"] = file_sha256(model)
        model.with_suffix(".json").write_text(json.dumps(told))
        load_network(model)

    return model, act


def sidecar(folder: Path) -> Made:
    """Make the record of an upscaled volume, which is replayed."""
    scan, output = volume(".nii", folder)[0], folder / "out" / "again.nii"
    made = _upscale(scan, folder / "made.nii")
    path, voxels = made.with_suffix(".json"), made.read_bytes()
    output.parent.mkdir()

    def act() -> None:
        try:
            _command("replay", path, "--input", scan, "--output", output)
        except ValueError:
            _check_empty(output.parent)
            raise
        finally:
            whole = {file.name: file.read_bytes() for file in output.parent.iterdir()}
            shutil.rmtree(output.parent)
            output.parent.mkdir()
        if len(whole[output.name]) < len(voxels) // 4 or not json.loads(whole["again.json"]):
            raise PartialOutputError(str(sorted(whole)))

    return path, act


def unfinished(name: str, folder: Path) -> Made:
    """Make a file of unfinished work, which is resumed."""
    scan, output = volume(".nii", folder)[0], folder / "out.nii"
    expected = _upscale(scan, folder / "expected.nii").read_bytes()
    steps = _job(scan, output).prepare().steps()
    for _, _ in zip(steps, range(INTERRUPTED_AFTER), strict=False):
        pass
    steps.close()  # type: ignore[attr-defined]
    left, kept = folder / f".{output.name}.unfinished", folder / "kept"
    shutil.copytree(left, kept)

    def act() -> None:
        damaged = (left / name).read_bytes()
        shutil.rmtree(left)
        shutil.copytree(kept, left)
        (left / name).write_bytes(damaged)
        files = {output, output.with_suffix(".json")}
        try:
            _command("upscale", scan, "--scale", "2,2,1", "--output", output, "--resume")
            if output.read_bytes() != expected:
                raise PartialOutputError("other voxels than those of undamaged work")
        except ValueError:
            if any(file.exists() for file in files):
                raise PartialOutputError("an output of work that was refused") from None
            raise
        finally:
            for file in files:
                file.unlink(missing_ok=True)
            left.mkdir(exist_ok=True)

    return left / name, act


def study(name: str, folder: Path) -> Made:
    """Make a file of a rating study, which is read and scored."""
    rng = np.random.default_rng(0)
    images = {
        name: {method: rng.uniform(0, 200, (16, 16)) for method in ("bicubic", "network", "truth")}
        for name in ("a", "b")
    }
    prepare(images, folder / "study", seed=1, limits=dict.fromkeys(images, (0.0, 200.0)))
    made = read_study(folder / "study")
    for rater in ("ann", "ben"):
        with RatingSheet(made, rater, scripted=True) as sheet:
            for number, image in enumerate(made.names):
                sheet.write(image, (number + len(rater)) % 5)
    score_study(folder / "study")
    opened = (folder / "study" / OPENED_FILE).read_bytes()

    def act() -> None:
        try:
            score_study(folder / "study")
        finally:
            if name != OPENED_FILE:
                (folder / "study" / OPENED_FILE).write_bytes(opened)

    return folder / "study" / name, act


def _job(scan: Path, output: Path) -> Job:
    return Job(input=scan, output=output, options=UpscaleOptions(scale=SCALE), device="cpu")


def _upscale(scan: Path, output: Path) -> Path:
    for _ in _job(scan, output).prepare().steps():
        pass
    return output


def _command(*words: object) -> None:
    """Run a verb; its one line becomes an error."""
    shown, started = io.StringIO(), time.perf_counter()
    with contextlib.redirect_stderr(shown), contextlib.redirect_stdout(io.StringIO()):
        code = main([*map(str, words)])
    if time.perf_counter() - started > 60:
        raise TimeoutError("a minute for a volume of a few voxels\nis a hang")
    lines = shown.getvalue().replace("\r", "\n").splitlines()
    errors = [line for line in lines if "error: " in line]
    if code:
        raise ValueError("\n".join(errors) if len(errors) == 1 else f"{len(errors)} errors\n!")


def _check_empty(folder: Path) -> None:
    if names := sorted(file.name for file in folder.iterdir()):
        raise PartialOutputError(f"left by work that was refused: {', '.join(names)}")


KINDS: dict[str, Callable[[Path], Made]] = {
    **{suffix: functools.partial(volume, suffix) for suffix in WRITTEN_SUFFIXES},
    **{name: functools.partial(dicom, name) for name in ("MR_small.dcm", "MR_small_RLE.dcm")},
    "regions": regions,
    "card": card,
    "weights": network,
    "sidecar": sidecar,
    "journal": functools.partial(unfinished, "journal.json"),
    "unfinished": functools.partial(unfinished, "output.raw"),
    "study": functools.partial(study, "study.json"),
    "key": functools.partial(study, "key.json"),
    "ratings": functools.partial(study, "ratings/ann.jsonl"),
}
