"""The check after emission: the text is a program, and its parts fit together."""

from __future__ import annotations

from lowering.errors import LoweringError
from lowering.lower import Lowered
from pyflame.codegen import simulate
from pyflame.wse.errors import CslError


def check_text(lowered: Lowered) -> None:
    """Compiles the generated files and looks for the host's symbols among the exports.

    Raises: LoweringError, with the front end's message; it means that the compiler, not
    its user, is at fault.
    """
    try:
        image = simulate.compile_text(lowered)
    except CslError as error:
        raise LoweringError(
            f"the generated text does not compile\n{error.render()}",
            rule="what is generated is a CSL program",
            help="this is a fault of the compiler: please report it",
        ) from error
    exported = {export.name for export in image.exports}
    wanted = {*lowered.plan.inputs, *lowered.plan.outputs, simulate.ENTRY}
    if missing := sorted(wanted - exported):
        raise LoweringError(
            f"the generated text does not export {', '.join(missing)}",
            rule="the host finds every input, output and the entry by name",
            help="this is a fault of the compiler: please report it",
        )
