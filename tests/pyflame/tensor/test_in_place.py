"""Changes in place: what this Tensor stands for afterwards, and what is refused."""

import copy
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import pyflame as pf


def _x() -> pf.Tensor:
    return pf.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


# the change, for pf and for NumPy alike
ITEMS: list[tuple[Any, Any]] = [
    ((0, 1), 9.0),
    (0, 9.0),
    (slice(None, None, -1), [[1, 2, 3], [7, 8, 9]]),
    ((Ellipsis, slice(1, None)), -1),
    ((slice(None), [0, 2]), [[7.0], [8.0]]),
    ([1, 0], [[1, 1, 1], [2, 2, 2]]),
    (([0, 1], [2, 0]), [10, 20]),
    (np.array([[True, False, True], [False, False, True]]), 0),
    (np.array([[True, False, True], [False, False, True]]), [7, 8, 9]),
    (np.array([False, True]), [[3, 2, 1]]),
    ((None, 1), [[5, 5, 5]]),
    ((np.array(1), slice(None)), 3.5),
]


@pytest.mark.parametrize(("key", "value"), ITEMS)
def test_items(key: Any, value: Any) -> None:
    x, expected = _x(), _x().numpy()
    before = x + 0
    x[key] = value
    expected[key] = value
    np.testing.assert_array_equal(x.numpy(), expected)
    np.testing.assert_array_equal(before.numpy(), _x().numpy())


def test_items_by_tensors() -> None:
    x = _x()
    x[pf.tensor([1.0, 0.0]).int()] = pf.tensor([1.0, 2.0, 3.0])
    assert x.tolist() == [[1, 2, 3], [1, 2, 3]]
    x[x > 2] = 0
    assert x.tolist() == [[1, 2, 0], [1, 2, 0]]
    x[pf.tensor([True, False])] = pf.tensor(5.0)
    assert x.tolist() == [[5, 5, 5], [1, 2, 0]]
    x[0, 0] += 1
    assert x.tolist() == [[6, 5, 5], [1, 2, 0]]


def test_an_index_out_of_range_that_was_not_known_changes_nothing() -> None:
    x = _x()
    x[pf.tensor([0.0, 7.0]).int()] = 0.0
    assert x.tolist() == [[0, 0, 0], [4, 5, 6]]


