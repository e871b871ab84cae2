"""What the report of a proof says, and in which order."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from napari_metasr.figures.caption import spacing_text
from napari_metasr.figures.report.document import (
    Document,
    Heading,
    Listing,
    Paragraph,
    Table,
)
from napari_metasr.figures.report.marks import marks_blocks, marks_key
from napari_metasr.figures.report.pictures import (
    example_picture,
    gain_picture,
    lesion_picture,
    survival_picture,
)
from napari_metasr.purpose import RESEARCH_USE_SENTENCE
from napari_metasr.trust import survival, verdict
from napari_metasr.trust.assumption import AUTO
from napari_metasr.trust.own_slices import METHODS, RIM, mean
from napari_metasr.trust.sentences import (
    NAMES,
    counted,
    gain_sentence,
    lesion_sentence,
    lesions_text,
    smallest_text,
)
from napari_metasr.trust.survival import SURVIVES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_metasr.figures.report.document import Block
    from napari_metasr.trust.own_slices import Compared
    from napari_metasr.trust.proof import Proof
    from napari_metasr.trust.verdict import Gain

TITLE = "How far can this scan be zoomed?"

METHOD = (
    "Slices of this scan were made coarser as if the scanner had acquired them with larger pixels, "
    "then enlarged back to their full size: by the network, and by two interpolations that invent "
    "nothing (bicubic and Lanczos). Since the full-size slice is known, each result can be "
    "compared with it. What holds for going from coarse to this scan's own resolution is the "
    "best available guess of what holds beyond it."
)
MEASURES = (
    "PSNR says how small the errors are, in decibels: 1 dB more is about 11% less error.",
    "SSIM says how alike the structures are: 1 is identical.",
    (
        "Wrong patches: of squares of 48 x 48 pixels, the share in which a result departs from the "
        "scan in structures so coarse that the reduced scan had still measured them (sFRC). Such "
        "structures need not be invented; a high share is a warning."
    ),
)
LIMITS = (
    (
        "The test cannot look beyond the scan's own resolution: what the network adds when the "
        "scan itself is enlarged has no truth to compare with here."
    ),
    (
        "The lesions are simple: bright or dark dots and blobs in flat tissue, drawn in single "
        "slices. Real lesions have other shapes, and lie at edges too."
    ),
    "A lesion counts as seen by a fixed rule on contrast, not by a reader's judgement.",
    (
        "Slices of one scan resemble each other: the intervals hold for this scan, not for other "
        "scans, patients or devices."
    ),
    "The test says nothing of pathology, and is no measure of diagnostic accuracy.",
)


EACH = "Each: network / bicubic / Lanczos"
ESTIMATED = "the scan's own, estimated"
IF_ESTIMATED = "How the scan was acquired is estimated. If the estimate is wrong, so is the test."
IF_STATED = "How the scan was acquired is taken as stated. If that is wrong, so is the test."


def document(proof: Proof) -> Document:
    """Return the report of a proof; nothing in it names the scan's file or the patient."""
    return Document(TITLE, tuple(_blocks(proof)))


def _blocks(proof: Proof) -> Iterator[Block]:
    yield Paragraph(RESEARCH_USE_SENTENCE)
    yield Paragraph(_scales_explained(proof))
    yield Paragraph(gain_sentence(proof), is_key=True)
    yield Paragraph(lesion_sentence(proof, proof.usual_scale), is_key=True)
    yield from marks_key(proof)
    yield _smallest(proof)
    if proof.concerns:
        yield Heading("What speaks against trusting this")
        yield Listing(tuple(f"{concern[:1].upper()}{concern[1:]}." for concern in proof.concerns))
    yield Heading("What was done")
    yield Paragraph(METHOD)
    yield Heading("Is the network nearer to the scan than interpolation?")
    yield _comparison(proof)
    yield gain_picture(proof)
    yield Listing(MEASURES)
    yield Paragraph(f"Rule: {verdict.RULE}")
    yield _rim(proof)
    for example in proof.examples:
        if example.scale == proof.usual_scale:
            yield example_picture(proof, example)
    yield from marks_blocks(proof)
    yield from _lesions(proof)
    yield Heading("How the scan was acquired, and how it was made coarser")
    yield Listing(proof.acquisition.lines)
    yield Heading("Settings")
    yield _settings(proof)
    yield Heading("Limits")
    yield Listing((IF_ESTIMATED if proof.settings.acquisition == AUTO else IF_STATED, *LIMITS))


def _scales_explained(proof: Proof) -> str:
    scale = proof.usual_scale
    fine = spacing_text(proof.spacing, proof.unit)
    coarse = spacing_text((proof.spacing[0] * scale, proof.spacing[1] * scale), proof.unit)
    return (
        f"×{scale:g} means here: slices of this scan were made coarser, from pixels of {fine} to "
        f"{coarse}, and enlarged back; then they were compared with what they had been."
    )


def _smallest(proof: Proof) -> Table:
    columns = ("Scale", *(NAMES[method] for method in METHODS))
    rows = [
        (
            f"×{gain.scale:g}",
            *(smallest_text(proof, gain.scale, method) for method in METHODS),
        )
        for gain in proof.gains
    ]
    caption = (
        f"The smallest lesion, {lesions_text(proof)}, that is seen in {SURVIVES:.0%} of places."
    )
    return Table(columns, tuple(rows), caption)


