"""Products of vectors and matrices."""

from __future__ import annotations

from typing import Any

from pyflame.errors import ArgumentError
from pyflame.ops import linalg, products
from pyflame.recorded import apply


def matmul(a: Any, b: Any) -> Any:
    """[..., M, K] @ [..., K, N] -> [..., M, N]; vectors as in NumPy.

    Raises: ShapeError, if the inner or the batch dimensions do not match.
    """
    return apply(linalg.matmul, a, b)


def mm(a: Any, b: Any) -> Any:
    """[M, K] @ [K, N] -> [M, N].

    Raises: ShapeError, unless these are two matrices that match.
    """
    return apply(products.mm, a, b)


def bmm(a: Any, b: Any) -> Any:
    """[B, M, K] @ [B, K, N] -> [B, M, N].

    Raises: ShapeError, unless these are two stacks of matrices that match.
    """
    return apply(products.bmm, a, b)


def mv(a: Any, b: Any) -> Any:
    """[M, K] @ [K] -> [M].

    Raises: ShapeError, unless these are a matrix and a vector that match.
    """
    return apply(products.mv, a, b)


def dot(a: Any, b: Any) -> Any:
    """The sum of products of two vectors: a scalar.

    Raises: ShapeError, unless these are two vectors of one size.
    """
    return apply(products.dot, a, b)


def outer(a: Any, b: Any) -> Any:
    """The product of each pair of elements of two vectors: [M] and [N] give [M, N].

    Raises: ShapeError, unless these are two vectors.
    """
    return apply(products.outer, a, b)


def einsum(equation: str, *operands: Any) -> Any:
    """Products summed over letters: `einsum("bik,bkj->bij", a, b)` is `a @ b`.

    Raises: ShapeError, if the equation does not fit; ArgumentError, if it is no text.
    """
    match operands:
        case ([*_] as inner,):
            operands = tuple(inner)
    if not isinstance(equation, str) or not operands:
        raise ArgumentError(
            f"einsum: {type(equation).__name__} and {len(operands)} operands",
            rule="first comes the equation as text, then at least one operand",
            help='write pf.einsum("ij,jk->ik", a, b)',
        )
    return apply(products.einsum, *operands, equation=equation)
