"""The upscaler as one Triton program a part of an output row, forward and backward.

Hidden units are made and summed in registers, so that nothing but G, the row and column terms and
the image passes through memory. Gradients are gathered, not scattered: every value is summed by
one program, in the same order each time. Triton compiles for CUDA; with ``TRITON_INTERPRET=1`` it
interprets the same programs on the CPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import triton
import triton.language as tl

if TYPE_CHECKING:
    from torch import Tensor

PLACES = 32
"""Output pixels of a row, or a column, that a program takes at a time."""

UNITS = 64
"""Hidden units that a program takes at a time."""

OPTIONS: dict[str, Any] = {"enable_fp_fusion": True}
"""Of the compiler: a product and a sum may be one operation."""


@triton.jit
def _forward(  # pragma: no cover
    g,
    row_terms,
    column_terms,
    row_cells,
    column_cells,
    out,
    height,
    width,
    cell_rows,
    cell_columns,
    hidden,
    places: tl.constexpr,
    units: tl.constexpr,
):
    """Evaluate part of an output row: program (image and row, part)."""
    line = tl.program_id(0).to(tl.int64)
    image = line // height
    i = line % height
    j = tl.program_id(1) * places + tl.arange(0, places)
    inside = j < width
    row = tl.load(row_cells + i)
    column = tl.load(column_cells + j, mask=inside, other=0)
    cell = ((image * cell_rows + row) * cell_columns + column) * (hidden + 1)
    total = tl.load(g + cell + hidden, mask=inside, other=0.0)
    for first in range(0, hidden, units):
        m = first + tl.arange(0, units)
        used = m < hidden
        both = inside[:, None] & used[None, :]
        a_y = tl.load(row_terms + i * hidden + m, mask=used, other=0.0)
        a_x = tl.load(column_terms + j[:, None] * hidden + m[None, :], mask=both, other=0.0)
        code = tl.load(g + cell[:, None] + m[None, :], mask=both, other=0.0)
        total += tl.sum(tl.maximum(a_y[None, :] + a_x, 0.0) * code, 1)
    tl.store(out + line * width + j, total, mask=inside)


@triton.jit
def _backward_codes(  # pragma: no cover
    dy,
    row_terms,
    column_terms,
    row_starts,
    column_starts,
    dg,
    height,
    width,
    cell_rows,
    cell_columns,
    hidden,
    units: tl.constexpr,
):
    """Sum dG of one cell over its output pixels: program (image and cell, part of the units)."""
    cell = tl.program_id(0).to(tl.int64)
    column = cell % cell_columns
    row = cell // cell_columns % cell_rows
    image = cell // (cell_columns * cell_rows)
    m = tl.program_id(1) * units + tl.arange(0, units)
    used = m < hidden
    total = tl.full((units,), 0.0, tl.float32)
    for i in range(tl.load(row_starts + row), tl.load(row_starts + row + 1)):
        a_y = tl.load(row_terms + i * hidden + m, mask=used, other=0.0)
        for j in range(tl.load(column_starts + column), tl.load(column_starts + column + 1)):
            a_x = tl.load(column_terms + j * hidden + m, mask=used, other=0.0)
            slope = tl.load(dy + (image * height + i) * width + j)
            total += slope * tl.where(m == hidden, 1.0, tl.maximum(a_y + a_x, 0.0))
    tl.store(dg + cell * (hidden + 1) + m, total, mask=m <= hidden)


@triton.jit
def _backward_terms(  # pragma: no cover
    dy,
    g,
    own_terms,
    other_terms,
    own_cells,
    other_cells,
    d_own,
    batch,
    others,
    dy_image,
    dy_own,
    dy_other,
    g_image,
    g_own,
    g_other,
    hidden,
    places: tl.constexpr,
    units: tl.constexpr,
):
    """Sum the gradient of one row's terms over its pixels, or of one column's.

    Program (row or column, part of the units). Strides say which axis is its own.
    """
    i = tl.program_id(0).to(tl.int64)
    m = tl.program_id(1) * units + tl.arange(0, units)
    used = m < hidden
    own = tl.load(own_terms + i * hidden + m, mask=used, other=0.0)
    own_cell = tl.load(own_cells + i) * g_own
    total = tl.full((units,), 0.0, tl.float32)
    for _ in range(batch):
        for first in range(0, others, places):
            j = first + tl.arange(0, places).to(tl.int64)
            inside = j < others
            both = inside[:, None] & used[None, :]
            cell = tl.load(other_cells + j, mask=inside, other=0) * g_other + own_cell
            slope = tl.load(dy + i * dy_own + j * dy_other, mask=inside, other=0.0)
            other = tl.load(other_terms + j[:, None] * hidden + m[None, :], mask=both, other=0.0)
            code = tl.load(g + cell[:, None] + m[None, :], mask=both, other=0.0)
            active = own[None, :] + other > 0.0
            total += tl.sum(tl.where(active, slope[:, None] * code, 0.0), 0)
        dy += dy_image
        g += g_image
    tl.store(d_own + i * hidden + m, total, mask=used)


def _parts(count: int, size: int) -> int:
    return -(-count // size)


class _Upscale(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> Tensor:
        inputs = tuple(one.contiguous() for one in inputs)
        ctx.save_for_backward(*inputs)
        g, height, width = inputs[0], len(inputs[3]), len(inputs[4])
        batch, cell_rows, cell_columns, codes = g.shape
        out = g.new_empty((batch, height, width))
        with torch.cuda.device_of(g):
            _forward[batch * height, _parts(width, PLACES)](
                *inputs,
                out,
                height,
                width,
                cell_rows,
                cell_columns,
                codes - 1,
                places=PLACES,
                units=UNITS,
                **OPTIONS,
            )
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        g, row_terms, column_terms, row_cells, column_cells = ctx.saved_tensors
        dy = gradients[0].contiguous()
        batch, cell_rows, cell_columns, codes = g.shape
        hidden = codes - 1
        height, width = dy.shape[1:]
        dg, d_rows, d_columns = map(torch.empty_like, (g, row_terms, column_terms))
        row_starts, column_starts = (
            torch.searchsorted(cells, torch.arange(count + 1, device=g.device))
            for cells, count in ((row_cells, cell_rows), (column_cells, cell_columns))
        )
        rows = row_terms, row_cells, dy.stride(1), g.stride(1)
        columns = column_terms, column_cells, dy.stride(2), g.stride(2)
        with torch.cuda.device_of(g):
            _backward_codes[batch * cell_rows * cell_columns, _parts(codes, UNITS)](
                dy,
                row_terms,
                column_terms,
                row_starts,
                column_starts,
                dg,
                height,
                width,
                cell_rows,
                cell_columns,
                hidden,
                units=UNITS,
                **OPTIONS,
            )
            for own, other, found in ((rows, columns, d_rows), (columns, rows, d_columns)):
                _backward_terms[len(own[1]), _parts(hidden, UNITS)](
                    dy,
                    g,
                    own[0],
                    other[0],
                    own[1],
                    other[1],
                    found,
                    batch,
                    len(other[1]),
                    dy.stride(0),
                    own[2],
                    other[2],
                    g.stride(0),
                    own[3],
                    other[3],
                    hidden,
                    places=PLACES,
                    units=UNITS,
                    **OPTIONS,
                )
        return dg, d_rows, d_columns, None, None


def upscale_fused(
    g: Tensor, row_terms: Tensor, column_terms: Tensor, row_cells: Tensor, column_cells: Tensor
) -> Tensor:
    """Evaluate y(p) by Triton in float32 (see ``UpscaleKernel`` for shapes), with gradients.

    Raises
    ------
    ValueError
        If the tensors are not float32.
    """
    if g.dtype != torch.float32:
        raise ValueError(f"the fused kernel takes float32, found {g.dtype}")
    result: Tensor = _Upscale.apply(g, row_terms, column_terms, row_cells, column_cells)
    return result
