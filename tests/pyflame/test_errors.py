"""What bad input is told, word for word."""

from collections.abc import Callable

import pytest

import pyflame as pf

MESSAGES: list[tuple[Callable[[], object], str]] = [
    (
        lambda: pf.ones([3, 4]) @ pf.ones([5, 6]),
        "matmul of float32[3, 4] and float32[5, 6]: inner sizes 4 and 5 differ\n"
        "  rule  [..., M, K] @ [..., K, N] gives [..., M, N]\n"
        "  help  transpose or reshape one of them",
    ),
    (
        lambda: pf.ones([2, 3, 4]) @ pf.ones([5, 4, 6]),
        "matmul of float32[2, 3, 4] and float32[5, 4, 6]: batch sizes 2 and 5 do not "
        "broadcast\n"
        "  rule  dimensions before the last two are equal or one is 1",
    ),
    (
        lambda: pf.ones([]) @ pf.ones([4]),
        "matmul of float32[] and float32[4]: a scalar is no matrix\n"
        "  rule  both operands have at least one dimension\n"
        "  help  use * to scale",
    ),
    (
        lambda: pf.ones([3, 4]) + pf.ones([3]),
        "add of float32[3, 4] and float32[3]: sizes 4 and 3 do not broadcast\n"
        "  rule  from the last dimension backwards, sizes are equal or one is 1",
    ),
    (
        lambda: pf.ones([3, 4]).reshape([5, -1]),
        "reshape of float32[3, 4] to [5, -1]: 12 elements do not fit\n"
        "  rule  the sizes multiply to the number of elements; at most one is -1",
    ),
    (
        lambda: pf.ones([3, 4]).reshape([-1, -1]),
        "reshape of float32[3, 4] to [-1, -1]: 12 elements do not fit\n"
        "  rule  the sizes multiply to the number of elements; at most one is -1",
    ),
    (
        lambda: pf.ones([3, 4]).sum(dim=2),
        "sum of float32[3, 4]: dim=2 is out of range\n"
        "  rule  dim is at least -2 and at most 1",
    ),
    (
        lambda: pf.ones([3, 4]).mean(dim=(0, -2)),
        "mean of float32[3, 4]: dim=(0, -2) names a dimension twice\n"
        "  rule  each dimension is named at most once",
    ),
    (
        lambda: pf.softmax(pf.ones([3]), dim="a"),
        "softmax of float32[3]: dim='a' is no integer\n"
        "  rule  a dim is an integer, counted from the back if negative",
    ),
    (
        lambda: pf.ones([0, 4]).max(dim=0),
        "max of float32[0, 4] over dims [0]: there are no elements\n"
        "  rule  max has no neutral value, so it needs at least one element",
    ),
    (
        lambda: pf.ones([3, 4]).unsqueeze(4),
        "unsqueeze of float32[3, 4]: dim=4 is out of range\n"
        "  rule  dim is at least -3 and at most 2",
    ),
    (
        lambda: pf.cat([pf.ones([3, 4]), pf.ones([3, 5])]),
        "cat of float32[3, 4] and float32[3, 5] along dim 0: the other dimensions "
        "differ\n"
        "  rule  sizes agree in every dimension but the one joined along",
    ),
    (
        lambda: pf.stack([pf.ones([3]), pf.ones([4])]),
        "stack of float32[3] and float32[4]: the shapes differ\n"
        "  rule  all tensors of a stack have the same shape\n"
        "  help  use pf.cat to join along a dimension there is",
    ),
    (
        lambda: pf.ones([3, 4])[1, 4],
        "index of float32[3, 4] by [1, 4]: 4 is out of range\n"
        "  rule  dimension 1 has size 4",
    ),
    (
        lambda: pf.ones([3])[..., 0, 1:2:1],
        "index of float32[3] by [..., 0, 1:2:1]: too many indices\n"
        "  rule  there are 1 dimensions, and at most one ...",
    ),
    (
        lambda: pf.ones([3])["a"],
        "index of float32[3] by ['a']: str is no index\n"
        "  rule  an index is made of integers, slices, None, ... and arrays of "
        "integers or bools",
    ),
    (
        lambda: pf.Tensor([1.0]),
        "Tensor: list is no recorded value\n  help  make a tensor with pf.tensor(...)",
    ),
    (
        lambda: pf.cat([]),
        "cat: [] is no list of tensors\n"
        "  rule  cat joins a list or tuple of at least one tensor",
    ),
    (
        lambda: pf.ones([2], dtype=pf.bool_) - pf.ones([2], dtype=pf.bool_),
        "sub of bool[2] and bool[2]: booleans have no sub\n"
        "  help  convert first: x.to(pf.int32)",
    ),
    (
        lambda: pf.ones([2], dtype=pf.int32) ** -1,
        "int32[2] ** -1: integers have no negative powers\n"
        "  help  write x.to(pf.float32) ** -1",
    ),
    (
        lambda: pf.ones([2]) + 2**31,
        "the number 2147483648 does not fit int32\n"
        "  rule  Python integers are 32 bits wide beside tensors\n"
        "  help  write 2147483648.0 if a float32 is meant",
    ),
    (
        lambda: pf.ones([2, 3]).item(),
        "item of float32[2, 3]: there are 6 elements\n"
        "  rule  item reads a tensor of exactly one element\n"
        "  help  reduce it first, or use numpy()",
    ),
    (
        lambda: pf.get_graph([1.0]),
        "get_graph: list is no Tensor\n  help  make one with pf.tensor(...)",
    ),
    (
        lambda: pf.eval(1.0),
        "eval: float is no Tensor\n  help  make one with pf.tensor(...)",
    ),
]


@pytest.mark.parametrize(("wrong", "message"), MESSAGES)
def test_message(wrong: Callable[[], object], message: str) -> None:
    with pytest.raises(pf.PyFlameError) as error:
        wrong()
    assert str(error.value) == message


def test_errors_are_also_the_standard_ones() -> None:
    with pytest.raises(ValueError, match="inner sizes"):
        pf.ones([2]) @ pf.ones([3])
    with pytest.raises(TypeError, match="not supported"):
        pf.ones([2], dtype="int64")


def test_foreign_operands_are_left_to_python() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        pf.ones([2]) + "a"
    assert (pf.ones([2]) == None) is False  # noqa: E711
