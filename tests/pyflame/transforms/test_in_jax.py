"""pf ops, Tensors and modules inside transformations of JAX, and JAX on Tensors."""

import subprocess
import sys
import textwrap
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf

F = pf.nn.functional


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-5, atol=1e-6)


X = np.arange(6, dtype=np.float32).reshape(2, 3) / 5
W = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)


def pf_loss(w: Any, x: Any) -> Any:
    return (pf.tanh(x @ w) ** 2).mean()


def jnp_loss(w: Any, x: Any) -> Any:
    return (jnp.tanh(x @ w) ** 2).mean()


@pytest.mark.parametrize("given", [jnp.asarray, pf.tensor])
def test_jit_and_gradients(given: Any) -> None:
    w, x = given(W), given(X)
    close(jax.jit(pf_loss)(w, x), jnp_loss(W, X))
    value, grad = jax.value_and_grad(pf_loss)(w, x)
    expected = jax.value_and_grad(jnp_loss)(jnp.asarray(W), X)
    close(value, expected[0])
    close(grad, expected[1])
    assert isinstance(grad, pf.Tensor) == isinstance(w, pf.Tensor)
    close(jax.jit(jax.grad(pf_loss))(w, x), expected[1])


def test_closures_are_constants_and_arguments_are_not() -> None:
    w = pf.tensor(W)
    call = jax.jit(lambda x: pf.relu(x @ w))
    close(call(X), np.maximum(X @ W, 0))
    pending = pf.tensor(W) * 2
    close(jax.jit(lambda x: x @ pending)(X), X @ W * 2)
    assert pending.is_evaluated()


def test_results_are_tensors_where_tensors_went_in() -> None:
    result = jax.jit(lambda x: {"y": x * 2, "n": x.shape[0]})(pf.tensor(X))
    assert isinstance(result["y"], pf.Tensor)
    close(result["y"], X * 2)
    assert isinstance(jax.jit(lambda x: pf.exp(x))(X), jax.Array)


@pytest.mark.parametrize("axes", [(0, None), (None, 1), (1, 0)])
def test_vmap(axes: Any) -> None:
    x = np.arange(9, dtype=np.float32).reshape(3, 3)
    y = x * 2 + 1

    def outer(a: Any, b: Any) -> Any:
        return pf.softmax(a * b + b.sum(), dim=0)

    expected = jax.vmap(
        lambda a, b: jax.nn.softmax(a * b + b.sum(), axis=0), in_axes=axes
    )(x, y)
    close(jax.vmap(outer, in_axes=axes)(x, y), expected)
    close(jax.vmap(outer, in_axes=axes)(pf.tensor(x), pf.tensor(y)), expected)


def test_scan_carries_tensors() -> None:
    cell = pf.nn.Linear(3, 3)

    def step(h: Any, x: Any) -> Any:
        h = pf.tanh(cell(x) + h)
        return h, h.sum()

    xs = pf.tensor(np.ones((4, 3), np.float32))
    last, sums = jax.lax.scan(step, pf.zeros([3]), xs)
    h = pf.zeros([3])
    for i in range(4):
        h, total = step(h, xs[i])
        close(sums[i], total)
    assert isinstance(last, pf.Tensor)
    close(last, h)


def test_while_loop_and_cond() -> None:
    def body(state: Any) -> Any:
        i, x = state
        return i + 1, pf.where(x > 10, x, x * 2)

    i, x = jax.lax.while_loop(
        lambda s: jnp.asarray(s[1].min() < 10), body, (0, pf.tensor([1.0, 3.0]))
    )
    assert (int(i), x.numpy().tolist()) == (4, [16, 12])
    branch = jax.jit(
        lambda flag, x: jax.lax.cond(flag, lambda x: pf.exp(x), lambda x: -x, x)
    )
    close(branch(True, pf.tensor([1.0])), [np.e])
    close(branch(False, pf.tensor([1.0])), [-1])


def test_fori_loop_switch_and_associative_scan() -> None:
    x = pf.tensor([1.0, 2.0])
    close(jax.lax.fori_loop(0, 3, lambda _, x: x * 2, x), [8, 16])
    close(jax.lax.switch(1, [lambda x: x, lambda x: pf.sqrt(x)], x), np.sqrt([1, 2]))
    close(jax.lax.associative_scan(pf.mul, jnp.array([1.0, 2.0, 3.0])), [1, 2, 6])


