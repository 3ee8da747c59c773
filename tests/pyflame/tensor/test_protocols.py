"""What Python, NumPy and other libraries ask of a Tensor; casts and properties."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf

ALL = list(pf.DType)


def test_casts() -> None:
    x = pf.tensor([0.0, 1.9, -2.7])
    assert x.int().tolist() == [0, 1, -2]
    assert x.bool().tolist() == [False, True, True]
    named = {
        "float": pf.float32,
        "half": pf.float16,
        "bfloat16": pf.bfloat16,
        "int": pf.int32,
        "short": pf.int16,
        "char": pf.int8,
        "bool": pf.bool_,
    }
    for method, dtype in named.items():
        assert getattr(x, method)().dtype is dtype


@pytest.mark.parametrize("source", ALL)
@pytest.mark.parametrize("target", ALL)
def test_every_cast(source: pf.DType, target: pf.DType) -> None:
    x = pf.tensor([0.0, 1.0, 3.0]).to(source)
    y = x.to(target)
    assert y.dtype is target
    assert x.astype(target.name.rstrip("_")).dtype is target
    assert x.type_as(y).dtype is target
    last = 1 if pf.bool_ in (source, target) else 3
    assert [float(v) for v in y.tolist()] == [0, 1, last]


def test_size_and_dims() -> None:
    x = pf.ones([2, 3, 4])
    assert x.size() == [2, 3, 4]
    assert x.size(-1) == 4
    assert x.dim() == x.ndim == 3
    assert x.numel == 24
    assert x.element_size() == 4
    assert x.is_floating_point()
    assert not x.int().is_floating_point()
    assert x.contiguous() is x


def test_python_numbers() -> None:
    x = pf.tensor([2.5])
    assert (float(x), int(x), bool(x), x.item()) == (2.5, 2, True, 2.5)
    n = pf.tensor(3.0).int()
    assert list(range(n)) == [0, 1, 2]
    assert [10, 20, 30, 40][n] == 40
    assert x.tolist() == [2.5]
    assert n.tolist() == 3
    assert f"{pf.tensor(3.14159):.2f}" == "3.14"
    assert f"{pf.tensor(2.5)}" == "2.5"
    assert f"{pf.tensor([2.5])}" == "tensor([2.5], dtype=float32)"


def test_container() -> None:
    x = pf.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert 3.0 in x
    assert 5 not in x
    first, second = x
    assert second.tolist() == [3, 4]
    assert first.shape == [2]


def test_to_numpy() -> None:
    x = pf.arange(6).reshape(2, 3)
    owned = x.numpy()
    owned[0] = 9
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]
    view = np.asarray(x)
    assert not view.flags.writeable
    assert np.shares_memory(view, np.asarray(x))
    assert np.array(x, dtype=np.float64).dtype == np.float64
    np.testing.assert_array_equal(np.add(np.asarray(x), 1), [[1, 2, 3], [4, 5, 6]])
    assert isinstance(np.ones(3, np.float32) * x, pf.Tensor)
    with pytest.raises(TypeError, match="does not support ufuncs"):
        np.add(x, 1)


def test_to_jax() -> None:
    x = pf.arange(3)
    assert isinstance(jnp.sin(x), jax.Array)
    assert jnp.asarray(x).tolist() == [0, 1, 2]


def test_dlpack() -> None:
    x = pf.tensor([[1.0, 2.0]])
    np.testing.assert_array_equal(np.from_dlpack(x), [[1, 2]])
    torch = pytest.importorskip("torch")
    assert torch.from_dlpack(x).tolist() == [[1, 2]]


def test_from_torch() -> None:
    torch = pytest.importorskip("torch")
    assert pf.tensor(torch.tensor([1, 2])).dtype is pf.int32
    assert pf.tensor(torch.ones(2, dtype=torch.float16)).dtype is pf.float16
    assert pf.tensor([torch.tensor(1.5), 2]).tolist() == [1.5, 2]
    with pytest.raises(pf.DTypeError, match="tensor: Tensor gives no NumPy array"):
        pf.tensor(torch.ones(2, dtype=torch.bfloat16))


def test_tensors_inside_lists() -> None:
    x = pf.tensor([1.0, 2.0])
    assert pf.tensor([x.sum(), x[0]]).tolist() == [3, 1]
    assert pf.tensor([x, x + 1]).shape == [2, 2]


@pytest.mark.parametrize("dtype", ALL)
def test_pickle(dtype: pf.DType) -> None:
    x = pf.tensor([[0.0, 1.0], [3.0, 2.0]]).to(dtype) + pf.zeros([2], dtype=dtype)
    y = pickle.loads(pickle.dumps(x))
    assert isinstance(y, pf.Tensor)
    assert y.dtype is dtype
    assert y.tolist() == x.tolist()
    assert y.layout == pf.MeshLayout.single_pe()


def test_pickle_keeps_the_layout() -> None:
    grid = pf.MeshLayout.grid(2, 2)
    y = pickle.loads(pickle.dumps(pf.ones([4, 4], layout=grid)))
    assert y.layout == grid
    (y * y).sum().backward()
    assert y.grad.tolist() == [[2] * 4] * 4


@pytest.mark.parametrize("computed", [True, False])
def test_a_deep_copy_is_a_leaf_of_its_own(computed: bool) -> None:
    w = pf.randn([3]) if not computed else pf.randn([3]).eval()
    (w * w).sum().backward()
    copied = copy.deepcopy({"w": w, "again": w})
    y = copied["w"]
    assert copied["again"] is y
    assert y.tolist() == w.tolist()
    assert y.grad.tolist() == w.grad.tolist()
    (y * 3).sum().backward()
    assert (y.grad - w.grad).tolist() == pytest.approx([3, 3, 3])


def test_a_deep_copy_of_a_result_is_a_leaf() -> None:
    w = pf.ones([2])
    y = copy.deepcopy(w * 2)
    (y * y).sum().backward()
    assert y.grad.tolist() == [4, 4]
    assert w.grad is None
    assert copy.deepcopy(w.int()).tolist() == [1, 1]


def test_equality_as_a_bool() -> None:
    x = pf.ones([2])
    assert pf.equal(x, [1, 1])
    assert not pf.equal(x, pf.ones([3]))
    assert x.allclose(x + 1e-7)
    assert not pf.allclose(x, x + 0.1)
    assert pf.allclose(pf.tensor([float("nan")]), float("nan"), equal_nan=True)


WRONG: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: pf.ones([2]).double(),
        "double of float32[2]: float64 is not supported\n"
        "  rule  a tensor is one of float32, float16, bfloat16, int32, int16, int8, "
        "bool_\n"
        "  help  write x.float() for float32; indices and class numbers may be int32",
    ),
    (
        lambda: pf.ones([2]).long(),
        "long of float32[2]: int64 is not supported\n"
        "  rule  a tensor is one of float32, float16, bfloat16, int32, int16, int8, "
        "bool_\n"
        "  help  write x.int() for int32; indices and class numbers may be int32",
    ),
    (
        lambda: bool(pf.ones([2, 2])),
        "bool of float32[2, 2]: there are 4 elements\n"
        "  rule  bool reads a tensor of exactly one element\n"
        "  help  reduce it first, or use numpy()",
    ),
    (
        lambda: f"{pf.ones([2]):.3f}",
        "format of float32[2] by '.3f': there is more than a number\n"
        "  rule  a format such as .4f is for scalars\n"
        "  help  reduce it first, or format the elements of x.tolist()",
    ),
    (
        lambda: range(pf.tensor(2.0)),
        "index by float32[]: only integers are indices\n  help  convert first: int(x)",
    ),
    (
        lambda: "a" in pf.ones([2]),
        "str in float32[2]: only numbers are elements\n"
        "  rule  `value in x` compares each element with a number",
    ),
    (
        lambda: list(pf.tensor(1.0)),
        "iteration over float32[]: a scalar has no elements",
    ),
    (lambda: len(pf.tensor(1.0)), "len of float32[]: a scalar has no length"),
    (
        lambda: pf.ones([2, 3]).size(2),
        "size of float32[2, 3]: dim=2 is out of range\n"
        "  rule  dim is at least -2 and at most 1",
    ),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_errors(wrong: Callable[[], Any], message: str) -> None:
    with pytest.raises(pf.PyFlameError) as error:
        wrong()
    assert str(error.value) == message


def test_pickle_inside_a_transformation_is_refused() -> None:
    with pytest.raises(pf.ArgumentError) as error:
        jax.jit(lambda x: pickle.dumps(x))(pf.ones([2]))
    assert str(error.value) == (
        "pickle of float32[2] inside a JAX transformation\n"
        "  rule  there are no values to write while JAX traces a function"
    )
