"""Flops, beside numbers worked out by hand."""

import jax
import jax.numpy as jnp
import pytest

import pyflame as pf
from pyflame.flops import flops_of
from pyflame.nn import functional as F


def _flops(function, *shapes) -> int:
    structs = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    return flops_of(jax.make_jaxpr(function)(*structs))


def test_matmul() -> None:
    y = pf.randn([7, 5]) @ pf.randn([5, 11])
    assert pf.get_node(y).flops == 2 * 7 * 11 * 5
    batch = pf.randn([3, 7, 5]) @ pf.randn([3, 5, 11])
    assert pf.get_node(batch).flops == 3 * 2 * 7 * 11 * 5


def test_linear() -> None:
    layer = pf.nn.Linear(5, 4)
    assert pf.get_node(layer(pf.randn([2, 5]))).flops == 2 * 2 * 4 * 5 + 2 * 4


@pytest.mark.parametrize(
    ("kwargs", "height", "width", "in_per_group"),
    [
        ({}, 8, 6, 4),
        ({"padding": 1}, 10, 8, 4),
        ({"stride": 2}, 4, 3, 4),
        ({"dilation": 2}, 6, 4, 4),
        ({"groups": 2, "padding": 1}, 10, 8, 2),
    ],
)
def test_conv2d(kwargs, height: int, width: int, in_per_group: int) -> None:
    x, w = pf.randn([2, 4, 10, 8]), pf.randn([6, in_per_group, 3, 3])
    y = F.conv2d(x, w, None, **kwargs)
    assert y.shape == [2, 6, height, width]
    assert pf.get_node(y).flops == 2 * (2 * 6 * height * width) * (in_per_group * 9)


def test_softmax() -> None:
    """Per row of n: the largest (n - 1, and once against -inf), n differences, n
    exponentials, n - 1 additions, n divisions."""
    y = pf.softmax(pf.randn([3, 10]))
    assert pf.get_node(y).flops == 3 * (9 + 1 + 10 + 10 + 9 + 10)


def test_attention() -> None:
    length, batch, embed, heads = 5, 2, 8, 2
    attention = pf.nn.MultiheadAttention(embed, heads)
    y = attention(pf.randn([length, batch, embed]))
    tokens = length * batch
    projections = 3 * (2 * tokens * embed * embed + tokens * embed)
    scaled = tokens * embed
    scores = 2 * tokens * length * embed
    softmax = batch * heads * length * (5 * length - 1)
    weighted = 2 * tokens * length * embed
    output = 2 * tokens * embed * embed + tokens * embed
    expected = projections + scaled + scores + softmax + weighted + output
    assert pf.get_graph(y).flops == expected


def test_element_by_element() -> None:
    x = pf.randn([6])
    for y in (x + x, x * 2, -x, pf.exp(x), pf.tanh(x), pf.sqrt(x), pf.relu(x)):
        assert pf.get_node(y).flops == 6
    moved = (x.reshape([2, 3]), x[1:], pf.cat([x, x]), pf.stack([x, x]))
    for y in (x > 0, x.to(pf.int32), *moved):
        assert pf.get_node(y).flops == 0


@pytest.mark.parametrize(
    ("power", "flops"), [(1, 0), (2, 6), (3, 12), (4, 12), (7, 24), (-2, 12)]
)
def test_powers_are_repeated_squaring(power: int, flops: int) -> None:
    assert pf.get_node(pf.randn([6]) ** power).flops == flops


def test_reductions() -> None:
    x = pf.randn([4, 5])
    assert pf.get_node(x.sum()).flops == 19
    assert pf.get_node(x.max(dim=1)).flops == 4 * 4
    assert pf.get_node(x.mean(dim=0)).flops == 5 * 3 + 5


def test_pooling() -> None:
    x = pf.randn([1, 2, 6, 6])
    assert pf.get_node(F.max_pool2d(x, 2, stride=1)).flops == 2 * 25 * 3
    assert pf.get_node(F.max_pool2d(x, 2)).flops == 0  # by comparing and selecting
    average = pf.get_node(F.avg_pool2d(x, 2)).flops
    assert average == 2 * 9 * 3 + 2 * 9


def test_inputs_take_nothing() -> None:
    assert pf.get_node(pf.randn([100])).flops == 0
    assert pf.get_node(pf.tensor([1.0])).flops == 0


def test_loops_and_branches() -> None:
    def scanned(x):
        return jax.lax.scan(lambda c, _: (c * 2 + 1, None), x, None, length=10)[0]

    def chosen(x):
        return jax.lax.cond(x[0] > 0, lambda v: jnp.exp(v) * v, lambda v: v, x)

    assert _flops(scanned, (4,)) == 10 * 8
    assert _flops(chosen, (4,)) == 8
    assert _flops(lambda x: jnp.cumsum(x), (4,)) == 4
    assert _flops(jax.jit(lambda x: jnp.clip(x, 0, 1) + x), (4,)) == 12


def test_the_holes_of_a_strided_gradient_do_not_count() -> None:
    x, w = (1, 4, 8, 8), (4, 4, 2, 2)  # with fewer channels it is no convolution

    def loss(x, w):
        return F.conv2d(x, w, None, 2).sum()

    forward = 2 * (4 * 4 * 4) * (4 * 4)
    total = _flops(lambda x, w: jax.vjp(loss, x, w)[1](jnp.float32(1)), x, w)
    assert 2 * forward <= total < 3.5 * forward


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (lambda x, w: x @ w, [(7, 5), (5, 11)]),
        (lambda x, w: jnp.einsum("bij,bjk->bik", x, w), [(3, 4, 5), (3, 5, 6)]),
        (lambda x, w: F.conv2d(x, w, None), [(2, 4, 10, 8), (6, 4, 3, 3)]),
        (lambda x, w: F.conv2d(x, w, None, 2), [(2, 4, 10, 8), (6, 4, 3, 3)]),
        (lambda x, w: x * w + x - w, [(5, 6), (5, 6)]),
        (lambda x, w: (x + w).sum(), [(5, 6), (5, 6)]),
    ],
)
def test_xla_counts_the_same(function, shapes) -> None:
    structs = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    counted = jax.jit(function).lower(*structs).cost_analysis()["flops"]
    assert _flops(function, *shapes) == counted
