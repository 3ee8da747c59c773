"""The search for the smallest mesh, beside trying them all."""

from __future__ import annotations

import math
from itertools import product

import pytest

from lowering.mesh import Mesh
from lowering.smallest_mesh import Found, smallest_mesh


def _tile_elements(shape: tuple[int, int], mesh: Mesh) -> int:
    return math.ceil(shape[0] / mesh.rows) * math.ceil(shape[1] / mesh.cols)


@pytest.mark.parametrize(
    "shape", [(200, 256), (1, 5000), (5000, 1), (7, 900), (97, 89), (3000, 30)]
)
@pytest.mark.parametrize("room", [40, 500, 5520])
def test_no_mesh_that_fits_has_fewer_pes(shape: tuple[int, int], room: int) -> None:
    limit = (60, 50)

    def fits(mesh: Mesh) -> bool:
        return _tile_elements(shape, mesh) <= room

    every = [Mesh(r, c) for r, c in product(range(1, 61), range(1, 51))]
    least = min((m.pe_count for m in every if fits(m)), default=None)
    found = smallest_mesh(fits, limit, 10_000)
    assert (found and found.mesh.pe_count) == least
    assert found is None or (found.is_smallest and fits(found.mesh))


def test_few_tries_are_needed_and_no_more_than_allowed() -> None:
    tried: list[Mesh] = []

    def fits(mesh: Mesh) -> bool:
        tried.append(mesh)
        return mesh.pe_count >= 200_000

    found = smallest_mesh(fits, (994, 750), 30)
    assert found is not None
    assert not found.is_smallest
    assert found.mesh.pe_count >= 200_000
    assert len(tried) < 45


def test_the_first_side_is_only_a_guess() -> None:
    def fits(mesh: Mesh) -> bool:
        return mesh.pe_count >= 12

    for side in (1, 3, 4, 9, 40):
        assert smallest_mesh(fits, (20, 20), 100, side) == Found(Mesh(3, 4), True)


def test_nothing_fits() -> None:
    assert smallest_mesh(lambda mesh: False, (994, 750), 30) is None
