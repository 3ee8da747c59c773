"""Laziness: what is computed when, compiled how often, and kept how long."""

import gc
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf
from pyflame import node, staging


def _work_of(step: object) -> tuple[int, int, int]:
    before = (
        staging.counts.inferences,
        staging.counts.traces,
        staging.counts.evaluations,
    )
    step()  # pyright: ignore[reportCallIssue]
    after = staging.counts
    return (
        after.inferences - before[0],
        after.traces - before[1],
        after.evaluations - before[2],
    )


def test_ops_are_lazy_until_read() -> None:
    x = pf.randn([10])
    y = pf.relu(x)
    assert pf.is_lazy(x)
    assert not y.is_evaluated()
    assert pf.eval(y) is y
    assert y.is_evaluated()
    assert x.is_evaluated()  # it has a name, so it came along in the same call
    assert not pf.is_lazy(x)


def test_eval_of_several_is_one_call() -> None:
    a, b = pf.randn([5]), pf.randn([5])
    c = a + b
    assert _work_of(lambda: pf.eval(a, b, c))[2] == 1
    assert pf.eval(a, b) == (a, b)
    assert _work_of(lambda: pf.eval(a, b, c))[2] == 0


def test_every_read_forces() -> None:
    x = pf.full([1], 3.0)
    assert (x + 1).item() == 4
    assert float(x + 2) == 5
    assert int(x + 3) == 6
    assert bool(x > 2) is True
    assert repr(x * 2) == "tensor([6.], dtype=float32)"
    np.testing.assert_array_equal(np.asarray(x * 3), [9])
    assert jnp.sum(x + x) == 6
    assert len(x) == 1


def test_the_second_step_compiles_and_retraces_nothing() -> None:
    w = pf.zeros([4, 3])
    w.eval()

    def step(rate: float, data: np.ndarray) -> None:
        nonlocal w
        x = pf.tensor(data)
        error = x @ w - 1.0
        w = w - rate * (x.transpose(0, 1) @ error)
        w.eval()

    data = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    step(0.1, data)
    for k in range(5):
        work = _work_of(partial(step, 0.1 / (k + 2), data + k))
        assert work == (0, 0, 1)


def test_random_numbers_are_not_structural() -> None:
    pf.randn([6]).eval()
    assert _work_of(lambda: pf.randn([6]).eval()) == (0, 0, 1)


def test_powers_are_structural_and_scalars_are_not() -> None:
    x = pf.ones([7]).eval()
    (x**2 * 1.5).eval()
    assert _work_of(lambda: (x**2 * 2.5).eval())[1] == 0
    assert _work_of(lambda: (x**3 * 2.5).eval())[1] == 1


def test_memory_is_flat_over_steps() -> None:
    x = pf.zeros([3])
    for _ in range(3):
        x = (x + 1).eval()
    gc.collect()
    before = sum(issubclass(type(thing), node.Node) for thing in gc.get_objects())
    for _ in range(50):
        x = (x + 1).eval()
    gc.collect()
    after = sum(issubclass(type(thing), node.Node) for thing in gc.get_objects())
    assert after == before
    assert x.numpy().tolist() == [53, 53, 53]


def test_long_graphs_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    assert staging.MAX_PENDING_NODES == 2000
    monkeypatch.setattr(staging, "MAX_PENDING_NODES", 50)
    start = staging.counts.evaluations
    y = pf.zeros([2])
    for _ in range(100):
        y = y + 1
    assert staging.counts.evaluations == start + 2
    assert y.numpy().tolist() == [100, 100]


def test_shared_subgraphs_are_counted_once() -> None:
    x = pf.ones([2])
    start = staging.counts.evaluations
    for _ in range(100):
        x = x * 0.5 + x * 0.5  # doubling paths, not nodes
    assert staging.counts.evaluations == start
    assert x.numpy().tolist() == [1, 1]


