import numpy as np
import pytest

from pyflame.wse.errors import MachineFault
from pyflame.wse.machine.memory import F16, F32, I16, U16, U32, Memory


def test_views_show_the_same_bytes() -> None:
    memory = Memory(64)
    memory.u32[1] = 0x3F80_0000
    assert memory.f32[1] == np.float32(1)
    assert memory.u16[3] == 0x3F80
    assert memory.u8[7] == 0x3F
    memory.i16[0] = -2
    assert memory.u16[0] == 0xFFFE


def test_a_32_bit_vector_may_start_at_a_16_bit_word() -> None:
    memory = Memory(64)
    vector = memory.vector(F32, 6, 1, 3)
    vector[:] = [1.5, 2.5, 3.5]
    assert memory.load_bits(10, 4) == 0x4020_0000  # 2.5
    assert memory.u16[4] == 0x3FC0  # the upper half of 1.5
    np.testing.assert_array_equal(memory.vector(F32, 6, 1, 3) * 2, [3, 5, 7])


@pytest.mark.parametrize(
    ("address", "stride", "expected"),
    [(4, 2, [2, 4, 6]), (12, -2, [6, 4, 2]), (4, -1, [2, 1, 0])],
)
def test_strides_go_both_ways(address: int, stride: int, expected: list[int]) -> None:
    memory = Memory(64)
    memory.np_u16[:] = np.arange(32)
    np.testing.assert_array_equal(
        memory.vector(U16, address, stride, 3), np.array(expected)
    )


def test_of_equal_addresses_the_last_store_wins() -> None:
    memory = Memory(64)
    addresses = np.array([8, 10, 8])
    memory.scatter(I16, addresses, np.array([1, 2, 3], I16))
    assert memory.gather(I16, addresses).tolist() == [3, 2, 3]


@pytest.mark.parametrize(
    ("address", "stride", "count"), [(60, 1, 2), (4, -1, 3), (64, 1, 1), (-4, 1, 1)]
)
def test_vectors_outside_the_memory_are_faults(
    address: int, stride: int, count: int
) -> None:
    with pytest.raises(MachineFault, match="are not in the 64 bytes of this PE's"):
        Memory(64).vector(F32, address, stride, count)


def test_faults_name_the_bytes() -> None:
    with pytest.raises(MachineFault) as caught:
        Memory(64).write(62, b"abcd")
    assert (
        str(caught.value)
        == "bytes 62 to 65 are not in the 64 bytes of this PE's memory"
    )
    with pytest.raises(MachineFault, match=r"^address 0x0005 is not a multiple of 2"):
        Memory(64).vector(F16, 5, 1, 1)


def test_raw_bits_of_unaligned_words() -> None:
    memory = Memory(64)
    memory.store_bits(2, 4, 0x1234_5678)
    assert memory.load_bits(2, 4) == 0x1234_5678
    assert memory.load_bits(4, 2) == 0x1234
    assert int(memory.load(U32, 2)) == 0x1234_5678
