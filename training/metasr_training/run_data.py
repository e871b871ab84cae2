"""The slices of a run: what its networks are trained and validated with, and that it stays so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from metasr_training.beginning import begun, check_patients
from metasr_training.cards import contrasts_of
from metasr_training.datasets.cache import default_folder
from metasr_training.datasets.slices import load_slices, some_of_each, split_entries
from metasr_training.datasets.split_files import names_of

if TYPE_CHECKING:
    from pathlib import Path

    from metasr_training.datasets.readers import Unreadable
    from metasr_training.datasets.slices import Domain, Slice, Split
    from metasr_training.datasets.split_files import Patient
    from metasr_training.run_folder import RunFolder
    from metasr_training.train_config import TrainConfig

PARTS: dict[str, tuple[Split, Domain]] = {
    "train": ("train", "mri"),
    "val": ("val", "mri"),
    "natural": ("train", "natural"),
}
"""What a network takes of the data, by the names that ``config.json`` has for it."""


class RunData:
    """A data folder, split as a run has it; each of its parts is read once.

    Parameters
    ----------
    data
        The data folder, or a packed file.
    split_file
        Which patients train, validate and test; while there is no such file they are drawn.
    unreadable
        What to do with a file that cannot be read: ``stop``, or name and ``skip`` it.
    read
        Gives the slices of a split and a domain, with or without other contrasts; by default those
        of the data folder.
    """

    def __init__(
        self,
        data: Path,
        split_file: Path,
        *,
        unreadable: Unreadable = "stop",
        read: Callable[[Split, Domain, bool], list[Slice]] | None = None,
    ) -> None:
        self.data = data
        self.split_file = split_file
        self.unreadable = unreadable
        self.slices = cache(read or self._read)
        self._part = cache(self._some_slices)
        self._digest = cache(self._digest_of_part)

    def _read(self, split: Split, domain: Domain, contrasts: bool) -> list[Slice]:
        return load_slices(
            self.data,
            split,
            domain=domain,
            unreadable=self.unreadable,
            split_file=self.split_file if self.split_file.exists() else None,
            cache=default_folder(),
            contrasts=contrasts,
        )

    def _some_slices(self, part: str, contrasts: bool, count: int) -> list[Slice]:
        split, domain = PARTS[part]
        return some_of_each(self.slices(split, domain, contrasts and domain == "mri"), count)

    def _digest_of_part(self, part: str, contrasts: bool, count: int) -> str:
        return digest(self._part(part, contrasts, count))

    def forget(self) -> None:
        """Let go of the slices that were read, so that those of other seeds have room."""
        self.slices.cache_clear()
        self._part.cache_clear()

    def keep_split(self) -> None:
        """Write the split of the patients, unless it is kept already."""
        if not self.split_file.exists():
            split_entries(self.data, self.split_file)

    def has(self, domain: Domain) -> bool:
        """Return whether there are images to train on.

        Raises
        ------
        FileNotFoundError
            If there is no MRI, without which nothing is trained.
        """
        try:
            return bool(self.slices("train", domain, False))
        except FileNotFoundError:
            if domain == "mri":
                raise
            return False

    def images(self, config: TrainConfig) -> dict[str, list[Slice]]:
        """Return the slices that a network draws from, by the names of `PARTS`.

        Raises
        ------
        FileNotFoundError, ValueError
            As `metasr_training.datasets.slices.load_slices`; or if a patient is on both sides.
        """
        chosen = config.contrasts, config.slices_per_source
        found = {part: self._part(part, *chosen) for part in _parts(config)}
        check_patients(found["train"], found["val"])
        return found

    def about(
        self, config: TrainConfig, patients: Mapping[str, Iterable[Patient]]
    ) -> dict[str, Any]:
        """Describe what a network is trained and validated with, for its ``config.json``.

        ``split`` has the patients as ``SOURCE/PATIENT``, ``contrasts`` those of the slices that
        train, ``data`` a digest of the slices of each part.

        Parameters
        ----------
        config
            Of the network.
        patients
            Source and patient of the slices that its task has a use for, by split.
        """
        train = set(patients["train"])
        used = [one for one in self.images(config)["train"] if (one.source, one.patient) in train]
        chosen = config.contrasts, config.slices_per_source
        return {
            "split": {
                split: sorted("/".join(one) for one in found) for split, found in patients.items()
            },
            "contrasts": contrasts_of(used),
            "data": {part: self._digest(part, *chosen) for part in _parts(config)},
        }

    def check(self, folder: RunFolder, config: TrainConfig) -> None:
        """Refuse to go on with a network, or to take it as it is, where its data has changed.

        A network that was begun by an older version says nothing of its data.

        Raises
        ------
        ValueError
            If slices are others than it was begun with; patients that are missing are named.
        """
        about = begun(folder) or {}
        chosen = config.contrasts, config.slices_per_source
        for part, before in about.get("data", {}).items():
            if self._digest(part, *chosen) == before:
                continue
            there = {f"{one.source}/{one.patient}" for one in self._part(part, *chosen)}
            missing = sorted(set(about["split"].get(part, ())) - there)
            found = names_of((one.rpartition("/")[0], one.rpartition("/")[2]) for one in missing)
            raise ValueError(
                f"expected the {part} images that {folder.path} was begun with, found "
                + (f"none of {found}" if missing else "others")
            )


def _parts(config: TrainConfig) -> list[str]:
    natural = any(stage.domain == "natural" for stage in config.stages)
    return [part for part in PARTS if natural or part != "natural"]


def digest(slices: Iterable[Slice]) -> str:
    """Compute a digest of slices: their names, pixels, masks and intensity ranges."""
    found = hashlib.blake2b(digest_size=16)
    for one in slices:
        low, high = one.intensity_range
        found.update(f"\0{one.key} {one.image.shape} {low:.6g} {high:.6g}\0".encode())
        found.update(np.ascontiguousarray(one.image, "<f4").data)
        if one.mask is not None:
            found.update(np.packbits(one.mask).data)
    return found.hexdigest()
