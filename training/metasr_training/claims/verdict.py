"""From measured scores to a verdict: reproduced, not reproduced, or open."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from metasr_training.claims.claim import PairedClaim, RatioClaim, ShareClaim, Side
from napari_metasr.quality.statistics import holm, signed_rank_balance, signed_rank_p

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metasr_training.claims.claim import Claim
    from metasr_training.claims.evidence import Evidence, Pairs

ALPHA = 0.05
"""Significance level, after Holm's correction over all claims that were tested."""

LEAST_PATIENTS = 6
"""Patients below which no two-sided signed-rank test can reach the level."""

Z_95 = 1.959964
"""Normal quantile of Wilson's 95 % interval."""


class ClaimOutcome(StrEnum):
    """What the measurements say of a claim."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced"
    OPEN = "open"


@dataclass(frozen=True)
class Verdict:
    """A claim with what was measured.

    Attributes
    ----------
    claim
        The claim.
    outcome
        `ClaimOutcome`.
    effect
        What was measured, as text; empty where nothing was.
    reason
        Why a claim is open; empty otherwise.
    images, patients
        How many took part.
    p
        Two-sided p of the paired test, corrected; NaN where there is no test.
    updates
        Updates of both sides, as text.
    """

    claim: Claim
    outcome: ClaimOutcome
    effect: str = ""
    reason: str = ""
    images: int = 0
    patients: int = 0
    p: float = math.nan
    updates: str = ""


def judge(claims: Sequence[Claim], evidence: Mapping[str, Evidence]) -> list[Verdict]:
    """Judge claims by the evaluations of their experiments.

    Parameters
    ----------
    claims
        In the order of the verdicts.
    evidence
        By experiment; a claim whose experiment is not there is open.

    Returns
    -------
    list of Verdict
        Paired tests are corrected together: Holm 1979, over all claims that have a test.
    """
    found = [_measured(claim, evidence.get(claim.experiment)) for claim in claims]
    tested = [place for place, one in enumerate(found) if not math.isnan(one.p)]
    for place, p in zip(tested, holm([found[place].p for place in tested]), strict=True):
        found[place] = _decided(replace(found[place], p=p))
    return found


def _measured(claim: Claim, evidence: Evidence | None) -> Verdict:
    if evidence is None:
        return Verdict(claim, ClaimOutcome.OPEN, reason=f"{claim.experiment} was not evaluated")
    if isinstance(claim, PairedClaim):
        return _paired(claim, evidence)
    if isinstance(claim, RatioClaim):
        return _ratio(claim, evidence)
    return _share(claim, evidence)


def _paired(claim: PairedClaim, evidence: Evidence) -> Verdict:
    pairs = evidence.pairs(claim.metric, claim.greater, claim.lesser)
    if not len(pairs.patients):
        return Verdict(
            claim,
            ClaimOutcome.OPEN,
            reason=f"no {claim.metric} of {claim.greater} and {claim.lesser}",
        )
    margins = patient_means(pairs, claim.factor, claim.offset)
    greater, lesser = pairs.greater.mean(), pairs.lesser.mean()
    verdict = Verdict(
        claim,
        ClaimOutcome.OPEN,
        effect=f"{greater:.4g} against {lesser:.4g} ({greater - lesser:+.3g})",
        images=len(pairs.patients),
        patients=len(margins),
        updates=_updates(evidence, claim.greater, claim.lesser),
    )
    if len(margins) < LEAST_PATIENTS:
        return replace(
            verdict, reason=f"{len(margins)} patients, a test needs {LEAST_PATIENTS} or more"
        )
    ahead = signed_rank_balance(list(margins)) > 0
    if ahead != (margins.mean() > 0):  # the means alone would say the opposite
        held = f"{np.count_nonzero(margins > 0)} of {len(margins)} patients"
        verdict = replace(verdict, effect=f"{verdict.effect}; it holds in {held}")
    return replace(verdict, p=signed_rank_p(list(margins)), reason="for" if ahead else "against")


def patient_means(pairs: Pairs, factor: float, offset: float) -> np.ndarray:
    """Return ``greater - factor * lesser - offset``, averaged over each patient's images."""
    groups: dict[str, list[float]] = defaultdict(list)
    margins = pairs.greater - factor * pairs.lesser - offset
    for patient, margin in zip(pairs.patients, margins, strict=True):
        groups[patient].append(float(margin))
    return np.array([np.mean(group) for group in groups.values()])