def test_checkpoint() -> None:
    f = jax.checkpoint(lambda w: pf_loss(w, X))
    close(jax.grad(f)(jnp.asarray(W)), jax.grad(jnp_loss)(jnp.asarray(W), X))
    close(jax.grad(f)(pf.tensor(W)), jax.grad(jnp_loss)(jnp.asarray(W), X))


def test_custom_vjp() -> None:
    @jax.custom_vjp
    def clipped(x: Any) -> Any:
        return pf.maximum(x, 0.0)

    clipped.defvjp(
        lambda x: (pf.maximum(x, 0.0), x), lambda x, g: (pf.where(x > -1, g, 0.0),)
    )
    x = pf.tensor([-2.0, -0.5, 3.0])
    assert clipped(x).numpy().tolist() == [0, 0, 3]
    close(jax.grad(lambda x: jnp.asarray(clipped(x)).sum())(x), [0, 1, 1])
    arrays = jax.jit(jax.grad(lambda x: clipped(x).sum()))
    assert arrays(jnp.asarray(x)).tolist() == [0, 1, 1]


def test_second_derivatives_and_jacobians() -> None:
    x = jnp.array([1.0, 2.0])
    close(jax.hessian(lambda x: (x**3).sum())(x), np.diag([6.0, 12.0]))
    e = np.exp([1.0, 2.0])
    close(jax.hessian(lambda x: (pf.exp(x) * x).sum())(x), np.diag(e * [3, 4]))
    close(jax.jacfwd(lambda x: pf.sin(x))(x), np.diag(np.cos([1.0, 2.0])))


def test_make_jaxpr_names_ops_and_the_users_line() -> None:
    closed = jax.make_jaxpr(lambda x: pf.relu(x) + 1)(jnp.ones(3))
    names = [eqn.primitive.name for eqn in closed.jaxpr.eqns]
    assert "add" in names
    assert closed.out_avals[0].shape == (3,)


def test_functions_of_jnp_take_tensors() -> None:
    x = pf.tensor(X)
    close(jnp.sin(x), np.sin(X))
    close(jnp.concatenate([x, x * 2]), np.concatenate([X, X * 2]))
    close(jax.nn.softmax(x), jax.nn.softmax(X))
    close(jax.tree.map(lambda a: a + 1, {"x": x})["x"], X + 1)
    close(jax.jit(lambda x: jnp.sin(x) @ jnp.asarray(W))(x), np.sin(X) @ W)


def test_gradients_of_a_module_by_name() -> None:
    model = pf.nn.Sequential(pf.nn.Linear(3, 4), pf.nn.Tanh(), pf.nn.Linear(4, 1))
    x = pf.tensor(X)

    def loss(state: Any) -> Any:
        return (pf.nn.functional_call(model, state, (x,)) ** 2).mean()

    state = {name: jnp.asarray(value) for name, value in model.state_dict().items()}
    grads = jax.jit(jax.grad(loss))(state)
    (model(x) ** 2).mean().backward()
    for name, parameter in model.named_parameters():
        close(grads[name], parameter.grad)
    per_example = jax.vmap(
        jax.grad(lambda s, x: (pf.nn.functional_call(model, s, x) ** 2).mean()),
        in_axes=(None, 0),
    )(state, jnp.asarray(X))
    close(per_example["0.weight"].mean(axis=0), grads["0.weight"])


def test_functional_call_on_tensors_and_afterwards() -> None:
    model = pf.nn.Linear(2, 1, bias=False)
    own = model.weight.numpy()
    other = pf.tensor([[2.0, 3.0]])
    y = pf.nn.functional_call(model, {"weight": other}, pf.tensor([[1.0, 1.0]]))
    assert y.item() == 5
    y.sum().backward()
    assert other.grad is not None
    assert other.grad.numpy().tolist() == [[1, 1]]
    assert model.weight.grad is None
    np.testing.assert_array_equal(model.weight.numpy(), own)
    with pytest.raises(pf.ArgumentError) as caught:
        pf.nn.functional_call(model, {"wight": other, "bias": other}, ())
    assert str(caught.value) == (
        "functional_call of Linear: it has no 'wight', 'bias'\n"
        "  rule  names are those of state_dict()"
    )
    with pytest.raises(
        pf.ShapeError, match=r"'weight' is given as \[2\], not \[1, 2\]"
    ):
        pf.nn.functional_call(model, {"weight": pf.ones([2])}, ())


