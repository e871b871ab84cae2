"""A simulated brain with a glioma: coats of tissue, laid over one another.

Shapes are implicit functions of the position in mm, so the same anatomy can be sampled on any
grid. Cortical folds are the sheets on which a random field of one wavelength, carried from the
brain's surface inwards, is zero; vessels are the curves on which two such fields are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Field = NDArray[np.float32]
    Points = tuple[Field, Field, Field]

__all__ = ["BRAIN_BOX", "LESION_CENTRE", "Anatomy", "random_field", "separable_field"]

LESION_CENTRE = (29.0, 4.0, 24.0)
"""Middle of the glioma, in mm (x, y, z): in the white matter of the right hemisphere."""

BRAIN_BOX = ((-80.0, 80.0), (-104.0, 94.0), (-98.0, 78.0))
"""Where the brain can be, in mm, along x, y and z."""

_LESION_RADIUS = 15.0
_FOLD_WAVELENGTH = 19.0
_FOLIA_WAVELENGTH = 7.0
_CORTEX = 2.9
_SOFTNESS = 0.4
_VENTRICLES = (  # (x, y, z, radius) to (x, y, z, radius) of the left and right one, in mm
    ((11, 30, 3, 4.5), (9, 14, 13, 6.5)),
    ((9, 14, 13, 6.5), (13, -18, 16, 6.5)),
    ((13, -18, 16, 6.5), (22, -36, 8, 8.0)),
    ((22, -36, 8, 8.0), (22, -60, 4, 3.0)),
    ((22, -36, 8, 8.0), (32, -12, -16, 3.5)),
    ((32, -12, -16, 3.5), (30, 2, -19, 2.0)),
)


def random_waves(
    rng: np.random.Generator, wavelength: float, count: int, stretch: tuple[float, float, float]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw wave vectors (count, 3) in rad/mm, near one wavelength, in any direction; phases."""
    directions = rng.standard_normal((count, 3)) * stretch
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    vectors = 2 * np.pi / wavelength * directions * rng.uniform(0.85, 1.15, (count, 1))
    return vectors.astype(np.float32), rng.uniform(0, 2 * np.pi, count).astype(np.float32)