CHANGES: list[tuple[Callable[[Any], Any], list[float]]] = [
    (lambda x: x.add_(1), [2, 3, 5]),
    (lambda x: x.add_(x, alpha=2), [3, 6, 12]),
    (lambda x: x.sub_(1).mul_(2), [0, 2, 6]),
    (lambda x: x.div_(2), [0.5, 1, 2]),
    (lambda x: x.pow_(2), [1, 4, 16]),
    (lambda x: x.clamp_(min=2), [2, 2, 4]),
    (lambda x: x.neg_().abs_(), [1, 2, 4]),
    (lambda x: x.fill_(7), [7, 7, 7]),
    (lambda x: x.fill_(pf.tensor(3.0)), [3, 3, 3]),
    (lambda x: x.zero_(), [0, 0, 0]),
    (lambda x: x.copy_([5]), [5, 5, 5]),
    (lambda x: x.masked_fill_(x > 1, 0), [1, 0, 0]),
    (lambda x: x.addcdiv_(x, x, value=3), [4, 5, 7]),
    (lambda x: x.lerp_(x * 0, 0.5), [0.5, 1, 2]),
    (lambda x: x.__iadd__(1), [2, 3, 5]),
    (lambda x: x.__isub__(1), [0, 1, 3]),
    (lambda x: x.__imul__(2), [2, 4, 8]),
    (lambda x: x.__itruediv__(2), [0.5, 1, 2]),
    (lambda x: x.__ifloordiv__(2), [0, 1, 2]),
    (lambda x: x.__imod__(3), [1, 2, 1]),
    (lambda x: x.__ipow__(2), [1, 4, 16]),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_changes(change: Callable[[Any], Any], expected: list[float]) -> None:
    x = pf.tensor([1.0, 2.0, 4.0])
    other = x
    assert change(x) is x
    assert other.tolist() == expected


def test_bits_in_place() -> None:
    mask = pf.tensor([True, False])
    mask |= pf.tensor([False, True])
    assert mask.tolist() == [True, True]
    mask &= False
    mask ^= pf.tensor([True, False])
    assert mask.tolist() == [True, False]
    n = pf.tensor([4.0]).int()
    n <<= 2
    n >>= 1
    assert n.tolist() == [8]


def test_gradients_flow_through_a_change() -> None:
    w, v = pf.tensor([1.0, 2.0, 3.0]), pf.tensor([10.0])
    y = w * 2
    y[1:2] = v * v
    y *= w
    y.sum().backward()
    assert y.tolist() == [2, 200, 18]
    assert w.grad.tolist() == [4, 100, 12]
    assert v.grad.tolist() == [40]


def test_an_accumulator_takes_gradients_of_what_is_added() -> None:
    total, w = pf.zeros([2]), pf.tensor([3.0, 4.0])
    for _ in range(3):
        total += w * w
    total.sum().backward()
    assert w.grad.tolist() == [18, 24]


def test_a_leaf_changes_under_no_grad_and_stays_a_leaf() -> None:
    w = pf.tensor([1.0, 2.0])
    (w * w).sum().backward()
    with pf.autograd.no_grad():
        w -= 0.5 * w.grad
    assert w.tolist() == [0, 0]
    w.grad.zero_()
    (w * 3).sum().backward()
    assert w.grad.tolist() == [3, 3]


def test_a_gradient_can_be_scaled() -> None:
    w = pf.tensor([3.0, 4.0])
    (w * w).sum().backward()
    w.grad.mul_(1 / w.grad.norm())
    np.testing.assert_allclose(w.grad.numpy(), [0.6, 0.8], rtol=1e-6)
    w.grad /= 2
    np.testing.assert_allclose(w.grad.numpy(), [0.3, 0.4], rtol=1e-6)


def test_the_layout_stays() -> None:
    x = pf.zeros([4, 4], layout=pf.MeshLayout.grid(2, 2))
    x += 1
    x[0] = 5
    assert x.layout == pf.MeshLayout.grid(2, 2)


def test_shape_and_dtype_stay() -> None:
    x = pf.ones([2], dtype=pf.float16)
    x += pf.ones([2])
    assert x.dtype is pf.float16
    n = pf.ones([2], dtype=pf.int32)
    n[0] = 2.7
    assert n.tolist() == [2, 1]


def test_inside_jit() -> None:
    def f(x: Any) -> Any:
        y = pf.zeros([3])
        y[0] = x.sum()
        y += x
        y[y > 7] = -1
        return y

    expected = [7, 2, 3]
    assert f(pf.tensor([1.0, 2.0, 3.0])).tolist() == expected
    assert jax.jit(f)(pf.tensor([1.0, 2.0, 3.0])).tolist() == expected


def _leaf() -> pf.Tensor:
    w = pf.ones([2])
    w.sum().backward()
    return w


def _item_of_row(x: pf.Tensor) -> None:
    x[0][1] = 5.0


def _plus(x: Any, y: Any) -> None:
    x += y


def _set(x: Any, key: Any, value: Any) -> None:
    x[key] = value


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: _item_of_row(_x()),
        "setitem of float32[3]: it was made by index of another tensor\n"
        "  rule  tensors share no memory, so the other one would not change\n"
        "  help  change that one, as in x[0, 1] = v instead of x[0][1] = v; or write "
        "x = x + y, or take x.clone() first",
    ),
    (
        lambda: _x().reshape(6).add_(1),
        "add_ of float32[6]: it was made by reshape of another tensor\n"
        "  rule  tensors share no memory, so the other one would not change\n"
        "  help  change that one, as in x[0, 1] = v instead of x[0][1] = v; or write "
        "x = x + y, or take x.clone() first",
    ),
    (
        lambda: _leaf().zero_(),
        "fill_ of float32[2]: it is a leaf that gradients are kept for\n"
        "  rule  a leaf is changed only under no_grad\n"
        "  help  write `with pf.no_grad():` around it, or x = x + y for a new tensor",
    ),
    (
        lambda: _plus(_leaf(), 1),
        "+= of float32[2]: it is a leaf that gradients are kept for\n"
        "  rule  a leaf is changed only under no_grad\n"
        "  help  write `with pf.no_grad():` around it, or x = x + y for a new tensor",
    ),
    (
        lambda: _plus(pf.ones([3]), pf.ones([2, 3])),
        "+= of float32[3]: the result is float32[2, 3]\n"
        "  rule  a tensor keeps its shape when it is changed\n"
        "  help  write x = x + y for a new tensor",
    ),
    (
        lambda: _plus(pf.ones([3], dtype=pf.int32), 0.5),
        "+= of int32[3]: the result is float32[3]\n"
        "  rule  a tensor keeps its dtype when it is changed: no float becomes an "
        "integer, no number a boolean\n"
        "  help  write x = x + y for a new tensor, or convert the result yourself",
    ),
    (
        lambda: _plus(pf.ones([3], dtype=pf.bool_), 1),
        "+= of bool[3]: the result is int32[3]\n"
        "  rule  a tensor keeps its dtype when it is changed: no float becomes an "
        "integer, no number a boolean\n"
        "  help  write x = x + y for a new tensor, or convert the result yourself",
    ),
    (
        lambda: pf.ones([3]).fill_(pf.ones([2])),
        "fill_ of float32[3] by float32[2]: this is no scalar\n"
        "  rule  all elements become one value\n"
        "  help  use x.copy_(other)",
    ),
    (
        lambda: _set(_x(), (slice(None), [0, 1]), [1, 2, 3]),
        "float32[2, 3][:, int32[2]] = float32[3]: there are [2, 2] places\n"
        "  rule  the value broadcasts to the shape of the places",
    ),
    (
        lambda: _set(_x(), 2, 0),
        "index of float32[2, 3] by [2]: 2 is out of range\n"
        "  rule  dimension 0 has size 2",
    ),
]


@pytest.mark.parametrize(("wrong", "message"), REFUSED)
def test_refused(wrong: Callable[[], Any], message: str) -> None:
    with pytest.raises(pf.PyFlameError) as error:
        wrong()
    assert str(error.value) == message


def test_rows_of_a_loop_are_new_tensors() -> None:
    x = _x()
    for row in x:
        row += 1
    assert x.tolist() == _x().tolist()


def test_a_clone_of_a_view_can_be_changed() -> None:
    x = _x()
    row = x[0].clone()
    row += 1
    assert row.tolist() == [2, 3, 4]
    assert x.tolist()[0] == [1, 2, 3]


def test_a_copy_is_changed_on_its_own() -> None:
    x = _x()
    y, z = copy.copy(x), copy.deepcopy(x)
    x[0] = 0
    assert y.tolist() == z.tolist() == _x().tolist()
