"""From the layouts a user gives to one layout of the compiler per value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax

from lowering.errors import LayoutError, LoweringError
from lowering.mesh import Layout, Mesh, mesh_of
from pyflame.codegen.options import CodeGenOptions
from pyflame.codegen.staged import is_at
from pyflame.errors import ArgumentError
from pyflame.layout import MeshLayout, check_layout

Layouts = tuple[MeshLayout | None, ...]


def spread(what: str, given: Any, tree: Any, names: Sequence[str]) -> Layouts:
    """One layout per leaf of `tree`.

    `given` is None, one layout for all, a table by name, or a pytree of layouts. Names
    and pytrees may stop early: a layout then holds for everything below.

    Raises: ArgumentError, if it does not match, or holds something else than layouts.
    """
    if isinstance(given, dict) and given and set(map(type, given)) == {str}:
        if all(any(is_at(path, name) for name in names) for path in given):
            return tuple(
                check_layout(f"{what}[{name!r}]", _of_name(given, name))
                for name in names
            )
    if given is None or isinstance(given, MeshLayout):
        return (given,) * len(names)
    wanted = jax.tree.unflatten(tree, names)
    given = _like_containers(given, wanted)
    try:
        matched = jax.tree.broadcast(given, wanted, is_leaf=_ends)
    except ValueError:
        raise ArgumentError(
            f"{what}={given!r} does not match the values {', '.join(names)}",
            rule=f"{what} is None, one layout, a table by name, or one layout each",
        ) from None
    found = jax.tree.leaves(matched, is_leaf=_ends)
    return tuple(
        check_layout(f"{what} of {name}", layout)
        for name, layout in zip(names, found, strict=True)
    )


def merged(first: Layouts, otherwise: Layouts) -> Layouts:
    """What was asked for in the call, else what the tensor itself asks for."""
    return tuple(a or b for a, b in zip(first, otherwise, strict=True))


def lowered(layouts: Layouts) -> tuple[Layout | None, ...]:
    """The same layouts in the compiler's terms."""
    return tuple(
        None if x is None else Layout(x.kind, x.rows, x.cols)  # pyright: ignore
        for x in layouts
    )


def mesh_for(options: CodeGenOptions, layouts: Sequence[Layout | None]) -> Mesh | None:
    """The mesh that options and layouts ask for; None if they leave it open."""
    rows, cols = options.fabric_height, options.fabric_width
    if not rows and not cols and not any(layouts):
        return None
    needed = mesh_of(layouts)
    return Mesh(rows or needed.rows, cols or needed.cols)


def mesh_problems(
    mesh: Mesh | None, layouts: Sequence[Layout | None], names: Sequence[str]
) -> list[LoweringError]:
    """Every layout that is larger than the fabric asked for."""
    if mesh is None:
        return []
    return [
        LayoutError(
            f"layout {layout} of {name} does not fit a fabric of {mesh} PEs "
            "(rows x columns)",
            rule="no layout has more rows or columns than fabric_height and "
            "fabric_width",
            help=f"set fabric_width={max(layout.cols, mesh.cols)}, "
            f"fabric_height={max(layout.rows, mesh.rows)}, or 0 for what is needed",
        )
        for name, layout in zip(names, layouts, strict=True)
        if layout is not None and (layout.rows > mesh.rows or layout.cols > mesh.cols)
    ]


def _of_name(table: dict[str, Any], name: str) -> Any:
    """The entry of the name, or the nearest one above it."""
    while name and name not in table:
        name = name.rpartition(".")[0]
    return table.get(name)


def _like_containers(given: Any, wanted: Any) -> Any:
    """A list where a tuple is wanted, and the other way round, is as good."""
    if isinstance(given, (list, tuple)) and type(wanted) in (list, tuple):
        return type(wanted)(given)
    return given


def _ends(x: Any) -> bool:
    return x is None or isinstance(x, MeshLayout)
