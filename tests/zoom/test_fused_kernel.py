"""The fused kernel against plain torch in float64: on a GPU, or interpreted without one."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from napari_metasr.geometry.grids import Convention, OutputGrid
from napari_metasr.zoom.kernels import fused_kernel, kernel_for, upscale_in_row_blocks

INTERPRET = """
import sys, torch
from napari_metasr.zoom.kernels import fused_kernel
from napari_metasr.zoom.kernels.fused import upscale_fused
assert fused_kernel("cpu") is upscale_fused  # what decides whether it is taken lets it pass
device, path = sys.argv[1:]
found = []
for *leaves, rows, columns, slopes in torch.load(path):
    leaves = [one.to(device).requires_grad_(slopes is not None) for one in leaves]
    result = upscale_fused(*leaves, rows.to(device), columns.to(device))
    gradients = () if slopes is None else torch.autograd.grad(result, leaves, slopes.to(device))
    found.append([one.detach().cpu() for one in (result, *gradients)])
torch.save(found, path)
"""

# shape, scale, hidden units, batch, output rows and columns, convention, whether with gradients
CASES = {
    "whole": ((7, 9), 3.7, 256, 1, None, Convention.CENTER, False),
    "several programs a row": ((2, 40), math.pi, 70, 1, None, Convention.CENTER, False),
    "one pixel": ((1, 1), 4.0, 256, 1, None, Convention.CENTER, True),
    "axes apart, one at 1": ((6, 5), (1.0, 2.3), 20, 2, None, Convention.CENTER, True),
    "corners": ((4, 5), 1.6, 70, 1, None, Convention.CORNER, True),
    "window at odd offsets": ((9, 17), 2.7, 20, 2, (5, 3, 8, 44), Convention.CENTER, True),
    "last pixels": ((5, 6), 8.0, 16, 1, (33, 41, 40, 48), Convention.CENTER, True),
}


NUMBERS = {"height", "width", "cell_rows", "cell_columns", "hidden", "batch", "others"}
NUMBERS |= {f"{of}_{axis}" for of in ("dy", "g") for axis in ("image", "own", "other")}


def without_triton():
    if find_spec("triton") is None:
        pytest.skip("Triton is not installed: pip install triton (Linux)")


def inputs_of(shape, scale, hidden, batch, pixels, convention, with_gradients):
    grid = OutputGrid.at_scale(shape, scale)
    i0, j0, i1, j1 = pixels or grid.pixel_range()
    rows = torch.as_tensor(grid.rows.cells(convention)[i0:i1])
    columns = torch.as_tensor(grid.columns.cells(convention)[j0:j1])
    g = torch.randn(batch, *shape, hidden + 1)
    terms = torch.randn(i1 - i0, hidden), torch.randn(j1 - j0, hidden)
    slopes = torch.randn(batch, i1 - i0, j1 - j0) if with_gradients else None
    return g, *terms, rows, columns, slopes


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What the fused kernel gives in every case, and float64's answer."""
    without_triton()
    torch.manual_seed(0)
    calls = [inputs_of(*case) for case in CASES.values()]
    path = tmp_path_factory.mktemp("fused") / "calls.pt"
    torch.save(calls, path)
    on_gpu = torch.cuda.is_available()
    how = {} if on_gpu else {"TRITON_INTERPRET": "1"}
    device = "cuda" if on_gpu else "cpu"
    subprocess.run(
        [sys.executable, "-c", INTERPRET, device, str(path)], env=os.environ | how, check=True
    )
    return {
        name: (found, expected(*call))
        for name, found, call in zip(CASES, torch.load(path), calls, strict=True)
    }


def expected(*call):
    *leaves, rows, columns, slopes = call
    leaves = [one.double().requires_grad_() for one in leaves]
    result = upscale_in_row_blocks(*leaves, rows, columns)
    if slopes is None:
        return [result.detach()]
    return [result.detach(), *torch.autograd.grad(result, leaves, slopes.double())]


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_float64(results, name):
    for ours, truth in zip(*results[name], strict=True):
        assert (ours - truth).abs().max() <= 1e-5 * truth.abs().max()


@pytest.mark.parametrize("name", ["_forward", "_backward_codes", "_backward_terms"])
def test_it_compiles_for_a_gpu_that_need_not_be_there(name):
    without_triton()
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from napari_metasr.zoom.kernels import fused

    kernel = getattr(fused, name)
    sizes = {"places": fused.PLACES, "units": fused.UNITS}
    types = {
        one: "constexpr" if one in sizes
        else "i32" if one in NUMBERS
        else "*i64" if one.endswith(("cells", "starts"))
        else "*fp32"
        for one in kernel.arg_names
    }  # fmt: skip
    constants = {one: sizes[one] for one in types if types[one] == "constexpr"}
    source = ASTSource(fn=kernel, signature=types, constexprs=constants)
    target = GPUTarget("cuda", 80, 32)
    compiled = triton.compile(source, target=target, options=fused.OPTIONS)
    assert compiled.asm["cubin"]


def test_plain_torch_takes_its_place_where_triton_cannot_work(caplog):
    fused_kernel.cache_clear()
    with caplog.at_level("INFO"):
        assert fused_kernel("cpu") is None  # no compiler for tensors on the CPU
    assert "plain torch renders on cpu" in caplog.text
    assert kernel_for("mps") is upscale_in_row_blocks
