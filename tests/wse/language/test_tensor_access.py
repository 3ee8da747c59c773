"""Tensor accesses: strides of affine index expressions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflame.wse.language.tensor_access import strides_of
from pyflame.wse.language.values import DsdValue

ValueOf = Callable[..., Any]


def dsd(value_of: ValueOf, kind: str, access: str, before: str) -> DsdValue:
    expression = f"@get_dsd({kind}, .{{ .tensor_access = {access} }})"
    return value_of(expression, "", before)


def iterated(offset: int, strides: list[int], extents: tuple[int, ...]) -> list[int]:
    """Element numbers in hardware order: machine reference 7.2."""
    position, counters, visited = offset, [0] * len(extents), [offset]
    inner_first = list(reversed(extents))
    while True:
        for k, extent in enumerate(inner_first):
            if counters[k] < extent - 1:
                counters[k] += 1
                counters[:k] = [0] * k
                position += strides[k]
                visited.append(position)
                break
        else:
            return visited


def test_the_documented_example(value_of: ValueOf) -> None:
    access = "|i, j, k, l|{5, 5, 5, 5} -> A[i + j, k + l + 2]"
    found = dsd(value_of, "mem4d_dsd", access, "var A: [4, 5]f32;")
    assert found.fields["offset"] == 2
    assert found.fields["stride"] == (1, -3, -3, -23)
    assert found.fields["extent"] == (5, 5, 5, 5)


@pytest.mark.parametrize(
    ("access", "offset", "stride", "extent"),
    [
        ("|i|{4} -> a[i]", 0, 1, 4),
        ("|i|{3} -> a[2 * i + 1]", 1, 2, 3),
        ("|i|{3} -> a[5 - i]", 5, -1, 3),
        ("|i|{6} -> a[3]", 3, 0, 6),
        ("|i|{n} -> a[n * (i + 1) - i * 2]", 3, 1, 3),
        ("|i|{4} -> m[i, 2]", 2, 5, 4),
        ("|i|{4} -> m[i, i]", 0, 6, 4),
        ("|k|{2} -> (&m).*[1, k]", 5, 1, 2),
        ("|i|{4} -> p[i + 1]", 1, 1, 4),
    ],
)
def test_one_dimension(
    value_of: ValueOf, access: str, offset: int, stride: int, extent: int
) -> None:
    before = """
    const n: i16 = 3;
    var a: [12]f32;
    var m: [4, 5]f32;
    const p: *[12]f32 = &a;
    """
    found = dsd(value_of, "mem1d_dsd", access, before)
    assert found.fields["offset"] == offset
    assert found.fields["stride"] == (stride,)
    assert found.fields["extent"] == (extent,)


def test_an_access_is_a_struct(value_of: ValueOf) -> None:
    before = "var a: [12]f32;\nconst t = |i|{4} -> a[2 * i + 3];"
    assert value_of("t.offset", "i16", before) == 3
    assert value_of("t.extent[0]", "u16", before) == 4


@given(
    st.lists(
        st.tuples(st.integers(-20, 20), st.integers(1, 4)), min_size=1, max_size=4
    ),
    st.integers(0, 50),
)
def test_strides_visit_what_the_indices_say(
    dims: list[tuple[int, int]], offset: int
) -> None:
    coefficients = tuple(c for c, _ in dims)
    extents = tuple(e for _, e in dims)
    places = np.ndindex(*extents)
    wanted = [
        offset + sum(c * i for c, i in zip(coefficients, p, strict=True))
        for p in places
    ]
    assert iterated(offset, strides_of(coefficients, extents), extents) == wanted
