"""Matrix products on one PE: vectors that are scaled and added, or loops."""

from __future__ import annotations

from lowering.dtypes import SCALAR_TYPES
from lowering.emit.dsds import Dsds
from lowering.emit.indexing import loop_names, moved
from lowering.emit.registry import step_lines
from lowering.emit.scalars import loaded
from lowering.emit.text import index_text, nest
from lowering.plan.schemes import dot_scheme, inner_scheme, is_scalar
from lowering.plan.steps import DotStep
from lowering.plan.values import Value, View, whole
from lowering.target import Target


@step_lines.register
def _product(step: DotStep, dsds: Dsds, target: Target) -> list[str]:
    if step.products is not None:
        return _inner_products(step, step.products, dsds, target)
    if is_scalar(step):
        return _scalar_dot(step, dsds)
    return _dot(step, dsds, target)


def _dot(step: DotStep, dsds: Dsds, target: Target) -> list[str]:
    scheme = dot_scheme(step, target)
    out, matrix, scalars = scheme.out, scheme.matrix, scheme.scalars
    arguments = [
        _first_vector(out, dsds),
        _first_vector(matrix, dsds),
        f"&{dsds.buffer_name(scalars.value)}",
        *map(
            str,
            (
                scheme.outer,
                scheme.inner,
                out.strides[0],
                matrix.strides[0],
                scalars.offset,
                *scalars.strides,
            ),
        ),
    ]
    function = "multiply_add" if step.adds else "multiply"
    if str(step.a.dtype) == "float16":
        function += "_f16"
    return [f"  linalg.{function}({', '.join(arguments)});"]


def _inner_products(
    step: DotStep, products: Value, dsds: Dsds, target: Target
) -> list[str]:
    """Per element of the result: a row times a column, summed in `total`."""
    scheme = inner_scheme(step, target)
    names = loop_names(scheme.shape)
    row, column = (
        moved(dsds, view, index_text(names, strides)) if names else dsds.view(view)
        for view, strides in (
            (scheme.row, scheme.row_strides),
            (scheme.column, scheme.column_strides),
        )
    )
    vector = dsds.whole(products)
    element = f"{dsds.buffer_name(step.out)}[{index_text(names, scheme.out_strides)}]"
    body = [
        f"@fmuls({vector}, {row}, {column});",
        f"total = {element if step.adds else '0.0'};",
        f"@fadds(&total, total, {vector});",
        f"{element} = total;",
    ]
    return nest(names, scheme.shape, body)


def _first_vector(matrix: View, dsds: Dsds) -> str:
    return dsds.vector(
        matrix.value, matrix.shape[1:], matrix.strides[1:], matrix.offset
    )


def _scalar_dot(step: DotStep, dsds: Dsds) -> list[str]:
    """Three loops, for what no vector operation multiplies."""
    (m, k), n = step.a.shape, step.b.shape[1]
    kind = SCALAR_TYPES[str(step.out.dtype)]
    left = _term(step.a, ("i", "k"), kind, dsds)
    right = _term(step.b, ("k", "j"), kind, dsds)
    out = whole(step.out)
    row_stride = out.strides[0] if len(out.strides) == 2 else n
    element = f"{dsds.buffer_name(step.out)}[{index_text(('i', 'j'), (row_stride, 1))}]"
    zero = "0.0" if kind == "f32" else "0"
    body = [
        f"var result: {kind} = {element if step.adds else zero};",
        *(line[2:] for line in nest(("k",), (k,), [f"result += {left} * {right};"])),
        f"{element} = result;",
    ]
    return nest(("i", "j"), (m, n), body)


def _term(matrix: View, names: tuple[str, str], kind: str, dsds: Dsds) -> str:
    index = index_text(names, matrix.strides, matrix.offset)
    element = loaded(matrix.dtype, f"{dsds.buffer_name(matrix.value)}[{index}]")
    is_same = SCALAR_TYPES[str(matrix.dtype)] == kind
    return element if is_same else f"@as({kind}, {element})"
