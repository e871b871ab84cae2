"""What the training tests share: slices drawn from numbers, and a small data folder."""

from __future__ import annotations

import csv

import nibabel
import numpy as np
from PIL import Image

from metasr_training.datasets.pair_config import PairConfig
from metasr_training.datasets.slices import Slice
from metasr_training.loop import Trainer
from metasr_training.run_folder import RunFolder
from metasr_training.stage import RateRule, Stage
from metasr_training.tasks.super_resolution import SuperResolution
from metasr_training.telemetry import Telemetry
from metasr_training.train_config import TrainConfig

PAIRS = PairConfig(batch=2, patch=24, canvas=64, scales=(2.0,))
SRGAN = {"features": 8, "blocks": 1, "scale": 2}


def disc(seed, shape=(60, 50), lesion=True):
    """An 8-bit slice with a textured disc and a bright lesion in it, and the lesion's mask."""
    rng = np.random.default_rng(seed)
    rows, columns = shape
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    texture = 120 + 40 * (np.sin(9 * y + seed) + np.cos(8 * x)) + rng.normal(0, 5)
    image = np.where(y**2 + x**2 < 0.8, texture, 0)
    centre = rng.uniform(-0.35, 0.35, 2)
    mask = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < 0.04
    mask &= lesion
    return np.where(mask, 240, image).clip(0, 255).astype(np.uint8), mask


def slices(count=4):
    """Slices of as many patients."""
    found = []
    for seed in range(count):
        image, mask = disc(seed)
        found.append(Slice(image, (0.0, 200.0), "disc", str(seed), str(seed), mask))
    return found


def config(**changes):
    """A run of a small SRGAN, 12 updates of L1, checkpoints every 4."""
    values = {
        "name": "small",
        "recipe": "srgan",
        "preset": "smoke",
        "network": "srgan",
        "options": SRGAN,
        "pairs": PAIRS,
        "stages": (Stage(name="l1", updates=12, losses={"l1": 1}, rate=RateRule(initial=1e-3)),),
        "log_every": 1,
        "validate_every": 6,
        "checkpoint_every": 4,
        "validation_batches": 2,
        "precision": "float32",
    }
    return TrainConfig(**(values | changes))


def losses(folder, name="loss/l1"):
    """A loss of every logged update of a run folder."""
    return {line["update"]: line[name] for line in RunFolder(folder).history() if name in line}


def write_data(folder, patients=3, shape=(64, 60)):
    """A data folder: a few volumes and pictures of each kind, split by patient."""
    tcga = folder / "tumour-slices" / "tcga-lgg"
    rows = []
    for split, seeds in (("train", range(patients)), ("val", range(90, 92)), ("test", [99])):
        (tcga / split).mkdir(parents=True, exist_ok=True)
        for seed in seeds:
            drawn = [disc(seed * 10 + k, shape, lesion=k < 4) for k in range(6)]
            for kind, index in (("t1ce", 0), ("mask", 1)):
                volume = np.stack([one[index].T for one in drawn], axis=2).astype(np.uint8)
                image = nibabel.nifti1.Nifti1Image(volume, np.eye(4))
                nibabel.nifti1.save(image, tcga / split / f"P{seed}_{kind}.nii.gz")
            rows.append({"patient": f"P{seed}", "split": split})
    with (tcga / "patients.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["patient", "split"])
        table.writeheader()
        table.writerows(rows)
    natural = folder / "natural" / "set"
    natural.mkdir(parents=True)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        coarse = rng.integers(0, 255, (10, 12, 3), np.uint8)
        Image.fromarray(coarse).resize((96, 80)).save(natural / f"{seed:02d}.png")
    return folder


def write_scans(folder, patients, contrast="FLAIR", shape=(64, 60)):
    """Volumes of four slices that are named after their patients."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(patients):
        volume = np.stack([disc(seed * 10 + k, shape)[0].T for k in range(4)], axis=2)
        image = nibabel.nifti1.Nifti1Image(volume, np.eye(4))
        nibabel.nifti1.save(image, folder / f"P{seed}_{contrast}.nii.gz")
    return folder


def trainer(folder, **changes):
    run = config(**changes)
    found = slices(5)
    task = SuperResolution(run, {"mri": found[:4]}, found[4:])
    return Trainer(run, task, RunFolder(folder))


def train(one):
    telemetry = Telemetry(one.folder, update=one.update)
    one.run(telemetry)
    telemetry.close()
    return one


def game(name, **changes):
    rate = RateRule(initial=1e-3)
    terms = {"mse": 1, "adversarial": 0.01}
    return Stage(name="game", updates=6, losses=terms, game=name, rate=rate, **changes)
