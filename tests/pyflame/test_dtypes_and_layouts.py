"""Dtypes, layouts and coordinates."""

import numpy as np
import pytest

import pyflame as pf

SIZES = {
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "bool_": 1,
}


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_sizes_and_names(name: str, size: int) -> None:
    dtype = getattr(pf, name)
    assert pf.dtype_size(dtype) == size
    assert pf.dtype_name(dtype) == name
    assert repr(dtype) == f"DType.{name}"
    assert pf.zeros([2], dtype=dtype).numpy().dtype == dtype.numpy


def test_other_spellings() -> None:
    assert pf.dtype_size("float16") == 2
    assert pf.dtype_name(np.int16) == "int16"


def test_unknown_dtype() -> None:
    with pytest.raises(pf.DTypeError) as error:
        pf.zeros([2], dtype="complex64")
    assert str(error.value) == (
        "dtype complex64 is not supported\n"
        "  rule  a tensor is one of float32, float16, bfloat16, int32, int16, int8, "
        "bool_\n"
        "  help  pass dtype=pf.float32 or another of these, or convert the data first"
    )


@pytest.mark.parametrize(
    ("layout", "text", "pes"),
    [
        (pf.MeshLayout.single_pe(), "MeshLayout.single_pe()", 1),
        (pf.MeshLayout.row_partition(4), "MeshLayout.row_partition(4)", 4),
        (pf.MeshLayout.col_partition(3), "MeshLayout.col_partition(3)", 3),
        (pf.MeshLayout.grid(2, 5), "MeshLayout.grid(2, 5)", 10),
    ],
)
def test_layouts(layout: pf.MeshLayout, text: str, pes: int) -> None:
    assert repr(layout) == text
    assert layout.num_pes == pes
    assert pf.zeros([2, 2], layout=layout).layout == layout


def test_default_layout_is_single_pe() -> None:
    assert pf.ones([3]).layout == pf.MeshLayout.single_pe()


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "2"])
def test_layout_without_pes(count: object) -> None:
    with pytest.raises(pf.ArgumentError) as error:
        pf.MeshLayout.grid(2, count)
    assert str(error.value) == (
        f"MeshLayout.grid: cols={count!r} is no number of PEs\n"
        "  rule  a layout has at least one row and one column of PEs\n"
        "  help  use an integer of 1 or more"
    )


def test_layout_of_another_type() -> None:
    with pytest.raises(pf.ArgumentError, match=r"zeros: 'grid' is no layout"):
        pf.zeros([2], layout="grid")


def test_pe_coord() -> None:
    coord = pf.PECoord(2, 3)
    assert (coord.row, coord.col) == (2, 3)
    assert coord == pf.PECoord(row=2, col=3)