def test_running_statistics_go_in_and_out() -> None:
    model = pf.nn.BatchNorm1d(3)
    eager = pf.nn.BatchNorm1d(3)
    state = {k: jnp.asarray(v) for k, v in model.state_dict().items()}

    @jax.jit
    def step(state: Any, x: Any) -> Any:
        y, state = pf.nn.functional_call(model, state, x, mutable=True)
        return y, state

    for i in range(3):
        x = X * (i + 1)
        y, state = step(state, x)
        close(y, eager(pf.tensor(x)))
    for name, value in eager.state_dict().items():
        close(state[name], value)
    assert model.num_batches_tracked.item() == 0


def test_values_do_not_leak_out_of_transformations() -> None:
    x = pf.tensor([1.0, 2.0])

    @jax.jit
    def f(y: Any) -> Any:
        x._assign(y)
        return y

    with pytest.raises(pf.GraphError) as caught:
        f(pf.tensor([3.0, 4.0]))
    assert str(caught.value) == (
        "float32[2] would take a value from inside a transformation of JAX\n"
        "  rule  a tensor outside of jax.jit, grad, vmap or scan keeps its value "
        "there\n"
        "  help  return the new value from the function; pf.nn.functional_call passes "
        "parameters and buffers in, and with mutable=True out again"
    )
    assert x.numpy().tolist() == [1, 2]


def test_backward_inside_says_what_to_do() -> None:
    def f(x: Any) -> Any:
        y = x * 2
        y.backward(y)
        return y

    with pytest.raises(pf.ArgumentError) as caught:
        jax.jit(f)(pf.tensor([1.0, 2.0]))
    assert str(caught.value) == (
        "backward of float32[2] inside a JAX transformation\n"
        "  rule  backward works on recorded tensors, and JAX records its own way\n"
        "  help  use jax.grad of the function that computes it"
    )


def test_random_numbers_inside_want_a_key() -> None:
    def noisy(x: Any) -> Any:
        return F.dropout(x, 0.5)

    with pytest.raises(pf.GraphError) as caught:
        jax.jit(noisy)(jnp.ones(4))
    assert str(caught.value) == (
        "random numbers inside a function that JAX compiles\n"
        "  rule  it is traced once, so that all its runs would have the same ones\n"
        "  help  pass a key: `with pf.random_from(key):`; or use pf.jit, which goes on "
        "with pf.manual_seed; or model.eval() to go without dropout"
    )

    @jax.jit
    def keyed(key: Any, x: Any) -> Any:
        with pf.random_from(key):
            return noisy(x), pf.rand([2]), pf.rand([2])

    keys = jax.random.split(jax.random.key(0))
    x = jnp.ones(64)
    first, again, other = keyed(keys[0], x), keyed(keys[0], x), keyed(keys[1], x)
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[1], first[2])
    with pf.random_from(keys[0]):
        np.testing.assert_array_equal(F.dropout(pf.ones([64]), 0.5).numpy(), first[0])
    batched = jax.vmap(keyed, in_axes=(0, None))(keys, x)
    np.testing.assert_array_equal(batched[0][1], other[0])
    with pytest.raises(pf.ArgumentError, match="random_from: int is no key"):
        pf.random_from(3)


def test_random_numbers_under_grad_go_on_with_the_seed() -> None:
    pf.manual_seed(5)
    grad = jax.grad(lambda x: F.dropout(x, 0.5).sum())
    a, b = grad(jnp.ones(32)), grad(jnp.ones(32))
    assert not np.array_equal(a, b)
    pf.manual_seed(5)
    np.testing.assert_array_equal(grad(jnp.ones(32)), a)


def test_partial_and_static_arguments() -> None:
    call = jax.jit(partial(pf.softmax, dim=0))
    close(call(X), jax.nn.softmax(X, axis=0))
    summed = jax.jit(lambda x, dim: pf.sum(x, dim=dim), static_argnames="dim")
    close(summed(X, dim=1), X.sum(axis=1))


