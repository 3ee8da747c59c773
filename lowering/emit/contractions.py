"""Sums of products as statements: loops around one vector operation, or scalars."""

from __future__ import annotations

from lowering.dtypes import ELEMENT_TYPES
from lowering.emit.dsds import Dsds
from lowering.emit.indexing import moved, typed_number
from lowering.emit.registry import step_lines
from lowering.emit.text import index_text, nest
from lowering.plan.element_ops import MOVES
from lowering.plan.steps_contract import ContractScheme, ContractStep, contract_scheme
from lowering.plan.values import View
from lowering.target import Target

# A sum of products has up to ten dimensions.
_NAMES = (*"ijklmn", "inner_1", "inner_2", "inner_3", "inner_4")


@step_lines.register
def _contract(step: ContractStep, dsds: Dsds, target: Target) -> list[str]:
    scheme = contract_scheme(step, target)
    return _vectors(scheme, dsds) if scheme.has_vectors else _scalars(scheme, dsds)


def _vectors(scheme: ContractScheme, dsds: Dsds) -> list[str]:
    """`out += scalar * vector`, from zero on."""
    sizes = scheme.sizes
    names = () if sizes == (1,) else _NAMES[: len(sizes)]
    out, vector = (
        moved(dsds, view, index_text(names, loop.strides))
        for view, loop in zip((scheme.out, scheme.vector), scheme.loops, strict=False)
    )
    factor = _element(scheme.loops[2], names, dsds)
    value = scheme.out.value
    return [
        f"  {MOVES[str(value.dtype)]}({dsds.whole(value)}, 0.0);",
        *nest(names, sizes, [f"@fmacs({out}, {out}, {vector}, {factor});"]),
    ]


def _scalars(scheme: ContractScheme, dsds: Dsds) -> list[str]:
    """One element of the result after the other, its sum in a register."""
    out, a, b = scheme.loops
    sizes = scheme.sizes
    names = () if sizes == (1,) else _NAMES[: len(sizes)]
    count = sum(stride != 0 for stride in out.strides[: len(names)])
    product = f"{_element(a, names, dsds)} * {_element(b, names, dsds)}"
    summed = nest(names[count:], sizes[count:], [f"seen = seen + {product};"])
    body = [
        f"var seen: {ELEMENT_TYPES[str(out.dtype)]} = {typed_number(0, out.dtype)};",
        *(line[2:] for line in summed),
        f"{_element(out, names[:count], dsds)} = seen;",
    ]
    if not names[:count]:  # a scope of its own
        return ["  {", *(f"    {line}" for line in body), "  }"]
    return nest(names[:count], sizes[:count], body)


def _element(view: View, names: tuple[str, ...], dsds: Dsds) -> str:
    index = index_text(names, view.strides, view.offset)
    return f"{dsds.buffer_name(view.value)}[{index}]"
