"""What a proof says, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.trust.own_slices import METHODS, NETWORK
from napari_metasr.trust.survival import LEAST_PLACES, SURVIVES

if TYPE_CHECKING:
    from napari_metasr.trust.proof import Proof

NAMES = {NETWORK: "network", "bicubic": "bicubic", "lanczos": "Lanczos"}
"""What methods are called."""


def counted(proof: Proof) -> str:
    """Write how many slices were compared."""
    count = len(proof.slices)
    return f"{count} slices" if count > 1 else "1 slice"


def gain_sentence(proof: Proof) -> str:
    """Say up to which scale the network is better than interpolation."""
    title, best, slices = proof.card.title, proof.largest_scale, counted(proof)
    if best is None:
        smallest = proof.gains[0].scale
        return (
            f"At no scale that was tried (from ×{smallest:g} on) is {title} reliably nearer to "
            f"this scan than interpolation ({slices})."
        )
    psnr = best.psnr
    interval = (
        f"{psnr.low:.1f} to {psnr.high:.1f}; {slices}"
        if psnr.has_interval
        else f"{slices}, too few for an interval"
    )
    beyond = "" if best.scale < proof.gains[-1].scale else ", the largest scale that was tried"
    smaller = 1 - 10 ** (-psnr.mean / 20)
    return (
        f"{title} is nearer to this scan than bicubic and Lanczos interpolation up to "
        f"×{best.scale:g}{beyond}: its errors there are {smaller:.0%} smaller "
        f"({psnr.mean:+.1f} dB, {interval})."
    )


def lesions_text(proof: Proof) -> str:
    """Describe the lesions that were put in."""
    contrast = proof.settings.contrast
    return f"{abs(contrast):.0%} {'brighter' if contrast > 0 else 'darker'} than its surroundings"


def lesion_sentence(proof: Proof, scale: float) -> str:
    """Say how small a lesion may be at a scale to be seen nearly everywhere."""
    if not _judged(proof, scale):
        return (
            f"At ×{scale:g} nothing can be said of small lesions: there are fewer than "
            f"{LEAST_PLACES} places of flat tissue for them."
        )
    told = [f"{NAMES[method]} {smallest_text(proof, scale, method)}" for method in METHODS]
    return (
        f"At ×{scale:g} a lesion {lesions_text(proof)} is seen in {SURVIVES:.0%} of places: "
        f"{', '.join(told)}."
    )


def smallest_text(proof: Proof, scale: float, method: str) -> str:
    """Write the smallest size of lesion that survives, such as ``from 2.5 mm``."""
    judged = _judged(proof, scale)
    if not judged:
        return "–"
    smallest = proof.smallest_surviving(scale, method)
    if smallest is None:
        return f"not even at {max(judged):.3g} {proof.unit}"
    return f"from {smallest.diameter:.3g} {proof.unit}"


def _judged(proof: Proof, scale: float) -> list[float]:
    """List the sizes of which there are enough lesions."""
    here = [one for one in proof.survivals if one.scale == scale]
    return [one.diameter for one in here if one.places >= LEAST_PLACES]


def marks_sentence(proof: Proof, scale: float) -> str:
    """Say how much the marks of risk cover and miss at a scale, beside what is guaranteed.

    Returns
    -------
    str
        Empty for a network without an error head.
    """
    found = next((one for one in proof.marks if one.scale == scale), None)
    if found is None or not found.agreement.pixels:
        return ""
    agreement, guarantee = found.agreement, found.guarantee
    where = "head" if proof.region is None else "region"
    cover = f"At ×{scale:g} the risk marks cover {agreement.marked_share:.0%} of the {where}"
    large = f"large errors (above {guarantee.tau:.0%} of the scan's range of grey values)"
    if not agreement.large:
        told = f"{cover}; the network makes no {large} there."
    elif guarantee.holds:
        return (
            f"{cover} and miss {agreement.missed_share:.1%} of the {large}. They are set to miss "
            f"at most {guarantee.alpha:.0%} on average over patients; one scan may miss more."
        )
    else:
        told = f"{cover} and miss {agreement.missed_share:.1%} of the {large}."
    return told if guarantee.holds else f"{told} {guarantee.sentence}"
