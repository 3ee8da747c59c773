"""The mesh that a program runs on: the one asked for, or the best one.

Where a program does not fit the one asked for, the message names one that it fits.
"""

from __future__ import annotations

import math
from dataclasses import replace

from lowering.errors import DoesNotFitError, LayoutError
from lowering.fitting import Attempt, Request, attempt
from lowering.jaxprs import ClosedJaxpr, shape_of, sub_jaxprs
from lowering.mesh import Layout, Mesh, mesh_of
from lowering.partition.partition import Partitioned
from lowering.plan import Plan, check_fits
from lowering.smallest_mesh import smallest_mesh

# Meshes that are tried when nobody chose one; the larger ones only if none fits.
_SMALL_MESHES = (Mesh(1, 1), Mesh(1, 2), Mesh(2, 1), Mesh(2, 2), Mesh(4, 4))
_LARGER_SIDES = (8, 16, 32, 64, 128, 256, 512)
# How many meshes the message of a program that does not fit may try: fewer for long
# programs, which take as many seconds per try as they have thousands of equations.
_MAX_TRIES = 150
_MIN_TRIES = 8
_TRIED_EQUATIONS = 3_000
_TRACES_OF_BODIES = 3
# Code that is so much longer than a PE's memory fits on no mesh, or on the largest.
_HOPELESS = 1.25
_TOO_LONG = "the code alone takes that much, on every mesh: compile it in parts"
_NO_MESH = "no mesh of this wafer is large enough: make the largest values smaller"
# A larger mesh must take less than this part of a smaller one's predicted cycles.
_WORTHWHILE = 0.75


def planned_for(request: Request, mesh: Mesh | None) -> tuple[Partitioned, Plan]:
    """Partition and plan on the mesh asked for, or on the best one.

    Raises: DoesNotFitError, with the smallest mesh that fits.
    """
    given = any(layout is not None for layout in request.layouts)
    if mesh is None and not given:
        found = _fastest(request)
    else:
        found = attempt(request, mesh_of(request.layouts, mesh))
    if found.fits:
        return found.partitioned, found.plan
    is_open = mesh is None and not given
    names = list(found.plan.inputs)
    users = [n for n, layout in zip(names, request.in_layouts, strict=True) if layout]
    text = _no_mesh(found) if is_open else _help(request, found)
    check_fits(found.plan, found.partitioned.in_placements, text, users)
    raise AssertionError("check_fits raises for a plan that does not fit")


def _fastest(request: Request) -> Attempt:
    """The smallest mesh that fits, or a larger one that earns its PEs in cycles.

    The largest mesh, if none fits.
    """
    best: Attempt | None = None
    for mesh in _SMALL_MESHES:
        tried = _fitting(request, mesh)
        if tried and (best is None or _earns_its_pes(tried, best)):
            best = tried
    largest = Mesh(*_largest_extent(request))
    sides = [side for side in _LARGER_SIDES if side < max(largest.extent)]
    for mesh in (*(Mesh(side, side) for side in sides), largest):
        best = best or _fitting(request, mesh)
    return best or attempt(request, largest)


def _earns_its_pes(larger: Attempt, smaller: Attempt) -> bool:
    return larger.plan.cost.cycles < _WORTHWHILE * smaller.plan.cost.cycles


def _fitting(request: Request, mesh: Mesh) -> Attempt | None:
    """Partition and plan on the mesh, or None if the mesh is too small."""
    try:
        tried = attempt(request, mesh)
    except (DoesNotFitError, LayoutError):
        return None
    return tried if tried.fits else None


def _help(request: Request, failed: Attempt) -> str:
    """The smallest mesh that fits, with a grid on all of it instead of every layout.

    If the program needs less with loops, no other mesh is tried without them.
    """
    if failed.request.closed is request.rolled:
        request = failed.request

    def fits(mesh: Mesh) -> bool:
        return _fitting(_on_grid(request, mesh), mesh) is not None

    limit = _largest_extent(request)
    is_hopeless = failed.plan.cost.code_bytes > _HOPELESS * failed.plan.cost.sram_bytes
    if is_hopeless and not fits(Mesh(*limit)):
        return _TOO_LONG
    equations = max(1, _traced_equations(request.closed))
    tries = min(_MAX_TRIES, max(_MIN_TRIES, _TRIED_EQUATIONS // equations))
    found = smallest_mesh(fits, limit, tries, _first_side(failed.plan))
    if found is None:
        return _no_mesh(failed)
    grid = Layout("grid", *found.mesh.extent)
    return f"{grid} is {'the smallest' if found.is_smallest else 'a'} mesh that fits"


def _largest_extent(request: Request) -> tuple[int, int]:
    """Rows and columns beyond which tiles get no smaller: the largest dimension of any
    value, if the wafer has as many."""
    rows, cols = request.target.max_mesh
    side = max(1, _largest_dim(request.closed))
    return min(rows, side), min(cols, side)


def _largest_dim(closed: ClosedJaxpr) -> int:
    atoms = [*closed.jaxpr.invars, *closed.jaxpr.constvars]
    atoms += [atom for eqn in closed.eqns for atom in (*eqn.invars, *eqn.outvars)]
    dims = [size for atom in atoms for size in shape_of(atom)]
    inner = [sub for eqn in closed.eqns for sub in sub_jaxprs(eqn)]
    return max([*dims, *map(_largest_dim, inner)], default=1)


def _traced_equations(closed: ClosedJaxpr) -> int:
    """How many equations a try traces; bodies of loops are traced again for trial."""
    inner = [sub for eqn in closed.eqns for sub in sub_jaxprs(eqn)]
    return len(closed.eqns) + _TRACES_OF_BODIES * sum(map(_traced_equations, inner))


def _no_mesh(failed: Attempt) -> str:
    """What to do about a program that does not fit when the largest mesh does not."""
    return _TOO_LONG if failed.is_code_too_long else _NO_MESH


def _on_grid(request: Request, mesh: Mesh) -> Request:
    grid = Layout("grid", *mesh.extent)
    return replace(
        request,
        in_layouts=tuple(layout and grid for layout in request.in_layouts),
        out_layouts=tuple(layout and grid for layout in request.out_layouts),
    )


def _first_side(planned: Plan) -> int:
    """No smaller square has room for the data, were it spread evenly."""
    room = planned.cost.sram_bytes - planned.cost.code_bytes
    inputs = sum(value.size_bytes for value in planned.inputs.values())
    rows, cols = planned.mesh.extent
    return max(2, math.isqrt(max(1, rows * cols * inputs // max(room, 1))))
