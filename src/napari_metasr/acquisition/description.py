"""A scan's acquisition in numbers and in sentences; what cannot be told says so."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from napari_metasr.io.contrast import GUESSED

UNKNOWN = "cannot tell"
"""Said of everything that the scan does not show."""

ToldBy = Literal["spectrum", "header"]

Direction = Literal["left-right", "posterior-anterior", "inferior-superior", "rows", "columns"]


class AxisAcquisition(BaseModel, extra="forbid", frozen=True):
    """One axis of a scan.

    Attributes
    ----------
    direction
        Where it runs in the patient; ``rows`` and ``columns`` of a plain image.
    stored, spacing
        Samples in the file, and mm (or pixels) between them.
    acquired
        Samples that the acquisition amounts to; None where that cannot be told.
    told_by
        What tells it.
    blur
        Full width at half maximum of a Gaussian that explains the roll-off within the acquired
        band, in acquired pixels; a rough figure.
    """

    direction: Direction
    stored: int
    spacing: float
    acquired: int | None = None
    told_by: ToldBy | None = None
    blur: float | None = None

    @property
    def interpolated(self) -> bool:
        """Whether more samples are stored than were acquired."""
        return self.acquired is not None and self.acquired < self.stored

    @property
    def acquired_spacing(self) -> float | None:
        """Mm between samples as they were acquired."""
        return self.acquired and self.spacing * self.stored / self.acquired

    def true_scale(self, scale: float) -> float:
        """Return the factor by which a scale on the stored grid exceeds the acquired resolution."""
        return scale * (self.acquired or self.stored) / self.stored


class NoiseLevel(BaseModel, extra="forbid", frozen=True):
    """The noise of a scan.

    Attributes
    ----------
    sigma
        Standard deviation of the real and of the imaginary part, in intensity units.
    share
        That as a share of the intensity range (0.1 to 99.9 percentiles).
    told_by
        ``air``, or ``tissue``, where texture may be counted as well.
    """

    sigma: float
    share: float
    told_by: Literal["air", "tissue"]


class Acquisition(BaseModel, extra="forbid", frozen=True):
    """What is known of how a scan was acquired.

    Attributes
    ----------
    rows, columns
        Of the plane that it was acquired in, or is looked at in.
    slices
        The axis across them; None of a plain image.
    noise, intensity_range
        In the scan's units; None where they cannot be told.
    contrast, contrast_told_by
        Among `GUESSED`, and whether a person, the header or a name tells it.
    remarks
        Which volume of a series was looked at; what the header tells besides: interpolation, a
        vendor's learned reconstruction.
    """

    rows: AxisAcquisition
    columns: AxisAcquisition
    slices: AxisAcquisition | None = None
    noise: NoiseLevel | None = None
    intensity_range: tuple[float, float] | None = None
    contrast: Literal["T1c", "T1", "T2", "FLAIR", "PD"] | None = None
    contrast_told_by: Literal["you", "header", "name"] | None = None
    remarks: tuple[str, ...] = ()

    @property
    def resolution(self) -> str:
        """One line: what is stored, what was acquired, and what a scale of 2 truly is then."""
        stored = f"stored {self.rows.stored} x {self.columns.stored}"
        both = self.rows, self.columns
        if all(axis.acquired is None for axis in both):
            return f"{stored}, acquired resolution: {UNKNOWN}"
        acquired = " x ".join(str(axis.acquired or "?") for axis in both)
        if not any(axis.interpolated for axis in both):
            return (
                f"{stored}, acquired alike"
                if "?" not in acquired
                else (f"{stored}, acquired {acquired}")
            )
        truly = " and ".join(
            f"x2 along {name} is truly x{axis.true_scale(2):.3g}"
            for name, axis in (("rows", self.rows), ("columns", self.columns))
            if axis.interpolated
        )
        return f"{stored}, acquired about {acquired}: {truly}"

    @property
    def lines(self) -> tuple[str, ...]:
        """Everything, a line each, as it is printed and recorded."""
        return (
            self.resolution,
            *(() if self.slices is None else (f"slices: {self._slices(self.slices)}",)),
            f"blur: {self._blur()}",
            f"noise: {self._noise()}",
            f"contrast: {self._contrast()}",
            *self.remarks,
        )

    @staticmethod
    def _slices(axis: AxisAcquisition) -> str:
        stored = f"{axis.stored}, {axis.spacing:.3g} apart"
        if not axis.interpolated:
            return stored
        return f"{stored}, acquired about {axis.acquired}, {axis.acquired_spacing:.3g} apart"

    def _blur(self) -> str:
        if self.rows.blur is None and self.columns.blur is None:
            return UNKNOWN
        found = [
            "?" if one is None else f"{one:.1f}" for one in (self.rows.blur, self.columns.blur)
        ]
        return f"about {' x '.join(found)} acquired pixels (FWHM, rough)"

    def _noise(self) -> str:
        if self.noise is None:
            return UNKNOWN
        where = "in the air" if self.noise.told_by == "air" else "in flat tissue, at most"
        return (
            f"sigma {self.noise.sigma:.3g}, {self.noise.share:.1%} of the intensity range ({where})"
        )

    def _contrast(self) -> str:
        if self.contrast is None:
            return f"{UNKNOWN} (expected one of {', '.join(GUESSED)})"
        told = {"you": "stated", "header": "by the header", "name": "by the name", None: ""}
        return f"{self.contrast} ({told[self.contrast_told_by]})"
