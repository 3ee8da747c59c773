"""Rules for the registers that operations name themselves (WSE-2; SDK 2 lifts them on
WSE-3)."""

from __future__ import annotations

from pyflame.wse.language import code
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.values import DsrValue


def check_registers(call: Invocation, operands: list[code.Expression]) -> None:
    """One vector is read through src1; destination and src0 have one number.

    Raises:
        CslError: for an operation with a destination that breaks one of them.
    """
    if call.program.options.arch != "wse2" or len(operands) < 2:
        return
    dest, first = operands[0], operands[1]
    if len(operands) == 2 and str(first.type) == "dsr_src0":
        fail(
            f"'{call.name}' reads its vector through a dsr_src1 on wse2, "
            "got a dsr_src0",
            first.span,
            help="make it with @get_dsr(dsr_src1, ...)",
        )
    registers = [o.value for o in (dest, first) if isinstance(o, code.Constant)]
    pair = [value for value in registers if isinstance(value, DsrValue)]
    if (
        len(pair) == 2
        and pair[1].kind == "dsr_src0"
        and pair[0].number != pair[1].number
    ):
        fail(
            f"'{call.name}' writes {pair[0].kind} {pair[0].number} and reads dsr_src0 "
            f"{pair[1].number}; on wse2 both have the same number",
            first.span,
        )
