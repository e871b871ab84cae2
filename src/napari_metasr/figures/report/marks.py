"""The part of the report about marks of risk: do they find the errors?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_metasr.figures.report.document import Heading, Listing, Paragraph, Table
from napari_metasr.figures.report.pictures import marks_picture
from napari_metasr.plurals import percent
from napari_metasr.trust.sentences import marks_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_metasr.figures.report.document import Block
    from napari_metasr.trust.own_marks import Marks
    from napari_metasr.trust.proof import Proof

WHAT_MARKS_ARE = (
    "Risk marks are what the zoom draws over a result where it may be wrong. They are drawn from "
    "the coarse slice alone; here the full-size slice is known, so that they can be compared with "
    "the true errors."
)
COLUMNS = (
    "large errors missed (%)",
    "set to miss (%)",
    "excess marked (%)",
    "wrong patches marked (%)",
    "marks in wrong patches (%)",
    "by chance (%)",
)
MEASURES = (
    (
        "Excess marked: the share of the large errors that is marked if each counts by how much "
        "it exceeds that limit: a gross error counts more than a slight one."
    ),
    (
        "Wrong patches are those of the table further up (sFRC). Wrong patches marked: the "
        "share of their area that is marked (recall). Marks in wrong patches: the share of the "
        "marks that lies in wrong patches (precision); marks put down at random would reach the "
        "share “by chance”. Unless they lie well above it, marks do not point to wrong patches: "
        "they warn of large errors in single pixels."
    ),
)


def marks_blocks(proof: Proof) -> Iterator[Block]:
    """Yield the part; nothing for a network without an error head."""
    if not proof.marks:
        return
    yield Heading("Do the risk marks find the errors?")
    yield Paragraph(WHAT_MARKS_ARE)
    yield _table(proof)
    yield Listing((*MEASURES, *_guarantees(proof)))
    for example in proof.examples:
        if example.scale == proof.usual_scale and example.marked is not None:
            yield marks_picture(proof, example, example.marked)


def marks_key(proof: Proof) -> Iterator[Block]:
    """Yield the sentence about marks for the top of the report, if there is one."""
    told = marks_sentence(proof, proof.usual_scale)
    if told:
        yield Paragraph(told, is_key=True)


def _table(proof: Proof) -> Table:
    rows = []
    for one in proof.marks:
        found, allowed = one.agreement, one.guarantee.alpha
        rows.append(
            (
                f"×{one.scale:g}",
                _percent(found.marked_share),
                _percent(found.missed_share if found.large else math.nan),
                f"at most {100 * allowed:g}" if one.guarantee.holds and allowed else "–",
                _percent(found.excess_share),
                _percent(found.recall),
                _percent(found.precision),
                _percent(found.wrong_share),
            )
        )
    tau = proof.marks[0].guarantee.tau
    caption = (
        f"An error is large above {percent(tau)} of the scan's range of grey values. What marks "
        "are set to miss holds on average over patients: a single scan may miss more, or less."
    )
    where = "head" if proof.region is None else "region"
    return Table(("Scale", f"{where} marked (%)", *COLUMNS), tuple(rows), caption)


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{100 * share:.1f}"


def _guarantees(proof: Proof) -> Iterator[str]:
    """Yield what is guaranteed, once for all scales of which the same is said."""
    scales: dict[str, list[Marks]] = {}
    for one in proof.marks:
        scales.setdefault(one.guarantee.sentence, []).append(one)
    for sentence, ones in scales.items():
        yield f"At {', '.join(f'×{one.scale:g}' for one in ones)}: {_lowered(sentence)}"


def _lowered(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}"
