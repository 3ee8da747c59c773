"""Data types: the seven of them, their sizes and names."""

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
def test_dtype_enum(name: str, size: int) -> None:
    dtype = getattr(pf, name)
    assert isinstance(dtype, pf.DType)
    assert dtype is getattr(pf.DType, name)
    assert str(dtype) == f"DType.{name}"
    x = pf.ones([2, 3], dtype=dtype)
    assert x.dtype is dtype
    assert x.numpy().itemsize == size


def test_there_are_seven() -> None:
    assert {dtype.name for dtype in pf.DType} == set(SIZES)


def test_the_default_is_single_precision() -> None:
    assert pf.tensor([1, 2]).dtype is pf.float32
    assert pf.zeros([1]).dtype is pf.float32


def test_dtype_size(documented) -> None:
    documented(pf.dtype_size, dtype=...)
    assert pf.dtype_size(pf.float32) == 4
    assert pf.dtype_size(pf.float16) == 2
    assert {n: pf.dtype_size(getattr(pf, n)) for n in SIZES} == SIZES


def test_dtype_name(documented) -> None:
    documented(pf.dtype_name, dtype=...)
    assert pf.dtype_name(pf.float32) == "float32"
    assert [pf.dtype_name(getattr(pf, n)) for n in SIZES] == list(SIZES)


def test_values_of_every_dtype_survive() -> None:
    for name in SIZES:
        x = pf.tensor([0, 1, 1], dtype=getattr(pf, name))
        np.testing.assert_array_equal(x.numpy().astype(np.float32), [0, 1, 1])
