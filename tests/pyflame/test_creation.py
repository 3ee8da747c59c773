"""Creation: values, dtypes, random numbers, and what data becomes."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf


@pytest.fixture(autouse=True)
def _seed() -> None:
    pf.manual_seed(7)


def test_filled() -> None:
    np.testing.assert_array_equal(pf.zeros([2, 3]).numpy(), np.zeros((2, 3)))
    np.testing.assert_array_equal(pf.ones((4,)).numpy(), np.ones(4))
    threes = pf.full([2], 3.14)
    assert threes.dtype is pf.float32
    np.testing.assert_array_equal(threes.numpy(), np.full(2, 3.14, np.float32))
    np.testing.assert_array_equal(
        pf.full([2], -1, dtype=pf.int32).numpy(), np.full(2, -1)
    )


def test_scalars_and_empty_shapes() -> None:
    assert pf.zeros([]).shape == []
    assert pf.ones([0, 3]).numel == 0
    assert pf.full(3, 2.0).shape == [3]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((5,), [0, 1, 2, 3, 4]),
        ((1, 5), [1, 2, 3, 4]),
        ((0, 10, 2), [0, 2, 4, 6, 8]),
        ((5, 0, -2), [5, 3, 1]),
        ((0, 1, 0.25), [0, 0.25, 0.5, 0.75]),
        ((3, 3), []),
    ],
)
def test_arange(args: tuple[float, ...], expected: list[float]) -> None:
    x = pf.arange(*args)
    assert x.dtype is pf.float32
    assert x.numpy().tolist() == expected


def test_arange_of_integers() -> None:
    x = pf.arange(0, 5, dtype=pf.int32)
    assert x.dtype is pf.int32
    assert x.numpy().tolist() == [0, 1, 2, 3, 4]


def test_arange_errors() -> None:
    with pytest.raises(pf.ArgumentError) as error:
        pf.arange(0, 5, -1)
    assert str(error.value) == (
        "arange from 0 to 5 by -1: the step leads away from the end\n"
        "  rule  a positive step goes up, a negative one down"
    )
    with pytest.raises(pf.ArgumentError, match="there is no such range"):
        pf.arange(0, 5, 0)


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([1, 2], pf.float32),
        (3, pf.float32),
        ([True, False], pf.bool_),
        (np.ones(2), pf.float32),
        (np.float64(2.0), pf.float32),
        (np.arange(3), pf.int32),
        (np.ones(2, np.float16), pf.float16),
        (np.ones(2, np.int8), pf.int8),
        (np.ones(2, bool), pf.bool_),
        (jnp.ones(2, jnp.bfloat16), pf.bfloat16),
    ],
)
def test_dtype_of_data(data: object, dtype: pf.DType) -> None:
    x = pf.tensor(data)
    assert x.dtype is dtype
    np.testing.assert_array_equal(
        x.numpy().astype(np.float32), np.asarray(data, np.float32)
    )
    assert pf.tensor(data, dtype=pf.float16).dtype is pf.float16


def test_data_is_copied() -> None:
    array = np.ones(64, np.float32)
    x, y = pf.from_numpy(array), pf.tensor(array)
    z = y + array
    array[:] = 5
    for tensor, value in ((x, 1), (y, 1), (z, 2)):
        assert tensor.numpy().tolist() == [value] * 64
    copy = x.numpy()
    copy[0] = 9
    assert x.numpy()[0] == 1


def test_data_is_copied_before_it_is_used() -> None:
    array = np.ones((64, 784), np.float32)
    for _ in range(20):  # a call that took the array itself would see it change
        x = pf.from_numpy(array)
        first, last = x.sum(), (x * 2)[-1, -1]
        array[:] = 5
        pf.eval(first, last)
        array[:] = 1
        assert first.item() == array.size
        assert last.item() == 2


@pytest.mark.parametrize(
    "array",
    [
        np.arange(5000, dtype=np.float32),
        np.arange(6000.0).reshape(60, 100).T,
        np.arange(9000)[::-1],
        np.arange(9000).astype(pf.bfloat16.numpy),
        np.arange(20000) % 3 == 0,
    ],
    ids=lambda array: str(array.dtype),
)
def test_large_data_is_copied_once(array: np.ndarray) -> None:
    """JAX uses the memory of the copy, because it is aligned as its own."""
    copy = pf.from_numpy(array)._node.value
    assert jax.device_put(copy).unsafe_buffer_pointer() == copy.ctypes.data
    assert not np.shares_memory(copy, array)
    np.testing.assert_array_equal(copy, array.astype(copy.dtype))


def test_data_moves_to_the_device_when_it_is_used_often() -> None:
    x = pf.from_numpy(np.ones(3, np.float32))
    for kind in (np.ndarray, np.ndarray, jax.Array):
        assert (x + 1).numpy().tolist() == [2, 2, 2]
        assert isinstance(x._node.value, kind)
    y = pf.from_numpy(np.ones(3, np.float32))
    assert jax.jit(lambda a: a + y)(np.ones(3, np.float32)).tolist() == [2, 2, 2]
    assert (y + 1).numpy().tolist() == [2, 2, 2]  # a constant of the trace, not of it


def test_a_tensor_of_a_tensor() -> None:
    x = pf.ones([2, 2])
    assert pf.tensor(x, dtype=pf.int32).dtype is pf.int32
    grid = pf.MeshLayout.grid(2, 2)
    assert pf.tensor(x, layout=grid).layout == grid
    assert x.layout == pf.MeshLayout.single_pe()


def test_data_errors() -> None:
    with pytest.raises(
        pf.ArgumentError, match="nested lists have one length per level"
    ):
        pf.tensor([[1], [2, 3]])
    with pytest.raises(pf.DTypeError, match="tensor: str gives an array of <U1"):
        pf.tensor("a")
    with pytest.raises(
        pf.DTypeError, match="tensor: an array of uint8 is not supported"
    ):
        pf.tensor(np.ones(2, np.uint8))
    with pytest.raises(pf.DTypeError, match="from_numpy: list is no NumPy array"):
        pf.from_numpy([1])
    with pytest.raises(pf.ArgumentError) as error:
        pf.tensor(np.array([2**40]))
    assert str(error.value) == (
        "tensor: values from 1099511627776 to 1099511627776 do not fit int32\n"
        "  rule  int32 holds -2147483648 to 2147483647\n"
        "  help  pass dtype=pf.float32, or a wider integer"
    )


def test_shape_errors() -> None:
    with pytest.raises(pf.ShapeError, match=r"zeros: \[-1\] is no shape"):
        pf.zeros([-1])
    with pytest.raises(pf.ShapeError, match=r"ones: 'ab' is no shape"):
        pf.ones("ab")


def test_random_is_reproducible_in_any_order() -> None:
    a, b = pf.randn([50]), pf.rand([50])
    first_b, first_a = b.numpy(), a.numpy()
    pf.manual_seed(7)
    c, d = pf.randn([50]), pf.rand([50])
    np.testing.assert_array_equal(c.numpy(), first_a)
    np.testing.assert_array_equal(d.numpy(), first_b)
    pf.manual_seed(8)
    assert not np.array_equal(pf.randn([50]).numpy(), first_a)


def test_random_distributions() -> None:
    normal, uniform = pf.randn([10000]).numpy(), pf.rand([10000]).numpy()
    assert abs(normal.mean()) < 0.05
    assert abs(normal.std() - 1) < 0.05
    assert 0 <= uniform.min() < 0.01
    assert 0.99 < uniform.max() < 1
    assert pf.randn([3], dtype=pf.bfloat16).dtype is pf.bfloat16


def test_random_errors() -> None:
    with pytest.raises(pf.DTypeError, match="randn: random values of int32 are not"):
        pf.randn([2], dtype=pf.int32)
    with pytest.raises(pf.ArgumentError, match=r"manual_seed: 1.5 is no seed"):
        pf.manual_seed(1.5)


def test_random_keeps_its_values_when_read_twice() -> None:
    x = pf.randn([3])
    total = (x + 0).numpy()
    np.testing.assert_array_equal(x.numpy(), total)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda: pf.empty([2]), [0, 0]),
        (lambda: pf.eye(2), [[1, 0], [0, 1]]),
        (lambda: pf.eye(2, 3, dtype=pf.int8), [[1, 0, 0], [0, 1, 0]]),
        (lambda: pf.linspace(0, 1, 5), [0, 0.25, 0.5, 0.75, 1]),
        (lambda: pf.linspace(0, 10, 4, dtype=pf.int32), [0, 3, 6, 10]),
        (lambda: pf.linspace(3, 5, 1), [3]),
        (lambda: pf.linspace(3, 5, 0), []),
        (lambda: pf.zeros_like(pf.ones([2])), [0, 0]),
        (lambda: pf.ones_like(pf.zeros([1, 2])), [[1, 1]]),
        (lambda: pf.empty_like(pf.ones([1])), [0]),
        (lambda: pf.full_like(pf.zeros([2]), 7), [7, 7]),
        (lambda: pf.ones_like([[1, 2], [3, 4]]), [[1, 1], [1, 1]]),
    ],
)
def test_more_creation(made: Callable[[], pf.Tensor], expected: object) -> None:
    assert made().tolist() == expected


@pytest.mark.parametrize("dtype", list(pf.DType))
def test_like_keeps_dtype_and_layout(dtype: pf.DType) -> None:
    grid = pf.MeshLayout.grid(2, 2)
    x = pf.zeros([4, 4], dtype=dtype, layout=grid)
    for y in (pf.zeros_like(x), pf.ones_like(x), pf.full_like(x, 1)):
        assert y.dtype is dtype
        assert y.layout == grid
    assert pf.ones_like(x, dtype=pf.float32).dtype is pf.float32
    assert pf.ones_like(x, layout=pf.MeshLayout.single_pe()).layout.num_pes == 1


def test_integers() -> None:
    x = pf.randint(-2, 3, [1000])
    assert x.dtype is pf.int32
    assert sorted(set(x.tolist())) == [-2, -1, 0, 1, 2]
    assert sorted(set(pf.randint(3, [200]).tolist())) == [0, 1, 2]
    assert pf.randint(2, shape=[5], dtype=pf.float32).dtype is pf.float32
    small = pf.randint(-128, 128, [4000], dtype=pf.int8).numpy()
    assert (small.min(), small.max()) == (-128, 127)


def test_permutation() -> None:
    order = pf.randperm(50)
    assert sorted(order.tolist()) == list(range(50))
    assert order.tolist() != list(range(50))
    assert pf.randperm(0).shape == [0]
    data = pf.arange(50)
    assert data[order].sum().item() == data.sum().item()


def test_bernoulli() -> None:
    share = pf.bernoulli(pf.full([10000], 0.3)).mean().item()
    assert abs(share - 0.3) < 0.02
    assert pf.bernoulli(pf.tensor([0.0, 1.0])).tolist() == [0, 1]
    mask = pf.bernoulli(pf.zeros([100], dtype=pf.bool_), 0.5)
    assert mask.dtype is pf.bool_
    assert 20 < mask.sum().item() < 80


def test_random_like() -> None:
    model = pf.zeros([3, 4], dtype=pf.bfloat16)
    for x in (pf.rand_like(model), pf.randn_like(model)):
        assert x.shape == [3, 4]
        assert x.dtype is pf.bfloat16
    assert pf.rand_like(model, dtype=pf.float32).dtype is pf.float32


def test_all_random_tensors_are_reproducible_in_any_order() -> None:
    def draw() -> list[pf.Tensor]:
        pf.manual_seed(3)
        half = pf.full([20], 0.5)
        return [
            pf.randint(9, [20]),
            pf.randperm(20),
            pf.bernoulli(half),
            pf.rand_like(half),
            pf.randn_like(half),
        ]

    first = [x.tolist() for x in draw()]
    again = [x.tolist() for x in reversed(draw())]
    assert first == again[::-1]