def _decided(verdict: Verdict) -> Verdict:
    """Turn a corrected p and its direction into an outcome."""
    if not verdict.p < ALPHA:
        return replace(verdict, reason="no significant difference")
    held = verdict.reason == "for"
    return replace(
        verdict, outcome=ClaimOutcome.REPRODUCED if held else ClaimOutcome.NOT_REPRODUCED, reason=""
    )


def _ratio(claim: RatioClaim, evidence: Evidence) -> Verdict:
    greater = evidence.value(claim.column, claim.greater)
    lesser = evidence.value(claim.column, claim.lesser)
    if greater is None or not lesser:
        return Verdict(
            claim,
            ClaimOutcome.OPEN,
            reason=f"no {claim.column} of {claim.greater} and {claim.lesser}",
        )
    ratio = greater / lesser
    held = claim.at_least <= ratio <= claim.at_most
    return Verdict(
        claim,
        ClaimOutcome.REPRODUCED if held else ClaimOutcome.NOT_REPRODUCED,
        effect=f"{ratio:.3g} times",
        updates=_updates(evidence, claim.greater, claim.lesser),
    )


def _share(claim: ShareClaim, evidence: Evidence) -> Verdict:
    scores = evidence.by_image(claim.metric, claim.row)
    if not scores:
        return Verdict(claim, ClaimOutcome.OPEN, reason=f"no {claim.metric} of {claim.row}")
    patients: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for (source, patient, _), score in scores.items():
        patients[source, patient].append(score >= claim.reaches)
    groups = list(patients.values())
    share = sum(map(sum, groups)) / len(scores)
    low, high = wilson_interval(share, worth(groups))
    verdict = Verdict(
        claim,
        ClaimOutcome.OPEN,
        effect=f"{share:.1%} ({low:.1%} to {high:.1%})",
        images=len(scores),
        patients=len(groups),
        updates=_updates(evidence, claim.row),
    )
    if low >= claim.at_least:
        return replace(verdict, outcome=ClaimOutcome.REPRODUCED)
    if high < claim.at_least:
        return replace(verdict, outcome=ClaimOutcome.NOT_REPRODUCED)
    return replace(verdict, reason="the interval holds the published share")


def worth(patients: Sequence[Sequence[bool]]) -> float:
    """Return how many independent images the images of patients are worth for their share.

    The variance of a share of independent images, ``p (1 - p) / n``, set equal to the variance
    between patients of ``sum(a_i) / sum(m_i)``, patient i having a_i of m_i images (the ratio
    estimator; Cochran 1977, Sampling Techniques, eq. 3.31). Never more than the images; as many
    as there are patients where patients do not differ at all, or there is one alone.
    """
    counts = np.array([len(one) for one in patients], np.float64)
    held = np.array([sum(one) for one in patients], np.float64)
    share = held.sum() / counts.sum()
    between = np.square(held - share * counts).sum()
    if len(patients) < 2 or between == 0:
        return float(len(patients))
    variance = between / counts.sum() ** 2 * len(patients) / (len(patients) - 1)
    return float(min(share * (1 - share) / variance, counts.sum()))


def wilson_interval(share: float, count: float) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share of ``count`` (Wilson 1927, JASA 22)."""
    spread = Z_95**2 / count
    centre = (share + spread / 2) / (1 + spread)
    half = Z_95 / (1 + spread) * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(centre - half, 0.0), min(centre + half, 1.0)  # rounding may leave 0 to 1


def _updates(evidence: Evidence, *sides: Side) -> str:
    found = [(side.method, evidence.updates(side)) for side in sides]
    return ", ".join(f"{method} {count:,}" for method, count in found if count is not None)