SHARDED = """
    import jax, jax.numpy as jnp, numpy as np
    from jax.sharding import PartitionSpec as P
    import pyflame as pf
    assert len(jax.devices()) == 4
    auto = (jax.sharding.AxisType.Auto,)
    mesh = jax.make_mesh((4,), ("d",), axis_types=auto)
    w = pf.tensor(np.ones((2, 3), np.float32))

    def local(x):
        y = pf.relu(x @ w)
        return jax.lax.psum(jnp.asarray(y.sum()), "d"), y * 2

    specs = {"in_specs": P("d"), "out_specs": (P(), P("d"))}
    f = jax.jit(jax.shard_map(local, mesh=mesh, **specs))
    x = np.arange(16, dtype=np.float32).reshape(8, 2)
    for given in (jnp.asarray(x), pf.tensor(x)):
        total, y = f(given)
        np.testing.assert_allclose(total, (x @ np.ones((2, 3))).sum())
        np.testing.assert_allclose(np.asarray(y), x @ np.ones((2, 3)) * 2)
    assert isinstance(y, pf.Tensor)  # of an array on four devices
    assert len(jnp.asarray(y).devices()) == 4
    total = (y + 1).sum().item()
    np.testing.assert_allclose(total, (x @ np.ones((2, 3)) * 2 + 1).sum())
    g = pf.jit(lambda y: (y + 1).sum())
    assert g(y).item() == total
    print("fine")
"""


def test_shard_map_over_four_devices() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SHARDED)],
        capture_output=True,
        text=True,
        timeout=120,
        env={
            "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
            "PATH": "/usr/bin",
            "JAX_PLATFORMS": "cpu",
        },
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "fine\n"


@pytest.mark.parametrize(
    "op",
    [
        lambda x: pf.pow(x, 2.5),
        lambda x: pf.pow(x, 3),
        lambda x: pf.logit(x, 0.2),
        lambda x: F.threshold(x, 0.3, 7.0),
        lambda x: F.pad(x, (1, 1), "constant", 2.5),
        lambda x: F.normalize(x),
        lambda x: F.scaled_dot_product_attention(x, x, x, scale=0.3),
    ],
)
def test_numbers_as_arguments_beside_tracers(op: Any) -> None:
    tensor = pf.tensor(X)
    result = op(tensor)
    result.sum().backward()
    close(jax.jit(op)(X), result.numpy())
    close(jax.grad(lambda x: op(x).sum())(jnp.asarray(X)), tensor.grad.numpy())


def test_a_power_of_a_traced_scalar_is_an_array() -> None:
    for exponent, slope in ((2.5, 20.0), (2, 8.0), (0.0, 0.0)):
        close(jax.grad(lambda x, e=exponent: pf.pow(x, e))(4.0), slope)


@pytest.mark.parametrize(
    ("name", "instead"), [("equal", "(a == b)"), ("allclose", "isclose(a, b)")]
)
def test_answers_of_python_are_refused(name, instead):
    with pytest.raises(pf.GraphError) as caught:
        jax.jit(lambda x: getattr(pf, name)(x, x))(jnp.ones(3))
    assert str(caught.value) == (
        f"{name} inside a JAX transformation\n"
        "  rule  its answer is a bool of Python, which no traced value is\n"
        f"  help  compute with {instead}.all(), which is an array"
    )


def test_batch_norm_by_traced_statistics():
    x, mean, variance = jnp.arange(6.0).reshape(2, 3), jnp.ones(3), jnp.full(3, 4.0)
    batch_norm = pf.nn.functional.batch_norm
    np.testing.assert_allclose(
        jax.jit(batch_norm)(x, mean, variance), (x - 1) / 2, rtol=1e-5
    )
    with pytest.raises(pf.GraphError) as caught:
        batch_norm(pf.tensor(np.asarray(x)), mean, variance, training=True)
    assert str(caught.value) == (
        "batch_norm: running statistics of type ArrayImpl cannot move\n"
        "  rule  in training the statistics are Tensors, which are assigned to\n"
        "  help  pass Tensors, or None and move the statistics yourself"
    )


def test_a_cast_to_the_same_dtype_is_the_tensor_itself():
    x = pf.ones([2])
    assert x.to(pf.float32) is x
    assert x.to(pf.int32) is not x
