"""The check after emission: the text is a program, and its parts fit together.

The layout block runs once per PE, so the check takes a mesh of few PEs that has every
kind of place of the real one: first and last, and between them even and odd; of groups
of PEs and of the PEs in them. All that differs in the text is numbers in the layout:
the sides of the mesh, and the sizes of groups.
"""

from __future__ import annotations

from collections.abc import Mapping

from lowering.emit import ENTRY
from lowering.errors import LoweringError
from lowering.lower import Lowered
from lowering.mesh import COLS, ROWS, Axis, Mesh
from pyflame.codegen import simulate
from pyflame.wse.errors import CslError

_KINDS_OF_PLACES = 4


def check_mesh(mesh: Mesh, groups: Mapping[Axis, int]) -> Mesh:
    """The smallest mesh with the same kinds of places as this one.

    `groups` has the PEs per group of the axes whose lines have several groups.
    """
    return Mesh(
        _check_size(mesh.rows, groups.get(ROWS, 0)),
        _check_size(mesh.cols, groups.get(COLS, 0)),
    )


def groups_of(lowered: Lowered) -> dict[Axis, int]:
    """PEs per group of the axes whose lines are reduced in two phases."""
    return {
        line.axis: line.group
        for line in lowered.plan.resources.lines
        if line.group < line.size
    }


def _check_size(size: int, group: int) -> int:
    """First, odd, even, last; and the last of the parity that it has in `size`.

    Of groups the same, and in each of them; a shorter last one has at most three PEs.
    """
    if not group:
        return _few(size)
    rest = size % group
    full = _few(-(-size // group)) - (1 if rest else 0)
    return full * _check_group(group) + (rest if rest < 2 else 2 + rest % 2)


def _few(count: int) -> int:
    return count if count <= _KINDS_OF_PLACES else _KINDS_OF_PLACES + count % 2


def _check_group(group: int) -> int:
    return min(group, _KINDS_OF_PLACES)


def text_on(mesh: Mesh, lowered: Lowered) -> dict[str, str]:
    """The generated files with this mesh instead of their own."""
    old = lowered.plan.mesh
    layout = lowered.files["layout.csl"]
    sizes = [("width", old.cols, mesh.cols), ("height", old.rows, mesh.rows)]
    for axis, group in groups_of(lowered).items():
        sizes.append((f"{axis}_group", group, _check_group(group)))
    for name, before, after in sizes:
        line = f"const {name}: u16 = {before};\n"
        assert layout.count(line) == 1, f"the layout states its {name} once"
        layout = layout.replace(line, f"const {name}: u16 = {after};\n")
    return {**lowered.files, "layout.csl": layout}


def check_text(lowered: Lowered) -> None:
    """Compiles the generated files on a small mesh and looks for the host's symbols
    among the exports.

    Raises: LoweringError, with the front end's message; it means that the compiler, not
    its user, is at fault.
    """
    try:
        small = check_mesh(lowered.plan.mesh, groups_of(lowered))
        target = lowered.plan.target
        image = simulate.compile_files(text_on(small, lowered), small, target)
    except CslError as error:
        raise LoweringError(
            f"the generated text does not compile\n{error.render()}",
            rule="what is generated is a CSL program",
            help="this is a fault of the compiler: please report it",
        ) from error
    exported = {export.name for export in image.exports}
    wanted = {*lowered.plan.inputs, *lowered.plan.outputs, ENTRY}
    if missing := sorted(wanted - exported):
        raise LoweringError(
            f"the generated text does not export {', '.join(missing)}",
            rule="the host finds every input, output and the entry by name",
            help="this is a fault of the compiler: please report it",
        )
