"""Where a result comes from: the input's identity, the models, the versions, one hash of all."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from napari_metasr import __version__
from napari_metasr.io.unchanged import check_unchanged, stamps_of
from napari_metasr.upscaling.sidecar import ModelRecord

if TYPE_CHECKING:
    from napari_metasr.io.protocols import VolumeReader
    from napari_metasr.upscaling.parts import Part
    from napari_metasr.upscaling.plan import Plan

PACKAGES = ("numpy", "torch", "numba", "nibabel", "scipy")


@dataclass(frozen=True)
class Input:
    """An input with its identity.

    Attributes
    ----------
    volume
        Reads it.
    sha256
        Hash of its content.
    names
        Names under which records mention it; () if they may not.
    stamps
        Sizes and times of its files, from before they were read for the hash.
    """

    volume: VolumeReader
    sha256: str
    names: tuple[str, ...]
    stamps: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, volume: VolumeReader, *, named: bool = True) -> Input:
        """Identify an input, which is read once for its hash.

        Parameters
        ----------
        volume
            Reads it.
        named
            Let records mention its names, if it may be named at all.
        """
        stamps = stamps_of(volume.files)
        return cls(volume, volume.sha256(), volume.record_names if named else (), stamps)

    def check_unchanged(self) -> None:
        """Refuse an input whose files have changed since they were hashed.

        Raises
        ------
        ValueError
            If one has.
        """
        check_unchanged(self.volume.path, self.volume.files, self.stamps)


def versions() -> dict[str, str]:
    """Return the versions of the packages that compute a result."""
    found = {name: version(name) for name in PACKAGES}
    return {"napari-metasr": __version__, "python": platform.python_version(), **found}


def model_records(plan: Plan) -> tuple[ModelRecord, ...]:
    """Describe the networks of a plan as the sidecar has them."""
    return tuple(
        ModelRecord(
            name=card.name,
            title=card.title,
            sha256=card.sha256,
            degradations=card.degradations,
            trained_scales=card.trained_scales,
            trained_contrasts=card.trained_contrasts,
        )
        for card in plan.cards
    )


def fingerprint(plan: Plan, input_sha256: str) -> str:
    """Hash everything that decides a result, and how the work is cut up.

    Unfinished work is resumed only under the same hash.
    """
    decisions = [plan.options.recorded.model_dump_json(), input_sha256, plan.device]
    decisions += ["tissue continued"] if plan.tissue_continued else []
    decisions += ["own ranges"] if plan.own_ranges and plan.volume.time_points > 1 else []
    decisions += [] if plan.search is None else [f"search {plan.search.sha256}"]
    decisions += [card.sha256 for card in plan.cards]
    decisions += [f"{name} {number}" for name, number in sorted(versions().items())]
    decisions += map(_text, plan.parts)
    return hashlib.sha256("\n".join(decisions).encode()).hexdigest()


def _text(part: Part) -> str:
    grid = part.run.grid
    axes = " ".join(
        f"{axis.input}:{axis.output}:{axis.exact_step}" for axis in (grid.rows, grid.columns)
    )
    return f"{part.run.kind.value} {part.run.axes} {axes} {part.time} {part.first} {part.last}"
