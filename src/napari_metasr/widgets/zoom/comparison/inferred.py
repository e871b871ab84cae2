"""What of the result the scan does not determine, over the anatomy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from napari_metasr.widgets.viewer.result_layers import PURPOSE
from napari_metasr.widgets.zoom.comparison.difference import SignedOverlay, limit_of
from napari_metasr.widgets.zoom.settings import Compare

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.widgets.viewer.result_layers import ResultPair


class Inferred(SignedOverlay):
    """The inferred part, in units of the scan's noise where that is known.

    Its limits are a tenth of the source's window each way.
    """

    compare: ClassVar[Compare] = Compare.INFERRED
    shows_inferred: ClassVar[bool] = True

    def signed(self, pair: ResultPair) -> tuple[NDArray[Any], float, str] | None:
        """Return the inferred part, if it is known."""
        inferred = pair.inferred
        shape = pair.enhanced.data.shape
        if inferred is None or inferred.image.size != pair.enhanced.data.size:
            return None
        limit = limit_of(pair.enhanced) / inferred.unit
        unit = f"±{limit:.3g} {inferred.unit_name}"
        name = f"{PURPOSE} · inferred, not measured, {unit} · {pair.source.name}"
        return inferred.image.reshape(shape), limit, name
