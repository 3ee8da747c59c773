"""The check after emission: the text is a program, and its parts fit together.

The layout block runs once per PE, so the check takes a mesh of few PEs that has every
kind of place of the real one: first and last, and between them even and odd. All that
differs in the text is the two numbers that the layout begins with.
"""

from __future__ import annotations

from lowering.emit import ENTRY
from lowering.errors import LoweringError
from lowering.lower import Lowered
from lowering.mesh import Mesh
from pyflame.codegen import simulate
from pyflame.wse.errors import CslError

_KINDS_OF_PLACES = 4


def check_mesh(mesh: Mesh) -> Mesh:
    """The smallest mesh with the same kinds of places as this one."""
    return Mesh(_check_size(mesh.rows), _check_size(mesh.cols))


def _check_size(size: int) -> int:
    """First, odd, even, last; and the last of the parity that it has in `size`."""
    return size if size <= _KINDS_OF_PLACES else _KINDS_OF_PLACES + size % 2


def text_on(mesh: Mesh, lowered: Lowered) -> dict[str, str]:
    """The generated files with this mesh instead of their own."""
    old = lowered.plan.mesh
    layout = lowered.files["layout.csl"]
    for name, before, after in (
        ("width", old.cols, mesh.cols),
        ("height", old.rows, mesh.rows),
    ):
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
        small = check_mesh(lowered.plan.mesh)
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
