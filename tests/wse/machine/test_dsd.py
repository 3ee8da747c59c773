import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflame.wse.machine import dsd


def walked(d: dsd.Mem4d) -> list[int]:
    """The documented walk: step the innermost dimension that can, add its stride."""
    counts = [0] * len(d.extents)
    extents = tuple(reversed(d.extents))  # innermost first, as strides are
    offset, offsets = d.offset, [d.offset]
    while True:
        for k, extent in enumerate(extents):
            if counts[k] < extent - 1:
                break
        else:
            return offsets
        counts[k] += 1
        counts[:k] = [0] * k
        offset += d.strides[k]
        offsets.append(offset)


def test_the_documented_tensor_access() -> None:
    # A[4,5] with |i,j,k,l|{5,5,5,5} -> A[i+j, k+l+2], row length 5... linear in each
    d = dsd.Mem4d(0, 2, (1, -3, -3, -23), (5, 5, 5, 5))
    expected = [
        5 * (i + j) + k + l + 2
        for i in range(5)
        for j in range(5)
        for k in range(5)
        for l in range(5)  # noqa: E741
    ]
    assert dsd.element_offsets(d, 625).tolist() == expected == walked(d)


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(-9, 9)), min_size=1, max_size=4),
    st.integers(-5, 5),
)
def test_offsets_follow_the_walk(dims: list[tuple[int, int]], offset: int) -> None:
    d = dsd.Mem4d(
        0, offset, tuple(s for _, s in dims), tuple(e for e, _ in reversed(dims))
    )
    assert dsd.element_offsets(d, d.extent).tolist() == walked(d)


def test_addresses_scale_with_the_element_and_the_index() -> None:
    d = dsd.Mem1d(100, 2, 3, 4, index_offset=True)
    assert dsd.element_addresses(d, 4, 3).tolist() == [108, 120, 132]
    assert dsd.element_addresses(d, 2, 2, index_words=5).tolist() == [114, 120]


def test_mutators_give_new_descriptors() -> None:
    d = dsd.Mem1d(100, 2, 3, 4)
    assert dsd.with_base(d, 60) == dsd.Mem1d(60, 0, 3, 4)
    moved = dsd.with_offset_added(d, -5)
    assert moved == dsd.Mem1d(100, -3, 3, 4, origin=100)
    assert moved.same_elements(dsd.Mem1d(100, -3, 3, 4))
    assert dsd.with_stride(d, 1) == dsd.Mem1d(100, 2, 1, 4)
    wide = dsd.Mem4d(8, 1, (1, 2), (3, 4))
    assert dsd.with_base(wide, 60) == dsd.Mem4d(60, 0, (1, 2), (3, 4))
    assert dsd.with_offset_added(wide, 4).offset == 5


def test_save_address_leaves_one_past_the_outermost_dimension() -> None:
    assert dsd.advanced(dsd.Mem1d(0, 1, 3, 4), 4).offset == 13
    matrix = dsd.Mem4d(0, 0, (1, 7), (2, 4))  # rows of 4 in a pitch of 10
    assert np.diff(dsd.element_offsets(matrix, 8))[3] == 7
    assert dsd.advanced(matrix, 8).offset == 20


@pytest.mark.parametrize("extent", [1, 5])
def test_zero_stride_repeats(extent: int) -> None:
    d = dsd.Mem1d(40, 1, 0, extent)
    assert dsd.element_addresses(d, 4, extent).tolist() == [44] * extent