def random_field(
    rng: np.random.Generator,
    points: Points,
    wavelength: float,
    where: NDArray[np.bool_],
    *,
    count: int = 20,
    stretch: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Field:
    """Make a smooth random field of unit variance at points (x, y, z), ``where`` needed."""
    x, y, z = (p[where] for p in points)
    total = np.zeros(x.shape, np.float32)
    for (kx, ky, kz), phase in zip(*random_waves(rng, wavelength, count, stretch), strict=True):
        total += np.cos(kx * x + ky * y + (kz * z + phase))
    field = np.zeros(where.shape, np.float32)
    field[where] = total * np.float32(np.sqrt(2 / count))
    return field


def separable_field(
    rng: np.random.Generator, points: Points, wavelength: float, *, count: int = 16
) -> Field:
    """Evaluate a `random_field` faster, on a regular grid that is given by its open axes."""
    vectors, phases = random_waves(rng, wavelength, count, (1.0, 1.0, 1.0))
    x, y, z = (
        np.exp(1j * k[:, np.newaxis] * axis.ravel()).astype(np.complex64)
        for k, axis in zip(vectors.T, points, strict=True)
    )
    x = x * np.exp(1j * phases)[:, np.newaxis].astype(np.complex64)
    planes = (z[:, :, np.newaxis] * y[:, np.newaxis, :]).reshape(count, -1)
    total = planes.real.T @ x.real - planes.imag.T @ x.imag
    shape = np.broadcast_shapes(*(axis.shape for axis in points))
    return (total * np.float32(np.sqrt(2 / count))).reshape(shape)


def inside(distance: NDArray[Any], softness: float = _SOFTNESS) -> Field:
    """Return the share of a voxel that is covered, where ``distance`` (mm) is positive inside."""
    covered: Field = expit(distance / np.float32(softness))
    return covered


def sheet_distance(field: Field, wavelength: float, spacing: tuple[float, ...]) -> Field:
    """Distance (mm) to the zero sheets of a field of one wavelength, exact for a plane wave."""
    gradient = np.gradient(field, *spacing)
    steepness = np.sqrt(sum(component**2 for component in gradient))
    length = np.float32(wavelength / (2 * np.pi))
    distance: Field = length * np.arctan2(np.abs(field), length * steepness)
    return distance


def ellipsoid(points: Points, centre: tuple[float, ...], radii: tuple[float, ...]) -> Field:
    """Distance (mm, approximate) to an ellipsoid, positive inside."""
    scaled = [(p - c) / r for p, c, r in zip(points, centre, radii, strict=True)]
    radius: Field = np.sqrt(sum(s * s for s in scaled))
    return (1 - radius) * np.float32(min(radii))


def capsule(points: Points, start: tuple[float, ...], stop: tuple[float, ...]) -> Field:
    """Distance (mm) to a rod whose radius changes along it, positive inside."""
    axis = np.subtract(stop[:3], start[:3])
    offsets = [p - s for p, s in zip(points, start[:3], strict=True)]
    along = sum(o * a for o, a in zip(offsets, axis, strict=True)) / (axis @ axis)
    along = np.clip(along, 0, 1).astype(np.float32)
    square = sum((o - along * a) ** 2 for o, a in zip(offsets, axis, strict=True))
    distance: Field = start[3] + along * (stop[3] - start[3]) - np.sqrt(square)
    return distance


@dataclass(frozen=True)
class Anatomy:
    """The phantom's tissues on a grid.

    Attributes
    ----------
    axes
        Open axes (x, y, z) in mm, of shapes (1, 1, X), (1, Y, 1), (Z, 1, 1); x to the right,
        y to anterior, z to superior, the brain's middle at 0.
    spacing
        Of the grid, mm (z, y, x).
    seed
        Which individual.
    """

    axes: Points
    spacing: tuple[float, float, float]
    seed: int

    def coats(self) -> Iterator[tuple[str, Field]]:
        """Yield tissues in the order they are painted: name and cover (0..1) of each voxel."""
        brain, cerebellum, stem = self._brain[0], self._cerebellum, self._brainstem
        whole = np.maximum(np.maximum(brain, cerebellum), stem)
        yield "fluid", inside(whole + 1.3, 0.6)
        yield from self._cerebellar_coats(cerebellum)
        yield "white", inside(stem)
        yield from self._cerebral_coats()
        yield from self._deep_coats()
        yield from self._lesion_coats()

    @cached_property
    def lesion(self) -> tuple[Field, Field, Field]:
        """Cover of the necrotic core, the oedema and the enhancing rim with all inside it."""
        rng = self._rng("lesion")
        points = self.axes
        offsets = [p - c for p, c in zip(points, LESION_CENTRE, strict=True)]
        radius: Field = np.sqrt(sum(o * o for o in offsets)).astype(np.float32)
        near = separable_field(rng, points, 26) * 2.2 + separable_field(rng, points, 11) * 0.9
        rim = _LESION_RADIUS - radius + near
        thickness = 4.0 + 1.6 * separable_field(rng, points, 15)
        thickness += 0.7 * separable_field(rng, points, 6)
        septa = sheet_distance(separable_field(rng, points, 34), 34, self.spacing)
        core = np.minimum(rim - np.maximum(thickness, 1.2), septa - 0.8)
        spread = rim + 13 + 5 * separable_field(rng, points, 34) + separable_field(rng, points, 9)
        return inside(core), inside(spread, 1.5) * self.white, inside(rim)

    @cached_property
    def white(self) -> Field:
        """Cover of the cerebral white matter."""
        depth = self._brain[0]
        tissue = inside(depth) * (1 - inside(self._ventricles))
        return tissue * inside(self._pial_distance - _CORTEX)

    def _rng(self, part: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *part.encode()])

    @cached_property
    def _points(self) -> Points:
        """Positions in the undisturbed brain: individual shape, and pushed by the tumour."""
        rng = self._rng("shape")
        moved = []
        offsets = [p - c for p, c in zip(self.axes, LESION_CENTRE, strict=True)]
        square = sum(o * o for o in offsets)
        push = 0.32 * np.exp(-square / np.float32(2 * 24.0**2))
        for axis, offset in zip(self.axes, offsets, strict=True):
            wobble = 1.3 * separable_field(rng, self.axes, 75)
            wobble += 0.6 * separable_field(rng, self.axes, 24)
            moved.append((axis + wobble - push * offset).astype(np.float32))
        return moved[0], moved[1], moved[2]

    @cached_property
    def _brain(self) -> tuple[Field, Field]:
        """Depth (mm) under the smooth surface of the cerebrum, and the relative radius."""
        x, y, z = self._points
        width = 69 - 0.07 * y - 0.0008 * (y + 10) ** 2
        temporal = inside(y + 24, 5.0) * inside(40 - y, 4.0) * (1 - 0.6 * np.exp(-((x / 15) ** 2)))
        bottom = 23 + 22 * temporal
        height = np.where(z > 0, np.float32(67), bottom)
        exponent = np.float32(2.15)
        radius = np.abs(x / width) ** exponent
        radius += np.abs((y + 4) / np.float32(88)) ** exponent
        radius += np.abs(z / height) ** exponent
        radius = np.maximum(radius ** (1 / exponent), np.float32(0.05))
        depth = np.sqrt(x * x + y * y + z * z) * (1 / radius - 1)
        return depth.astype(np.float32), radius.astype(np.float32)

    @cached_property
    def _middle(self) -> Field:
        """Distance (mm) to the fissure between the hemispheres, which ends at their bridge."""
        x, y, z = self._points
        bridge = np.maximum(ellipsoid((x, y, z), (0, -3, 4), (1e4, 42, 27)), 0)
        return np.hypot(x + 0.8 * np.sin(y / 9), 1.5 * bridge)

    @cached_property
    def _sulci(self) -> tuple[Field, Field]:
        """Distance (mm) to the middle sheets of the sulci, and how far below a floor one is."""
        rng = self._rng("folds")
        depth, radius = self._brain
        surface = np.minimum(depth, 2 * self._middle + np.maximum(depth - 22, 0))
        outward = radius ** np.float32(-0.85)
        x, y, z = (p * outward for p in self._points)
        side = np.where(self._points[0] > 0, np.float32(40), np.float32(-40))
        near = (depth > -6) & (surface < 32)
        field = random_field(rng, (x + side, y, z), _FOLD_WAVELENGTH, near)
        floor = np.clip(18 + 6 * separable_field(rng, self.axes, 40), 5, 27)
        return sheet_distance(field, _FOLD_WAVELENGTH, self.spacing), np.maximum(surface - floor, 0)

    @cached_property
    def _fissures(self) -> Field:
        """Distance (mm) to the fissures between the hemispheres and above the temporal lobes."""
        x, y, z = self._points
        plane = z + 4 + 0.28 * y - 1.5 * np.sin(np.abs(x) / 5)
        end = np.maximum(np.abs(y - 2) - 32, 0)
        sylvian = np.sqrt(plane**2 + np.maximum(37 - np.abs(x), 0) ** 2 + end**2)
        return np.minimum(self._middle, sylvian) - 0.9

    @cached_property
    def _fluid_distance(self) -> Field:
        """Distance (mm) to sulcal fluid, negative inside it."""
        depth = self._brain[0]
        sheet, below = self._sulci
        width = np.clip(1.2 - 0.05 * depth, 0.3, 1.4) + np.exp(-np.maximum(depth, 0) / 1.8)
        return np.minimum(np.hypot(sheet, below) - width, self._fissures)

    @cached_property
    def _pial_distance(self) -> Field:
        """Distance (mm) to the nearest fluid outside or in a fold."""
        return np.minimum(self._brain[0], self._fluid_distance)

    def _cerebral_coats(self) -> Iterator[tuple[str, Field]]:
        depth = self._brain[0]
        within = inside(depth)
        yield "grey", within
        yield "white", self.white
        yield "fluid", within * inside(-self._fluid_distance, 0.3)
        rng = self._rng("vessels")
        across = sheet_distance(separable_field(rng, self.axes, 34), 34, self.spacing)
        sheet, below = self._sulci
        radius = 0.65 + 0.25 * separable_field(rng, self.axes, 60)
        yield "vessel", inside(radius - np.hypot(np.hypot(sheet, below), across), 0.25) * within
        falx = inside(0.6 - np.abs(self._points[0] + 0.8 * np.sin(self._points[1] / 9)), 0.25)
        yield "vessel", 0.6 * falx * inside(14 - depth, 2.0) * within
        first, second = (
            sheet_distance(separable_field(rng, self.axes, length), length, self.spacing)
            for length in (19, 27)
        )
        yield "vessel", 0.3 * inside(0.5 - np.hypot(first, second), 0.25) * self.white

    @cached_property
    def _cerebellum(self) -> Field:
        x, y, z = self._points
        halves = ellipsoid((np.abs(x), y, z), (21, -48, -41), (29, 25, 20))
        return np.maximum(halves, ellipsoid((x, y, z), (0, -50, -38), (12, 20, 20)))

    def _cerebellar_coats(self, depth: Field) -> Iterator[tuple[str, Field]]:
        rng = self._rng("folia")
        x, y, z = self._points
        field = random_field(
            rng, (x, y, z), _FOLIA_WAVELENGTH, depth > -5, count=9, stretch=(0.1, 0.6, 1.0)
        )
        sheet = sheet_distance(field, _FOLIA_WAVELENGTH, self.spacing)
        folded = inside(11 - depth, 1.0)
        within = inside(depth)
        yield "grey", within
        yield (
            "white",
            within * np.maximum(0.8 * inside(sheet - 1.3), 1 - folded) * inside(depth - 2),
        )
        yield "fluid", 0.8 * within * folded * inside(0.35 - sheet, 0.2)

    @cached_property
    def _brainstem(self) -> Field:
        points = self._points
        stem = capsule(points, (0, -14, -14, 13), (0, -26, -62, 8.5))
        stem = np.maximum(stem, capsule(points, (0, -26, -62, 8.5), (0, -29, -95, 6)))
        return np.maximum(stem, ellipsoid(points, (0, -14, -33), (16, 13, 13)))

    @cached_property
    def _ventricles(self) -> Field:
        """Distance (mm) to the walls of the lateral ventricles, positive inside."""
        x, y, z = self._points
        rods = [capsule((np.abs(x), y, z), *rod) for rod in _VENTRICLES]
        rough = 0.5 * separable_field(self._rng("ventricles"), self.axes, 9)
        return np.minimum(np.maximum.reduce(rods) + rough, np.abs(x) - 1.0)

    def _deep_coats(self) -> Iterator[tuple[str, Field]]:
        x, y, z = self._points
        mirrored = (np.abs(x), y, z)
        rough = 0.5 * separable_field(self._rng("deep"), self.axes, 9)
        for name, centre, radii in (
            ("nucleus", (10, -13, 3), (8, 14, 9)),
            ("nucleus", (14, 21, 4), (5, 9, 9)),
            ("nucleus", (25, 5, 0), (5, 15, 10)),
            ("pallidum", (19, 2, -1), (4, 9, 6.5)),
        ):
            yield name, inside(ellipsoid(mirrored, centre, radii) + rough)
        yield "fluid", inside(ellipsoid((x, y, z), (0, 12, -18), (8, 7, 5)))
        yield "fluid", inside(self._ventricles)
        yield "fluid", inside(ellipsoid((x, y, z), (0, -3, -4), (2.4, 14, 9)))
        yield "fluid", inside(ellipsoid((x, y, z), (0, -33, -34), (8, 4, 9)))
        plexus = capsule(mirrored, (14, -20, 13, 1.4), (22, -36, 6, 2.8))
        yield "plexus", inside(plexus + 2 * rough) * inside(self._ventricles - 1.0)

    def _lesion_coats(self) -> Iterator[tuple[str, Field]]:
        core, oedema, rim = self.lesion
        yield "oedema", 0.85 * oedema
        yield "enhancing", rim
        yield "necrotic", core
