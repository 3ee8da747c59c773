import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflame.wse.machine.arithmetic import arithmetic_of, from_bits, to_bits
from pyflame.wse.machine.dsd import Mem1d, Mem4d, ScalarPointer
from pyflame.wse.machine.limits import Semantics
from pyflame.wse.machine.memory import F16, F32, I16, U16, Memory
from pyflame.wse.machine.operations import OPERATIONS
from pyflame.wse.machine.vectors import VectorUnit

PLAIN = arithmetic_of(Semantics())
floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


def vector(name: str, *arrays: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(PLAIN.vector[OPERATIONS[name].number](*arrays))


def bits(name: str, *values: int) -> int:
    return PLAIN.bits[OPERATIONS[name].number](*values)


@pytest.mark.parametrize("name", ["@fadds", "@fsubs", "@fmuls"])
@given(floats, floats)
def test_fast_f32_bits_round_like_numpy(name: str, a: float, b: float) -> None:
    x, y = np.float32(a), np.float32(b)
    expected = vector(name, np.array([x]), np.array([y]))
    assert bits(name, to_bits(x, F32), to_bits(y, F32)) == to_bits(expected[0], F32)


@given(floats, floats, floats)
def test_multiply_add_rounds_twice_unless_fused(a: float, b: float, s: float) -> None:
    x, y, z = np.float32(a), np.float32(b), np.float32(s)
    with np.errstate(all="ignore"):
        expected = x + y * z
    got = bits("@fmacs", *(to_bits(v, F32) for v in (x, y, z)))
    assert got == to_bits(expected, F32) or math.isnan(expected)


def test_a_fused_multiply_add_keeps_the_product() -> None:
    fused = arithmetic_of(Semantics(fused_multiply_add=True))
    number = OPERATIONS["@fmacs"].number
    x = np.float32(1 + 2**-12)
    minus_square = -np.float32(x * x)
    args = (np.array([minus_square]), np.array([x]), x)
    assert fused.vector[number](*args)[0] == np.float32(2**-24)
    assert PLAIN.vector[number](*args)[0] == 0


@pytest.mark.parametrize(
    ("name", "a", "b", "expected"),
    [
        ("@add16", 0xFFFF, 2, 1),
        ("@sub16", 1, 3, 0xFFFE),
        ("@and16", 0b1100, 0b1010, 0b1000),
        ("@or16", 0b1100, 0b1010, 0b1110),
        ("@xor16", 0b1100, 0b1010, 0b0110),
        ("@sll16", 0x8001, 1, 2),
        ("@slr16", 0x8001, 1, 0x4000),
        ("@sar16", 0x8000, 3, 0xF000),
        ("@sll16", 1, 16, 0),
        ("@slr16", 0x8000, 40, 0),
    ],
)
def test_integer_operations(name: str, a: int, b: int, expected: int) -> None:
    arrays = np.array([a], np.uint16), np.array([b], np.uint16)
    assert vector(name, *arrays).tolist() == [expected]
    assert bits(name, a, b) == expected


def test_bit_counts() -> None:
    a = np.array([0, 1, 0x00F0, 0x8000], np.uint16)
    assert vector("@clz", a).tolist() == [16, 15, 8, 0]
    assert vector("@ctz", a).tolist() == [16, 0, 4, 15]
    assert vector("@popcnt", a).tolist() == [0, 1, 4, 1]


def test_conversions() -> None:
    wide = np.array([1.5, 2.5, -40000, np.nan], np.float32)
    assert vector("@fs2xp16", wide).tolist() == [2, 2, -32768, 0]
    assert vector("@xp162fs", np.array([-3], np.int16)).tolist() == [-3.0]
    assert vector("@fs2h", np.array([1 + 2**-12], np.float32)).dtype == np.float16
    assert vector("@fh2s", np.array([0.5], np.float16)).dtype == np.float32
    assert vector("@fnorms", np.array([-12.0], np.float32)).tolist() == [-1.5]
    scaled = vector("@fscales", np.array([3.0], np.float32), np.array([-2], np.int16))
    assert scaled.tolist() == [0.75]


def test_a_maximum_with_nan_shows_it() -> None:
    nan = np.array([np.nan], np.float32)
    one = np.array([1], np.float32)
    assert np.isnan(vector("@fmaxs", nan, one)[0])
    quiet = arithmetic_of(Semantics(max_propagates_nan=False))
    assert quiet.vector[OPERATIONS["@fmaxs"].number](nan, one)[0] == 1


def test_every_operation_has_element_types_and_functions() -> None:
    assert len(OPERATIONS) == 43
    for spec in OPERATIONS.values():
        source_bits = [to_bits(1, dtype) for dtype in spec.source_dtypes]
        result = from_bits(PLAIN.bits[spec.number](*source_bits), spec.dest_dtype)
        assert np.asarray(result).dtype == spec.dest_dtype


# --- on memory --------------------------------------------------------------------


def unit(arithmetic=PLAIN) -> tuple[Memory, VectorUnit]:
    memory = Memory(1024)
    return memory, VectorUnit(memory, arithmetic)


def run(vectors: VectorUnit, name: str, dest, *sources, n: int, fold=False) -> None:
    vectors.run(OPERATIONS[name], dest, sources, n, 0, fold)


def test_reductions_round_after_every_element() -> None:
    memory, vectors = unit()
    values = np.array([2**24, 1, 1, 1, -(2**24)], np.float32)
    memory.vector(F32, 100, 1, 5)[:] = values
    run(
        vectors,
        "@fadds",
        ScalarPointer(40),
        np.float32(0),
        Mem1d(100, 0, 1, 5),
        n=5,
        fold=True,
    )
    assert memory.load(F32, 40) == 0  # pairwise summation would keep some of the ones


def test_a_pointer_destination_keeps_the_last_element() -> None:
    memory, vectors = unit()
    memory.vector(F16, 100, 1, 3)[:] = [1, 2, 3]
    run(vectors, "@fmovh", ScalarPointer(40), Mem1d(100, 0, 1, 3), n=3)
    assert memory.load(F16, 40) == 3


def test_an_overlapping_move_sees_what_it_has_moved() -> None:
    memory, vectors = unit()
    memory.vector(U16, 100, 1, 5)[:] = [1, 2, 3, 4, 5]
    run(vectors, "@mov16", Mem1d(102, 0, 1, 4), Mem1d(100, 0, 1, 4), n=4)
    assert memory.vector(U16, 100, 1, 5).tolist() == [1, 1, 1, 1, 1]
    memory.vector(U16, 100, 1, 5)[:] = [1, 2, 3, 4, 5]
    run(vectors, "@mov16", Mem1d(100, 0, 1, 4), Mem1d(102, 0, 1, 4), n=4)
    assert memory.vector(U16, 100, 1, 5).tolist() == [2, 3, 4, 5, 5]


def test_a_prefix_sum_in_place() -> None:
    memory, vectors = unit()
    memory.vector(I16, 100, 1, 5)[:] = [1, 2, 3, 4, 5]
    tail, head = Mem1d(102, 0, 1, 4), Mem1d(100, 0, 1, 4)
    run(vectors, "@add16", tail, tail, head, n=4)
    assert memory.vector(I16, 100, 1, 5).tolist() == [1, 3, 6, 10, 15]


def test_a_zero_stride_accumulator() -> None:
    memory, vectors = unit()
    memory.vector(F32, 100, 1, 4)[:] = [1, 2, 3, 4]
    memory.store(F32, 40, 10)
    cell = Mem1d(40, 0, 0, 4)
    run(vectors, "@fadds", cell, cell, Mem1d(100, 0, 1, 4), n=4)
    assert memory.load(F32, 40) == 20
    run(vectors, "@fmacs", cell, cell, Mem1d(100, 0, 1, 4), np.float32(2), n=4)
    assert memory.load(F32, 40) == 40


def test_rows_added_into_one_row() -> None:
    memory, vectors = unit()
    memory.vector(F32, 100, 1, 6)[:] = [1, 2, 3, 4, 5, 6]
    into = Mem4d(40, 0, (1, -2), (2, 3))
    run(vectors, "@fadds", into, into, Mem1d(100, 0, 1, 6), n=6)
    assert memory.vector(F32, 40, 1, 3).tolist() == [5, 7, 9]


def test_a_carry_runs_through_a_long_sum() -> None:
    memory, vectors = unit()
    memory.vector(U16, 100, 1, 3)[:] = [0xFFFF, 0xFFFF, 1]
    memory.vector(U16, 200, 1, 3)[:] = [1, 0, 0]
    run(
        vectors,
        "@addc16",
        Mem1d(300, 0, 1, 3),
        Mem1d(100, 0, 1, 3),
        Mem1d(200, 0, 1, 3),
        n=3,
    )
    assert memory.vector(U16, 300, 1, 3).tolist() == [0, 0, 2]


def test_an_accumulator_inside_its_own_vector() -> None:
    memory, vectors = unit()
    memory.vector(F32, 100, 1, 3)[:] = [1, 2, 3]
    cell = Mem1d(104, 0, 0, 3)
    run(vectors, "@fadds", cell, cell, Mem1d(100, 0, 1, 3), n=3)
    assert memory.load(F32, 104) == (2 + 1) * 2 + 3
