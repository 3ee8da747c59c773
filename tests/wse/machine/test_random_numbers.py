"""The generator behind `@random16`."""

from pyflame.wse.machine.random_numbers import RandomNumbers


def numbers_bit_by_bit(seed: int, count: int) -> list[int]:
    """The register as its polynomial says, one bit at a time."""
    state, numbers = seed, list[int]()
    for _ in range(count):
        numbers.append(state & 0xFFFF)
        for _ in range(128):
            state = (state << 1 | (state >> 22 ^ state >> 17) & 1) & 0xFFFF_FFFF
    return numbers


def test_numbers_are_those_of_the_polynomial() -> None:
    random = RandomNumbers()
    drawn = [random.next_u16() for _ in range(100)]
    assert drawn[0] == 0xBEEF
    assert drawn == numbers_bit_by_bit(0xDEADBEEF, 100)


def test_a_seed_starts_the_sequence_anew() -> None:
    random = RandomNumbers()
    random.seed(12345)
    assert [random.next_u16() for _ in range(9)] == numbers_bit_by_bit(12345, 9)


def test_a_seed_without_low_bits_is_the_initial_one() -> None:
    random = RandomNumbers()
    random.seed(1 << 23)
    assert random.next_u16() == 0xBEEF


def test_pi_from_200_points() -> None:
    """Two draws per number, the first one its high half, scaled to [-1, 1)."""
    random = RandomNumbers()

    def coordinate() -> float:
        high, low = random.next_u16(), random.next_u16()
        return (high << 16 | low) / 2**31 - 1

    hits = sum(coordinate() ** 2 + coordinate() ** 2 <= 1 for _ in range(200))
    assert 4 * hits / 200 == 3.14
