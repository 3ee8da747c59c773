"""Stacks that need not exist: their rows stay the arrays that they are.

What is joined only for loops that take a row in each pass (the weights of layers), and
what loops leave only to be taken apart (their gradients), would stand in memory twice.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from typing import Any

from lowering.jaxprs import JaxprEqn, Var, shape_of
from lowering.plan.origins import Origin
from lowering.plan.select import Selection
from lowering.plan.steps_rows import PutRowStep, Rows, TakeRowStep
from lowering.plan.values import Count, Operand, Value, View, is_contiguous, whole

_SHOWN = 4  # rows that comments name


def bind_stack(selection: Selection, eqn: JaxprEqn) -> bool:
    """Lets a concatenation be its pieces, if only loops read it, a row per pass."""
    var: Any = eqn.outvars[0]
    if eqn.params["dimension"] != 0 or not _only_read_by(
        selection, var, is_slice=False
    ):
        return False
    pieces = map(selection.read, eqn.invars)
    values = [
        piece.value for piece in pieces if isinstance(piece, View) and _is_row(piece)
    ]
    if len(values) < len(eqn.invars):
        return False
    selection.rows[var] = _rows(selection, tuple(values))
    texts = [selection.text(atom) for atom in eqn.invars]
    shown = texts if len(texts) <= _SHOWN else [*texts[: _SHOWN - 1], "...", texts[-1]]
    selection.bind_text(var, f"[{', '.join(shown)}]")
    return True


def bind_taken_apart(selection: Selection, eqn: JaxprEqn, result: int) -> Rows | None:
    """Values for the rows of a loop's stacked result that is only read in rows."""
    var: Any = eqn.outvars[result]
    if not _only_read_by(selection, var, is_slice=True):
        return None
    aval: Any = var.aval
    name = selection.names.unique("stacked")
    values = tuple(
        Value(
            selection.names.unique(f"{name}_{number}"),
            aval.shape[1:],
            aval.dtype,
            place=selection.place(eqn),
        )
        for number in range(aval.shape[0])
    )
    selection.rows[var] = _rows(selection, values)
    selection.bind_text(var, name)
    return selection.rows[var]


def slice_row(selection: Selection, eqn: JaxprEqn) -> bool:
    """Binds a slice that is a row of such a stack."""
    rows = selection.rows.get(eqn.invars[0])
    if rows is None:
        return False
    value = rows.values[eqn.params["start_indices"][0]]
    strides = whole(value).strides
    view = View(value, (1, *value.shape), (value.element_count, *strides))
    selection.bind(eqn.outvars[0], view, value.name)
    return True


def take_row(
    selection: Selection, eqn: JaxprEqn, position: int, var: Var, count: Count
) -> Value:
    """The pass's row of an operand, as a value of its own that the loop calls `var`.

    The values of rows may have been given that shape without a copy.
    """
    atom: Any = eqn.invars[position]
    rows = selection.rows[atom]
    first, text = rows.values[0], selection.text(atom)
    name = selection.names.unique(f"{first.name}_row")
    out = Value(name, shape_of(var), first.dtype, place=selection.place(eqn))
    origin = Origin(f"{name} = {text}[{count.loop.name}]", selection.place(eqn))
    selection.add(TakeRowStep(out, rows, count, origin))
    return out


def put_row(
    selection: Selection, rows: Rows, operand: Operand, count: Count, origin: Origin
) -> None:
    """The pass's row becomes what the operand is."""
    if not isinstance(operand, View) or not is_contiguous(
        operand.shape, operand.strides
    ):
        operand = whole(selection.materialise(operand, "row", origin))
    selection.add(PutRowStep(rows, count, operand, origin))


def _rows(selection: Selection, values: tuple[Value, ...]) -> Rows:
    return Rows(selection.names.unique(f"place_of_{values[0].name}"), values)


def _is_row(view: View) -> bool:
    return view.is_whole and view.shape[0] == 1


def _only_read_by(selection: Selection, var: Var, *, is_slice: bool) -> bool:
    """Whether all that read it are loops, a row per pass, or slices of one row."""
    uses = selection.uses.get(var, [])
    slices = [eqn for eqn, _ in uses if eqn is not None and _takes_row(eqn)]
    loops = [eqn for eqn, position in uses if eqn is not None and _loops(eqn, position)]
    is_known = len(slices) + len(loops) == len(uses) > 0
    return is_known and bool(slices) == is_slice


def _takes_row(eqn: JaxprEqn) -> bool:
    if eqn.primitive.name != "slice":
        return False
    return shape_of(eqn.outvars[0]) == (1, *shape_of(eqn.invars[0])[1:])


def _loops(eqn: JaxprEqn, position: int) -> bool:
    first = eqn.params.get("num_consts", 0) + eqn.params.get("num_carry", 0)
    return eqn.primitive.name == "scan" and position >= first
