"""The surface of Tensor beside PyTorch: one expression, evaluated by both.

A case is a name and a function of the module (pf or torch) and its arrays; values,
dtypes (int64 of PyTorch is int32 here) and, of floats, gradients are compared.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pyflame as pf

torch = pytest.importorskip("torch")

Case = tuple[str, Callable[..., Any], tuple[np.ndarray, ...]]

X = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
Y = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
ROW = np.array([0.5, -1.5, 2.0, 0.7], np.float32)
POSITIVE = np.abs(X) + 0.1
SHARE = 1 / (1 + np.exp(-X)) * 0.9 + 0.05
CUBE = np.random.default_rng(2).normal(size=(2, 3, 4)).astype(np.float32)
N = np.arange(-6, 6, dtype=np.int32).reshape(3, 4)
M = np.array([[3, -2, 5, 1], [2, 7, -4, 3], [1, 2, 3, 4]], np.int32)
B = X > 0
C = Y > 0.3
INDEX = np.array([[0, 2, 1, 0], [1, 1, 0, 2]], np.int32)
PLACES = np.array([2, 0, 0], np.int32)

POINTWISE: list[Case] = [
    (name, lambda m, x, name=name: getattr(m, name)(x), (data,))
    for data, names in [
        (X, "neg abs exp exp2 expm1 sin cos tan atan sinh cosh tanh asinh erf erfc"),
        (X, "floor ceil trunc frac round sign square relu sigmoid deg2rad rad2deg"),
        (POSITIVE, "sqrt rsqrt log log2 log10 log1p reciprocal"),
        (POSITIVE + 1, "acosh"),
        (SHARE, "asin acos atanh erfinv logit arcsin arccos arctan"),
        (N, "exp sqrt rsqrt floor ceil trunc round sign square reciprocal erf sigmoid"),
        (N, "neg abs negative absolute bitwise_not logical_not isnan isinf isfinite"),
        (B, "exp sign bitwise_not logical_not isnan square reciprocal"),
    ]
    for name in names.split()
]

BINARY: list[Case] = [
    *[
        (name, lambda m, a, b, name=name: getattr(m, name)(a, b), (X, ROW))
        for name in (
            "add sub mul div maximum minimum atan2 hypot logaddexp fmod remainder "
            "eq ne lt le gt ge subtract multiply divide true_divide arctan2 greater "
            "greater_equal less less_equal not_equal logical_and logical_xor isclose"
        ).split()
    ],
    *[
        (name, lambda m, a, b, name=name: getattr(m, name)(a, b), (N, M))
        for name in (
            "floor_divide remainder fmod bitwise_and bitwise_or bitwise_xor maximum "
            "logical_and logical_or logical_xor eq lt"
        ).split()
    ],
    ("a // b", lambda m, a, b: (a // b).detach(), (X, ROW)),
    ("a % b", lambda m, a, b: a % b, (X, ROW)),
    ("n % m", lambda m, a, b: a % b, (N, M)),
    ("n // 3", lambda m, a: a // 3, (N,)),
    ("7 % m", lambda m, a: 7 % a, (M,)),
    ("7 // m", lambda m, a: 7 // a, (M,)),
    ("x % 0.7", lambda m, a: a % 0.7, (X,)),
    ("x // -0.7", lambda m, a: (a // -0.7).detach(), (X,)),
    ("b & c", lambda m, a, b: a & b, (B, C)),
    ("b | c", lambda m, a, b: a | b, (B, C)),
    ("b ^ c", lambda m, a, b: a ^ b, (B, C)),
    ("~b", lambda m, a: ~a, (B,)),
    ("~n", lambda m, a: ~a, (N,)),
    ("n & m", lambda m, a, b: a & b, (N, M)),
    ("n ^ 5", lambda m, a: a ^ 5, (N,)),
    ("6 | n", lambda m, a: 6 | a, (N,)),
    ("True & b", lambda m, a: True & a, (B,)),
    ("n << 2", lambda m, a: a << 2, (N,)),
    ("n >> 1", lambda m, a: a >> 1, (N,)),
    ("2 << n", lambda m, a: 2 << (a % 5), (N,)),
    ("64 >> n", lambda m, a: 64 >> (a % 5), (N,)),
    ("+x", lambda m, a: +a, (X,)),
    ("add alpha", lambda m, a, b: m.add(a, b, alpha=0.5), (X, ROW)),
    ("sub alpha", lambda m, a, b: a.sub(b, alpha=2), (X, ROW)),
    ("div floor", lambda m, a, b: a.div(b, rounding_mode="floor"), (X, ROW)),
    ("div trunc", lambda m, a, b: m.div(a, b, rounding_mode="trunc"), (X, ROW)),
    ("div trunc n", lambda m, a, b: m.div(a, b, rounding_mode="trunc"), (N, M)),
    ("pow", lambda m, a, b: m.pow(a, b), (POSITIVE, ROW)),
    ("pow 3", lambda m, a: a.pow(3), (X,)),
    ("pow of number", lambda m, a: m.pow(2.0, a), (X,)),
    ("clamp", lambda m, a: m.clamp(a, -0.5, 0.5), (X,)),
    ("clamp min", lambda m, a: a.clamp(min=0.1), (X,)),
    ("clamp max", lambda m, a: a.clip(max=0.1), (X,)),
    ("clamp crossed", lambda m, a: a.clamp(0.5, -0.5), (X,)),
    ("clamp n", lambda m, a: a.clamp(-2, 3), (N,)),
    ("clamp n f", lambda m, a: a.clamp(-2.5, 3), (N,)),
    ("clamp by tensors", lambda m, a, b: m.clamp(a, b, b + 1), (X, Y)),
    ("lerp", lambda m, a, b: m.lerp(a, b, 0.3), (X, Y)),
    ("lerp by tensor", lambda m, a, b: a.lerp(b, a * b), (X, Y)),
    ("addcmul", lambda m, a, b: m.addcmul(a, b, a, value=0.5), (X, Y)),
    ("addcdiv", lambda m, a, b: a.addcdiv(b, a * a + 1, value=2), (X, Y)),
    ("isclose", lambda m, a: m.isclose(a, a + 1e-6), (X,)),
    ("nan_to_num", lambda m, a: m.nan_to_num(1 / m.floor(a), 2.0, 5.0), (X,)),
    ("round 1", lambda m, a: m.round(a, decimals=1), (X,)),
    ("where", lambda m, a, b: m.where(a > b, a, b), (X, Y)),
    ("x.where", lambda m, a, b: a.where(a > 0, b), (X, Y)),
    ("where of numbers", lambda m, a: m.where(a > 0, 1.0, a), (X,)),
]

REDUCTIONS: list[Case] = [
    ("sum", lambda m, x: m.sum(x, (0, 2)), (CUBE,)),
    ("mean", lambda m, x: x.mean((1, 2), keepdim=True), (CUBE,)),
    ("prod", lambda m, x: m.prod(x), (X,)),
    ("prod of columns", lambda m, x: x.prod(0), (X,)),
    ("prod of 0", lambda m, x: x.prod(1), (N.astype(np.float32),)),
    ("prod of n", lambda m, x: x.prod(1, keepdim=True), (M,)),
    ("any", lambda m, x: m.any(x), (B,)),
    ("any of rows", lambda m, x: (x > 0.5).any(1), (X,)),
    ("all", lambda m, x: x.all(0, keepdim=True), (B,)),
    ("all of n", lambda m, x: m.all(x), (N,)),
    ("count_nonzero", lambda m, x: m.count_nonzero(x, 0), (N,)),
    ("argmax", lambda m, x: m.argmax(x), (X,)),
    ("argmax of rows", lambda m, x: x.argmax(1), (X,)),
    ("argmin", lambda m, x: x.argmin(0, keepdim=True), (X,)),
    ("amax", lambda m, x: x.amax((0, 1)), (X,)),
    ("amin", lambda m, x: m.amin(x, 1), (X,)),
    ("var", lambda m, x: m.var(x), (X,)),
    ("var of rows", lambda m, x: x.var(1, correction=0), (X,)),
    ("var of two", lambda m, x: x.var((0, 2), keepdim=True), (CUBE,)),
    ("std", lambda m, x: m.std(x), (X,)),
    ("std of columns", lambda m, x: x.std(dim=0, correction=0.5), (X,)),
    ("std of equal", lambda m, x: (x * 0 + 2).std(1), (X,)),
    ("norm", lambda m, x: x.norm(), (X,)),
    ("norm of rows", lambda m, x: x.norm(dim=1, keepdim=True), (X,)),
    ("norm 1", lambda m, x: m.norm(x, 1), (X,)),
    ("norm 3", lambda m, x: x.norm(3, dim=0), (X,)),
    ("norm inf", lambda m, x: x.norm(float("inf"), dim=1), (X,)),
    ("norm -inf", lambda m, x: x.norm(float("-inf"), dim=1), (X,)),
    ("norm 0", lambda m, x: m.relu(x).norm(0), (X,)),
    ("norm of 0", lambda m, x: (x * 0).norm(dim=0), (X,)),
    ("logsumexp", lambda m, x: m.logsumexp(x * 50, 1), (X,)),
    ("cumsum", lambda m, x: x.cumsum(1), (X,)),
    ("cumsum of n", lambda m, x: m.cumsum(x, 0), (N,)),
    ("cumprod", lambda m, x: x.cumprod(-1), (X,)),
    ("max of all", lambda m, x: x.max(), (X,)),
]

SHAPES: list[Case] = [
    ("T", lambda m, x: x.T, (X,)),
    ("mT", lambda m, x: x.mT, (CUBE,)),
    ("t", lambda m, x: m.t(x), (X,)),
    ("view", lambda m, x: x.view(2, -1), (X,)),
    ("ravel", lambda m, x: m.ravel(x), (X,)),
    ("flatten", lambda m, x: x.flatten(1), (CUBE,)),
    ("m.flatten", lambda m, x: m.flatten(x, 0, 1), (CUBE,)),
    ("unflatten", lambda m, x: x.unflatten(1, (2, -1)), (X,)),
    ("permute", lambda m, x: x.permute(2, 0, 1), (CUBE,)),
    ("m.permute", lambda m, x: m.permute(x, (1, 0, 2)), (CUBE,)),
    ("movedim", lambda m, x: m.movedim(x, 0, -1), (CUBE,)),
    ("movedims", lambda m, x: x.movedim((0, 1), (2, 0)), (CUBE,)),
    ("swapaxes", lambda m, x: x.swapaxes(0, 2), (CUBE,)),
    ("expand", lambda m, x: x.expand(3, -1), (ROW,)),
    ("expand ones", lambda m, x: x[:, :1].expand(2, 3, 5), (X,)),
    ("broadcast_to", lambda m, x: m.broadcast_to(x, (2, 4)), (ROW,)),
    ("expand_as", lambda m, x, y: x.expand_as(y), (ROW, X)),
    ("view_as", lambda m, x, y: x.view_as(y), (X, N)),
    ("repeat", lambda m, x: x.repeat(2, 1, 3), (X,)),
    ("tile", lambda m, x: x.tile(2), (X,)),
    ("repeat_interleave", lambda m, x: x.repeat_interleave(2, dim=1), (X,)),
    ("repeat_interleave flat", lambda m, x: m.repeat_interleave(x, 2), (X,)),
    ("flip", lambda m, x: x.flip(0, 1), (X,)),
    ("m.flip", lambda m, x: m.flip(x, [1]), (X,)),
    ("roll", lambda m, x: x.roll(1, 0), (X,)),
    ("roll two", lambda m, x: m.roll(x, (1, -2), (0, 1)), (X,)),
    ("roll flat", lambda m, x: x.roll(5), (X,)),
    ("narrow", lambda m, x: x.narrow(1, 1, 2), (X,)),
    ("select", lambda m, x: x.select(1, -1), (X,)),
    ("unbind", lambda m, x: m.stack(x.unbind(1)[::-1]), (X,)),
    ("split", lambda m, x: m.cat(m.split(x, 3, 1)[::-1], 1), (X,)),
    ("split list", lambda m, x: x.split([1, 3], dim=1)[1], (X,)),
    ("chunk", lambda m, x: x.chunk(3, 1)[0], (X,)),
    ("chunk last", lambda m, x: m.chunk(x, 2)[-1], (X,)),
    ("vstack", lambda m, x, y: m.vstack([x, y]), (X, ROW)),
    ("hstack", lambda m, x, y: m.hstack([x, y]), (X, Y)),
    ("hstack of vectors", lambda m, x: m.hstack([x, x]), (ROW,)),
    ("meshgrid", lambda m, x: m.meshgrid(x, x[:2], indexing="ij")[1], (ROW,)),
    ("meshgrid xy", lambda m, x: m.meshgrid(x, x[:2], indexing="xy")[0], (ROW,)),
    ("diagonal", lambda m, x: x.diagonal(1), (X,)),
    ("diagonal of cube", lambda m, x: m.diagonal(x, 0, 1, 2), (CUBE,)),
    ("diag", lambda m, x: m.diag(x, -1), (ROW,)),
    ("diag of matrix", lambda m, x: x.diag(), (X,)),
    ("tril", lambda m, x: x.tril(), (X,)),
    ("triu", lambda m, x: m.triu(x, 1), (CUBE,)),
    ("squeeze", lambda m, x: x.unsqueeze(0).squeeze((0, 1)), (X,)),
    ("concat", lambda m, x, y: m.concat([x, y], dim=-1), (X, Y)),
]

PRODUCTS: list[Case] = [
    ("mm", lambda m, x, y: m.mm(x, y.T), (X, Y)),
    ("bmm", lambda m, x: x.bmm(x.mT), (CUBE,)),
    ("mv", lambda m, x, y: x.mv(y), (X, ROW)),
    ("dot", lambda m, x: m.dot(x, x), (ROW,)),
    ("outer", lambda m, x: x.outer(x[:2]), (ROW,)),
    ("einsum", lambda m, x, y: m.einsum("bij,kj->bki", x, y), (CUBE, X)),
    ("einsum trace", lambda m, x: m.einsum("ii->i", x[:, :3]), (X,)),
]

INDEXING: list[Case] = [
    ("[0]", lambda m, x: x[0], (CUBE,)),
    ("[-1, 1]", lambda m, x: x[-1, 1], (CUBE,)),
    ("[..., 0]", lambda m, x: x[..., 0], (CUBE,)),
    ("[1:, None, ::2]", lambda m, x: x[1:, None, ::2], (CUBE,)),
    ("[list]", lambda m, x: x[[1, 0, 1]], (CUBE,)),
    ("[list, list]", lambda m, x: x[[1, 0], [2, -1]], (CUBE,)),
    ("[:, list]", lambda m, x: x[:, [2, 0]], (CUBE,)),
    ("[list, :, list]", lambda m, x: x[[1, 0], :, [3, 0]], (CUBE,)),
    ("[0, :, list]", lambda m, x: x[0, :, [3, 0, 1]], (CUBE,)),
    ("[list, 1:, None]", lambda m, x: x[[0, 1, 1], 1:, None], (CUBE,)),
    ("[..., list]", lambda m, x: x[..., [0, 0]], (CUBE,)),
    ("[[]]", lambda m, x: x[[]], (CUBE,)),
    ("[tensor]", lambda m, x, i: x[i], (X, PLACES)),
    ("[:, tensor]", lambda m, x, i: x[:, i], (X, INDEX)),
    ("[tensor, tensor]", lambda m, x, i, j: x[i, j], (X, PLACES, PLACES)),
    ("[-tensor]", lambda m, x, i: x[-i], (X, PLACES)),
    ("[scalar tensor]", lambda m, x, i: x[i[0]], (X, PLACES)),
    ("[scalar, :, tensor]", lambda m, x, i: x[i[1], :, i], (CUBE, PLACES)),
    ("[mask]", lambda m, x: x[x > 0], (X,)),
    ("[mask of rows]", lambda m, x: x[x[:, 0] > 0], (X,)),
    ("[:, mask]", lambda m, x: x[:, x[0] > 0], (X,)),
    ("[mask, 1]", lambda m, x: x[x[:, 0] < 0, 1], (X,)),
    ("[mask, None]", lambda m, x: x[x > 0, None], (X,)),
    ("[list of bools]", lambda m, x: x[[True, False, True]], (X,)),
    ("gather", lambda m, x, i: m.gather(x, 0, i), (X, INDEX)),
    ("gather 1", lambda m, x, i: x.gather(1, i), (X, INDEX)),
    ("index_select", lambda m, x, i: m.index_select(x, 1, i), (X, PLACES)),
    (
        "take_along_dim",
        lambda m, x, i: m.take_along_dim(x, i[:, :1], 1),
        (X[:2], INDEX),
    ),
    ("take flat", lambda m, x, i: m.take_along_dim(x, i), (X, INDEX)),
    ("masked_fill", lambda m, x, b: x.masked_fill(b, 2.0), (X, B)),
    ("masked_fill row", lambda m, x: x.masked_fill(x[0] > 0, -1), (X,)),
    ("masked_select", lambda m, x: m.masked_select(x, x > 0), (X,)),
    ("masked_select row", lambda m, x: x.masked_select(x[0] > 0), (X,)),
    ("nonzero", lambda m, x: m.nonzero(x > 0), (X,)),
    ("scatter", lambda m, x, i, y: x.scatter(0, i[:1], y), (X, INDEX, Y[:1])),
    ("scatter number", lambda m, x, i: m.scatter(x, 1, i[:, :1], 5.0), (X, INDEX)),
    ("scatter_add", lambda m, x, i, y: x.scatter_add(0, i, y), (X, INDEX, Y[:2])),
    ("index_add", lambda m, x, i, y: x.index_add(0, i, y), (X, PLACES, Y)),
    ("sort", lambda m, x: m.sort(x).values, (X,)),
    ("sort indices", lambda m, x: x.sort(0).indices, (X,)),
    ("sort down", lambda m, x: x.sort(dim=0, descending=True)[0], (X,)),
    ("sort stable", lambda m, x: m.sort(x % 3, stable=True)[1], (N,)),
    (
        "sort stable down",
        lambda m, x: m.sort(x % 3, stable=True, descending=True)[1],
        (N,),
    ),
    ("argsort", lambda m, x: m.argsort(x, 1, descending=True), (X,)),
    ("topk", lambda m, x: m.topk(x, 2).values, (X,)),
    ("topk indices", lambda m, x: x.topk(2, 0).indices, (X,)),
    ("topk smallest", lambda m, x: x.topk(3, largest=False)[0], (X,)),
]

CASES = POINTWISE + BINARY + REDUCTIONS + SHAPES + PRODUCTS + INDEXING
WIDE = {np.dtype(np.int64): np.dtype(np.int32)}


def _weights(shape: Any) -> np.ndarray:
    return np.cos(np.arange(np.prod(shape, dtype=int))).reshape(shape).astype("f")


def _theirs(function: Any, arrays: Any) -> tuple[np.ndarray, list[Any]]:
    xs = [torch.tensor(x) for x in arrays]
    xs = [x.long() if x.dtype == torch.int32 and i else x for i, x in enumerate(xs)]
    floats = [x.requires_grad_() for x in xs if x.is_floating_point()]
    y = function(torch, *xs)
    if not y.requires_grad:
        return y.numpy(), []
    y.backward(torch.tensor(_weights(tuple(y.shape))))
    return y.detach().numpy(), [x.grad for x in floats]


def _check_gradients(y: Any, floats: list[Any], expected: list[Any]) -> None:
    if y.dtype.is_floating:
        y.backward(pf.tensor(_weights(y.shape)))
    for x, grad in zip(floats, expected, strict=True):
        mine = np.zeros(x.shape, np.float32) if x.grad is None else x.grad.numpy()
        theirs = np.zeros(x.shape, np.float32) if grad is None else grad.numpy()
        np.testing.assert_allclose(mine, theirs, rtol=3e-5, atol=3e-6)


@pytest.mark.parametrize(
    ("name", "function", "arrays"), CASES, ids=[c[0] for c in CASES]
)
def test_same_as_pytorch(name: str, function: Any, arrays: Any) -> None:
    values, gradients = _theirs(function, arrays)
    xs = [pf.tensor(x) for x in arrays]
    y = function(pf, *xs)
    assert isinstance(y, pf.Tensor)
    assert y.shape == list(values.shape)
    assert y.dtype.numpy == WIDE.get(values.dtype, values.dtype)
    np.testing.assert_allclose(y.numpy(), values, rtol=5e-6, atol=2e-6)
    if gradients:
        _check_gradients(y, [x for x in xs if x.dtype.is_floating], gradients)
