"""The verdicts as Markdown and CSV."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metasr_training.claims.verdict import ALPHA, ClaimOutcome
from metasr_training.tables import markdown_table, write_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from metasr_training.claims.verdict import Verdict

TITLE = "## The papers' claims"
FILE = "claims.csv"


@dataclass(frozen=True)
class ClaimRow:
    """A verdict as a row of ``claims.csv``."""

    id: str
    source: str
    claim: str
    published: str
    outcome: str
    measured: str
    reason: str
    images: int
    patients: int
    p_corrected: float
    updates: str


def claim_rows(verdicts: Sequence[Verdict]) -> list[ClaimRow]:
    """Return the verdicts as rows, in their order."""
    return [
        ClaimRow(
            id=one.claim.id,
            source=one.claim.source,
            claim=one.claim.text,
            published=one.claim.published,
            outcome=one.outcome,
            measured=one.effect,
            reason=one.reason,
            images=one.images,
            patients=one.patients,
            p_corrected=one.p,
            updates=one.updates,
        )
        for one in verdicts
    ]


def claims_text(verdicts: Sequence[Verdict]) -> str:
    """Return the section of a report that lists every claim with its verdict."""
    counts = Counter(one.outcome for one in verdicts)
    summary = ", ".join(f"{counts[outcome]} {outcome}" for outcome in ClaimOutcome)
    columns = {
        "": lambda row: row.id,
        "claim": lambda row: row.claim,
        "published": lambda row: row.published,
        "verdict": lambda row: f"**{row.outcome}**" + (f": {row.reason}" if row.reason else ""),
        "measured": lambda row: row.measured,
        "images (patients)": _counts,
        "p": lambda row: "" if row.p_corrected != row.p_corrected else f"{row.p_corrected:.1g}",
        "updates": lambda row: row.updates,
    }
    explanation = (
        f"Of {len(verdicts)} claims: {summary}. A verdict follows from the scores alone: an "
        "ordering counts as reproduced, or as not reproduced, where Wilcoxon's signed-rank test "
        f"over the patients' means is significant at {ALPHA:g} after Holm's correction over all "
        "tested claims; otherwise it is open. A share is judged by its 95 % interval (Wilson's, "
        "with patients as the unit), a ratio by its one value. How many updates the networks had "
        "stands beside it: with few, a verdict speaks of these networks and not of the method."
    )
    return "\n\n".join([TITLE, explanation, markdown_table(columns, claim_rows(verdicts))])


def write_claims(folder: Path, verdicts: Sequence[Verdict]) -> None:
    """Write ``claims.csv`` into a report's folder."""
    write_rows(folder / FILE, claim_rows(verdicts))


def _counts(row: ClaimRow) -> str:
    if not row.images:
        return ""
    return f"{row.images} ({row.patients})" if row.patients else str(row.images)