def _comparison(proof: Proof) -> Table:
    columns = ("Scale", "PSNR (dB)", "gain (dB)", "SSIM", "gain", "wrong patches (%)")
    rows = [
        (
            f"×{scale:g}",
            _each([mean(here, partial(_psnr, method)) for method in METHODS], "{:.1f}"),
            _gain(gain.psnr, 1),
            _each([mean(here, partial(_ssim, method)) for method in METHODS], "{:.3f}"),
            _gain(gain.ssim, 3),
            _each([100 * mean(here, partial(_flagged, method)) for method in METHODS], "{:.0f}"),
        )
        for (scale, here), gain in zip(proof.compared, proof.gains, strict=True)
    ]
    spread = ", with the 95% interval of the mean" if proof.has_intervals else ""
    caption = f"{EACH}. Means over {counted(proof)}; gains over the better interpolation{spread}."
    return Table(columns, tuple(rows), caption)


def _psnr(method: str, one: Compared) -> float:
    return one.quality[method].psnr


def _ssim(method: str, one: Compared) -> float:
    return one.quality[method].ssim


def _flagged(method: str, one: Compared) -> float:
    return one.flagged[method]


def _each(values: Sequence[float], layout: str) -> str:
    """Write the figures of all methods: ``34.8 / 32.2 / 33.0``."""
    return " / ".join("–" if math.isnan(one) else layout.format(one) for one in values)


def _gain(gain: Gain, decimals: int) -> str:
    if math.isnan(gain.mean):
        return "–"
    mean_text = f"{gain.mean:+.{decimals}f}"
    if not gain.has_interval:
        return mean_text
    return f"{mean_text} ({gain.low:.{decimals}f} to {gain.high:.{decimals}f})"


def _rim(proof: Proof) -> Paragraph:
    where = "the head" if proof.region is None else "the head within the region"
    return Paragraph(
        f"Compared inside {where}. Along the cut edge of a skull-stripped scan {RIM:g} pixels of "
        "the coarser slice are left out, since the cut is no anatomy."
    )


def _lesions(proof: Proof) -> Iterator[Block]:
    yield Heading("The smallest lesion that survives")
    yield Paragraph(
        "Dots (discs with a sharp edge) and blobs (soft; their diameter is that at half their "
        f"height), each {lesions_text(proof)}, were put into flat tissue at random places of this "
        "scan, reduced with it, and enlarged. The percentage is of the head's median brightness."
    )
    yield Paragraph(f"Rule: {survival.RULE}")
    if not any(one.places for one in proof.survivals):
        yield Paragraph("There was no room for lesions in what was looked at.")
        return
    yield survival_picture(proof)
    for example in proof.lesion_examples:
        if example.scale == proof.usual_scale:
            yield lesion_picture(proof, example)
    for gain in proof.gains:
        yield _survival(proof, gain.scale)


def _survival(proof: Proof, scale: float) -> Table:
    here = [one for one in proof.survivals if one.scale == scale]
    columns = (f"Diameter ({proof.unit})", "places", "seen (%)", "contrast left (%)", "false (%)")
    rows = []
    for diameter in sorted({one.diameter for one in here}):
        found = {one.method: one for one in here if one.diameter == diameter}
        these = [found[method] for method in METHODS]
        rows.append(
            (
                f"{diameter:.3g}",
                str(these[0].places),
                _each([100 * one.seen for one in these], "{:.0f}"),
                _each([100 * one.recovered for one in these], "{:.0f}"),
                _each([100 * one.false for one in these], "{:.2f}"),
            )
        )
    caption = (
        f"Lesions at ×{scale:g}. {EACH}. Lesions that are not seen are missed. False: the share "
        "of places of flat tissue without a lesion at which one is shown."
    )
    return Table(columns, tuple(rows), caption)


def _settings(proof: Proof) -> Table:
    card, settings = proof.card, proof.settings
    low, high = card.trained_scales
    region = proof.region
    rows = [
        ("Network", f"{card.title} ({card.name})"),
        ("Weights, SHA-256", card.sha256),
        ("Trained on", f"{', '.join(card.trained_contrasts)}; ×{low:g} to ×{high:g}"),
        ("Scan's voxels, SHA-256", proof.voxels_sha256),
        ("Slice size", f"{proof.shape[0]} x {proof.shape[1]} pixels"),
        ("Pixel size", spacing_text(proof.spacing, proof.unit)),
        ("Plane and slices", f"{proof.plane}: {', '.join(map(str, proof.slices))}"),
        (
            "Region",
            "whole slices"
            if region is None
            else f"rows {region.top:g} to {region.bottom:g}, columns {region.left:g} to "
            f"{region.right:g}",
        ),
        ("Contrast of the scan", proof.found.contrast or "not known"),
        ("Acquisition", ESTIMATED if settings.acquisition == AUTO else settings.acquisition),
        ("Scales", ", ".join(f"×{scale:g}" for scale in settings.scales)),
        ("Contrast of lesions", f"{proof.contrast:.4g} in the scan's units"),
        ("Random seed", str(settings.seed)),
        ("Program", f"napari-metasr {proof.version} on {proof.device}"),
    ]
    return Table(("Setting", "value"), tuple(rows))
