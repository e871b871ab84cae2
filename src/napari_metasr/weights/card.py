"""The model card: what a network is, what it was trained on, what it is for."""

from __future__ import annotations

from statistics import fmean
from typing import Any, Literal

from pydantic import BaseModel, Field, PositiveFloat

DETECTORS = ("lesion-detector", "lesion-segmenter")
GAINS = "psnr_gain_over_bicubic"
"""Key of a card's results: PSNR gains on whole slices, in dB, by data set, degradation, scale."""

SLACK = 0.05
"""By so much a scale may exceed the trained ones before that is a concern."""

TOLD_NETWORKS = ("meta-srgan-told",)
"""Networks that take how a scan was acquired."""

OTHER_NETWORKS = (*DETECTORS, "discriminator", "critic", "vgg19")


class WeightsError(ValueError):
    """Weights or their card are missing, damaged, or of another network."""


class OperatingPoint(BaseModel, extra="forbid", frozen=True):
    """How a detector's answers are read, chosen on validation data.

    Attributes
    ----------
    threshold
        The score, 0..1, from which a detection counts.
    level
        The value, 0..1, of a dense detector's map from which a pixel belongs to a region.
    margin
        By how much boxes grow on every side: a share of the slice's longer side in mm.
    planes
        The anatomical planes of the volumes seen in training.
    brightness
        Statistic of the intensities inside the head, such as ``0.75`` (a quantile) or
        ``0.99/0.75`` (a quotient of two), to its mean and standard deviation over training
        slices; see ``napari_metasr.lesions.brightness``. Empty if it was not measured.
    """

    threshold: float = Field(ge=0, le=1)
    level: float = Field(gt=0, lt=1)
    margin: float = Field(ge=0, le=1)
    planes: tuple[str, ...] = ("axial",)
    brightness: dict[str, tuple[float, PositiveFloat]] = Field(default_factory=dict)


class ModelCard(BaseModel, extra="forbid", frozen=True):
    """Everything a user should know of a set of weights, stored as JSON beside them.

    Attributes
    ----------
    name, title
        What it is called on the command line, and to people.
    network, options
        Name and options of the builder in ``napari_metasr.networks``.
    parameters
        Number of trained parameters.
    sha256
        Of the safetensors file.
    trained_scales
        Smallest and largest scale seen in training.
    fixed_scales
        The scales that the network gives, where it gives no others.
    axes
        ``both`` of a slice are upscaled, or ``one``: across slices, the other keeping its size.
    trained_contrasts
        Contrasts seen in training, such as ``T1c``.
    degradations
        How low-resolution images were made.
    intensity
        How intensities are brought to the network.
    standardisation
        Mean and standard deviation that are taken out after that.
    untold
        Of a model that is told how scans were acquired: name of the shipped model that takes its
        place where nothing is known; its own weights do where empty.
    detection
        Of a detector: how its answers are read.
    updates, loss, schedule
        How it was trained.
    data
        What on, with licences.
    patients
        Who trained it, as far as that is known: the first digits of a hash of the names of each
        one's data set and of the patient, so that later measurements can tell them from others.
        Whoever can guess the names can tell that they are in it.
    results
        What was measured, on what.
    licence
        Of the weights (SPDX).
    intended_use, limitations, citation
        In words.
    """

    name: str
    title: str
    network: str
    options: dict[str, Any] = Field(default_factory=dict)
    parameters: int
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    trained_scales: tuple[float, float]
    fixed_scales: tuple[int, ...] = ()
    axes: Literal["both", "one"] = "both"
    trained_contrasts: tuple[str, ...]
    degradations: tuple[str, ...]
    intensity: str
    standardisation: tuple[float, PositiveFloat] = (0.0, 1.0)
    untold: str = ""
    detection: OperatingPoint | None = None
    updates: int
    loss: str
    schedule: str
    data: tuple[str, ...]
    patients: tuple[str, ...] = ()
    results: dict[str, Any] = Field(default_factory=dict)
    licence: str
    intended_use: str
    limitations: str
    citation: str

    @property
    def super_resolves(self) -> bool:
        """Whether it super-resolves images, rather than finding something in them."""
        return self.network not in OTHER_NETWORKS

    def concerns(self, scale: float, where: str) -> list[str]:
        """Say what speaks against trusting what it makes at a scale.

        Parameters
        ----------
        scale
            Output over input pixels, the larger one of two axes.
        where
            For the message: along what.
        """
        found, largest = [self.without_guarantee], self.trained_scales[1]
        if scale > largest * (1 + SLACK):
            found.append(
                f"x{scale:.3g} {where} is beyond the x{largest:g} that {self.title} was trained on"
            )
        return [one for one in found if one]

    @property
    def super_resolves_slices(self) -> bool:
        """Whether it super-resolves a slice along both of its axes, as the zoom does."""
        return self.super_resolves and self.axes == "both"

    @property
    def super_resolves_across_slices(self) -> bool:
        """Whether it super-resolves along one axis, from slice to slice."""
        return self.super_resolves and self.axes == "one"

    @property
    def can_be_told(self) -> bool:
        """Whether it takes how a scan was acquired."""
        return self.network in TOLD_NETWORKS

    @property
    def whole_slice_gain(self) -> float | None:
        """Mean PSNR gain over bicubic on whole slices, in dB, as measured; None if it was not."""
        gains = self.results.get(GAINS)
        return fmean(gains.values()) if gains else None

    @property
    def lesions_only(self) -> str:
        """Why it is offered for lesions and marked regions only; empty where it is for all."""
        gain = self.whole_slice_gain
        if gain is None or gain >= 0:
            return ""
        return (
            f"{self.title} is {-gain:.1f} dB below bicubic on whole slices (its model card): it is "
            "offered for lesions and marked rectangles only"
        )

    @property
    def without_guarantee(self) -> str:
        """What to know of the details of a model for lesions only; empty of any other."""
        if not self.lesions_only:
            return ""
        return f"nothing is guaranteed of the details that {self.title} adds"

    @property
    def detects(self) -> bool:
        """Whether it finds tumours."""
        return self.network in DETECTORS


def cannot_be_told(card: ModelCard) -> WeightsError:
    """Return the error of telling a model how a scan was acquired that does not take it."""
    return WeightsError(f"{card.title} cannot be told how a scan was acquired")