def test_deep_graphs_do_not_recurse() -> None:
    y = x = pf.ones([2])
    for _ in range(1500):
        y = y + x
    assert y.numpy().tolist() == [1501, 1501]
    del y


def test_recording_is_cheap() -> None:
    x = pf.ones([8])

    def record() -> float:
        y = x
        start = time.perf_counter()
        for _ in range(500):
            y = y + x
        return (time.perf_counter() - start) / 500

    assert min(record() for _ in range(7)) < 60e-6  # a tenth of it on a quiet core


def test_under_jit_ops_apply_directly() -> None:
    before = staging.counts.evaluations
    x, w = jnp.ones((2, 3)), pf.full([3, 4], 2.0).eval()
    before = staging.counts.evaluations
    y = jax.jit(lambda x: pf.relu(x @ w) + 1)(x)
    assert isinstance(y, jax.Array)
    assert y.tolist() == [[7.0] * 4] * 2
    assert staging.counts.evaluations == before


def test_lazy_constants_inside_a_trace() -> None:
    constant = pf.ones([3]) * 2
    y = jax.jit(lambda x: x + constant)(jnp.ones(3))
    assert np.asarray(y).tolist() == [3, 3, 3]
    assert constant.numpy().tolist() == [2, 2, 2]  # no tracer has leaked


def test_constants_made_inside_a_trace_stay_ops() -> None:
    jaxpr = jax.make_jaxpr(lambda x: pf.full([3], 2.0) + x)(jnp.ones(3))
    assert not jaxpr.consts
    assert jax.jit(lambda x: pf.zeros([3]) + x + pf.ones([3]))(jnp.ones(3))[0] == 2


def test_tensors_are_pytrees() -> None:
    x = pf.ones([2, 3], layout=pf.MeshLayout.grid(2, 2))
    y = jax.jit(lambda t: {"out": pf.exp(t) * 2})(x)["out"]
    assert isinstance(y, pf.Tensor)
    np.testing.assert_allclose(y.numpy(), 2 * np.exp(np.ones((2, 3))), rtol=1e-6)
    leaves, tree = jax.tree.flatten(x)
    assert len(leaves) == 1
    assert jax.tree.unflatten(tree, [object()]) is not None


def test_grad_of_tensors_gives_tensors() -> None:
    data = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
    x = pf.tensor(data)
    params = {"w": pf.full([3, 2], 0.5), "b": pf.zeros([2])}

    def loss(p: dict[str, pf.Tensor]) -> pf.Tensor:
        return ((x @ p["w"] + p["b"]) ** 2).mean()

    def reference(p: dict[str, jax.Array]) -> jax.Array:
        return ((data @ p["w"] + p["b"]) ** 2).mean()

    mine = jax.grad(loss)(params)
    theirs = jax.grad(reference)({k: jnp.asarray(v.numpy()) for k, v in params.items()})
    for name in params:
        assert isinstance(mine[name], pf.Tensor)
        np.testing.assert_allclose(mine[name].numpy(), theirs[name], rtol=1e-6)


def test_vmap_and_scan() -> None:
    x = jnp.arange(6.0).reshape(2, 3)
    rows = jax.vmap(lambda row: pf.softmax(row))(x)
    np.testing.assert_allclose(rows, jax.nn.softmax(x), rtol=1e-6)

    def step(carry: pf.Tensor, row: jax.Array) -> tuple[pf.Tensor, jax.Array]:
        return carry * 2 + 1, pf.sum(row)

    carry, sums = jax.lax.scan(step, pf.zeros([3]), x)
    assert carry.numpy().tolist() == [3, 3, 3]
    assert sums.tolist() == [3, 12]


def test_jax_errors_are_not_swallowed() -> None:
    with pytest.raises(jax.errors.TracerArrayConversionError):
        jax.jit(lambda x: pf.tensor([1.0]).numpy() * np.asarray(x))(jnp.ones(1))
