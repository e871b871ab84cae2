"""What the papers claim, as data: ``claims.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter, model_validator

CLAIMS = Path(__file__).with_name("claims.toml")


class Side(BaseModel, extra="forbid", frozen=True):
    """A row of an experiment's table: a method under a condition."""

    method: str
    condition: str

    def __str__(self) -> str:
        """Return the method and its condition as text."""
        return f"{self.method} ({self.condition})"


class _Claim(BaseModel, extra="forbid", frozen=True):
    """What every claim has.

    Attributes
    ----------
    id
        Short name: M for Meta-SRGAN, L for LFSR, G for MS-GAN.
    source
        Paper, and table, figure or section.
    text
        The claim in one sentence.
    published
        The figures that the paper prints for it.
    experiment
        The experiment whose evaluation answers it.
    """

    id: str
    source: str
    text: str
    published: str
    experiment: str


class PairedClaim(_Claim, frozen=True):
    """One method is above another on the same images.

    It is tested that ``greater - factor * lesser - offset`` is positive, with the patient as the
    unit: Wilcoxon's signed-rank test on the patients' means.

    Attributes
    ----------
    metric
        A column of the evaluation's ``scores.csv``.
    greater, lesser
        The two rows.
    factor, offset
        1 and 0 for a plain ordering; a factor of 1.2 claims a gain of 20 %, a negative offset
        that the first is lower by no more than that.
    """

    kind: Literal["paired"]
    metric: str
    greater: Side
    lesser: Side
    factor: float = 1.0
    offset: float = 0.0


class RatioClaim(_Claim, frozen=True):
    """A measured quantity is at least so many times another one; no test, there is one value.

    Attributes
    ----------
    column
        Of the evaluation's ``table.csv``.
    greater, lesser
        The two rows.
    at_least, at_most
        Bounds of the ratio within which the claim holds.
    """

    kind: Literal["ratio"]
    column: str
    greater: Side
    lesser: Side
    at_least: float
    at_most: float = float("inf")

    @model_validator(mode="after")
    def _check(self) -> RatioClaim:
        if not 0 < self.at_least <= self.at_most:
            raise ValueError(
                f"expected positive bounds in order, found {self.at_least} and {self.at_most}"
            )
        return self


class ShareClaim(_Claim, frozen=True):
    """A share of images is at least what the paper prints.

    It is reproduced where the lower end of Wilson's 95 % interval is not below the published
    share, not reproduced where the upper end is below it, and open between. Images of a patient
    resemble each other: the interval is as wide as `metasr_training.claims.verdict.worth` says.

    Attributes
    ----------
    metric, reaches
        A column of the evaluation's ``scores.csv``, and from which value on an image counts.
    row
        The method and its condition.
    at_least
        The published share.
    """

    kind: Literal["share"]
    metric: str
    reaches: float
    row: Side
    at_least: Annotated[float, Field(ge=0, le=1)]


Claim = Annotated[PairedClaim | RatioClaim | ShareClaim, Field(discriminator="kind")]


@cache
def claims() -> tuple[PairedClaim | RatioClaim | ShareClaim, ...]:
    """Return all claims of ``claims.toml``, in its order.

    Raises
    ------
    ValueError
        If the file is damaged, or two claims share an id.
    """
    with CLAIMS.open("rb") as file:
        found = TypeAdapter(list[Claim]).validate_python(tomllib.load(file)["claim"])
    ids = [claim.id for claim in found]
    if len(set(ids)) < len(ids):
        raise ValueError(f"{CLAIMS}: expected one claim for each id, found {sorted(ids)}")
    return tuple(found)
