"""What a compiled function relies on: arguments, captured state, host state."""

import threading
import warnings
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf
from pyflame import staging

RATE = 2.0
TABLES = {"a": [1.0, 2.0]}
tanh = 0  # as the method, which has nothing to do with it


def recordings_of(call: Any) -> int:
    before = staging.counts.recordings
    call()
    return staging.counts.recordings - before


def test_a_global_with_the_name_of_a_method_is_not_used(monkeypatch) -> None:
    @pf.jit
    def f(x: Any) -> Any:
        return (lambda y: y.tanh() * RATE)(x)

    x = pf.tensor([1.0])
    f(x)
    for number in range(3):
        monkeypatch.setitem(globals(), "tanh", number + 1)
        assert recordings_of(lambda: f(x)) == 0
    monkeypatch.setitem(globals(), "RATE", 3.0)
    assert recordings_of(lambda: f(x)) == 1


def test_values_of_arguments_are_inputs() -> None:
    runs = []

    @pf.jit
    def f(x: Any, y: Any, scale: float, *, shift: Any) -> Any:
        runs.append(1)
        return (x * scale + y).sum(dim=0) + shift

    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    for scale in (1.0, 2.5):
        x, y = pf.tensor(a), jnp.ones((2, 3))
        result = f(x, y, scale, shift=np.float32(3))
        expected = (a * scale + 1).sum(axis=0) + 3
        np.testing.assert_allclose(result.numpy(), expected)
    assert len(runs) == 1
    f(pf.tensor(a[:1]), jnp.ones((1, 3)), 1.0, shift=np.float32(3))
    assert len(runs) == 2


def test_integers_strings_and_objects_are_compared_by_value() -> None:
    @pf.jit
    def f(x: Any, times: int, how: str) -> Any:
        for _ in range(times):
            x = x + x
        return getattr(x, how)()

    x = pf.ones([3])
    assert f(x, 2, "sum").item() == 12
    assert f(x, 3, "max").item() == 8
    assert recordings_of(lambda: f(x, 2, "sum")) == 0
    assert f(x, True, "sum").item() == 6


def test_static_arguments() -> None:
    @pf.jit(static_argnums=1, static_argnames="q")
    def f(x: Any, p: float, q: Any = 0.0) -> Any:
        return x * p if p > q else x

    x = pf.tensor([2.0])
    assert f(x, 3.0).item() == 6
    assert f(x, 0.0).item() == 2
    assert f(x, 3.0, q=5.0).item() == 2
    with pytest.raises(pf.ArgumentError) as caught:
        f(x, [1.0])
    assert str(caught.value) == (
        "pf.jit: an argument of type list has no hash\n"
        "  rule  arguments are tensors, arrays and floats, or else compared by value\n"
        "  help  pass what the function needs of it, or capture it instead"
    )


def test_results_have_the_structure_that_was_returned() -> None:
    kept = pf.tensor([5.0])

    @pf.jit
    def f(x: Any) -> Any:
        return {"a": x + 1, "same": x, "kept": kept, "n": 3, "none": None}, [x * 2]

    for value in (1.0, 2.0):
        x = pf.tensor([value])
        named, (double,) = f(x)
        assert named["a"].item() == value + 1
        assert named["same"] is x
        assert named["kept"] is kept
        assert (named["n"], named["none"]) == (3, None)
        assert double.item() == 2 * value
    assert recordings_of(lambda: f(x)) == 0


def test_captured_tensors_are_inputs() -> None:
    w = pf.tensor([1.0, 2.0])

    @pf.jit
    def f(x: Any) -> Any:
        return x * w

    x = pf.tensor([3.0, 3.0])
    f(x)
    w._assign(pf.tensor([10.0, 20.0]))
    assert recordings_of(lambda: f(x)) == 0
    assert f(x).numpy().tolist() == [30, 60]
    w = pf.tensor([0.0, 1.0])  # another tensor under the same name
    assert f(x).numpy().tolist() == [0, 3]
    w = pf.tensor([7.0])  # of another shape
    assert f(x).numpy().tolist() == [21, 21]


def test_assigning_inside_is_seen_outside() -> None:
    total, count = pf.zeros([2]), pf.tensor(0, dtype=pf.int32)

    @pf.jit
    def add(x: Any) -> Any:
        with pf.autograd.no_grad():
            total._assign(total + x)
            count._assign(count + 1)
        return total / count

    for i in range(4):
        mean = add(pf.tensor([1.0, float(i)]))
    assert mean.numpy().tolist() == [1.0, 1.5]
    assert (total.numpy().tolist(), count.item()) == ([4, 6], 4)
    before = pf.tensor(total)
    held = total.detach()
    add(pf.tensor([1.0, 1.0]))
    assert held.numpy().tolist() == [4, 6]
    assert before is total


def test_arguments_can_be_assigned_to() -> None:
    @pf.jit
    def double(x: Any) -> None:
        with pf.autograd.no_grad():
            x._assign(x * 2)

    a, b = pf.tensor([1.0]), pf.tensor([3.0])
    for x, expected in [(a, 2), (a, 4), (b, 6)]:
        double(x)
        assert x.item() == expected


def test_one_tensor_as_two_arguments() -> None:
    @pf.jit
    def f(x: Any, y: Any) -> Any:
        with pf.autograd.no_grad():
            x._assign(x + 1)
        return x + y

    a, b = pf.tensor([1.0]), pf.tensor([10.0])
    assert f(a, b).item() == 12
    assert f(a, a).item() == 6
    assert f(b, a).item() == 14


def test_a_captured_tensor_as_an_argument() -> None:
    w = pf.tensor([1.0])

    @pf.jit
    def f(x: Any) -> Any:
        with pf.autograd.no_grad():
            w._assign(w + 1)
        return x * w

    assert f(pf.tensor([5.0])).item() == 10
    assert f(w).item() == 9
    assert f(pf.tensor([5.0])).item() == 20


def test_train_and_eval_are_programs_of_their_own() -> None:
    pf.manual_seed(1)
    model = pf.nn.Sequential(pf.nn.BatchNorm1d(3), pf.nn.Dropout(0.5))
    call = pf.jit(lambda x: model(x))
    x = pf.tensor(np.arange(12, dtype=np.float32).reshape(4, 3)).detach()
    with pf.autograd.no_grad():
        trained = call(x)
        assert (trained.numpy() == 0).any()
        model.eval()
        np.testing.assert_array_equal(call(x).numpy(), model(x).numpy())
        assert recordings_of(lambda: call(x)) == 0
        model.train()
        assert recordings_of(lambda: call(x)) == 0
    assert model[0].num_batches_tracked.item() == 2


def test_running_statistics_move() -> None:
    models = [pf.nn.BatchNorm1d(3) for _ in range(2)]
    calls = [models[0], pf.jit(models[1])]
    generator = np.random.default_rng(0)
    for _ in range(3):
        x = pf.tensor(generator.normal(size=(4, 3)).astype(np.float32))
        a, b = (call(x) for call in calls)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6, atol=1e-6)
    for a, b in zip(models[0].buffers(), models[1].buffers(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


class Gate(pf.nn.Module):
    def __init__(self) -> None:
        self.weight = pf.ones([2])
        self.scale = 2.0

    def forward(self, x: Any) -> Any:
        return x * self.weight * self.scale


def test_changed_modules_are_recorded_again() -> None:
    gate = Gate()
    call, x = pf.jit(gate), pf.tensor([1.0, 2.0])
    assert call(x).numpy().tolist() == [2, 4]
    gate.scale = 3.0
    assert call(x).numpy().tolist() == [3, 6]
    gate.weight = pf.zeros([2])
    assert call(x).numpy().tolist() == [0, 0]
    gate.scale = 3.0  # set again, to the same
    assert recordings_of(lambda: call(x)) == 0


class Plain:
    """A user's object with state of every kind."""

    factor = 2.0

    def __init__(self) -> None:
        self.w = pf.tensor([1.0])
        self.layers = [pf.nn.Linear(1, 1, bias=False)]
        self.options = {"shift": 1.0}
        self.unused = 0

    def value(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return self.helper(x * self.w) + self.options["shift"]

    def helper(self, x: Any) -> Any:
        return x * self.factor * RATE


def test_changed_objects_are_recorded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, x = Plain(), pf.tensor([[1.0]])
    call = pf.jit(plain.value)

    def check() -> None:
        np.testing.assert_allclose(call(x).item(), plain.value(x).item(), rtol=1e-6)

    def unused() -> None:
        plain.unused += 1

    def shift() -> None:
        plain.options["shift"] = 5.0

    changes = [
        lambda: setattr(plain, "w", pf.tensor([3.0])),
        shift,
        lambda: plain.layers.append(pf.nn.Linear(1, 1, bias=False)),
        lambda: monkeypatch.setattr(Plain, "factor", 7.0),
        lambda: monkeypatch.setitem(globals(), "RATE", 0.5),
    ]
    check()
    for change in changes:
        change()
        assert recordings_of(check) == 1
        assert recordings_of(check) == 0
    unused()
    assert recordings_of(check) == 0


@dataclass(slots=True)
class Options:
    scale: float = 1.0
    shift: float = 0.0


def test_other_places_to_keep_numbers() -> None:
    options, bag = Options(), SimpleNamespace(power=1)
    table = np.zeros(2, np.float32)

    @pf.jit
    def f(x: Any) -> Any:
        shift = getattr(options, "sh" + "ift")
        return x**bag.power * options.scale + shift + table

    def changed(change: Any) -> list[float]:
        change()
        assert recordings_of(lambda: f(x)) == 1
        assert recordings_of(lambda: f(x)) == 0
        return f(x).numpy().tolist()

    x = pf.tensor([2.0, 3.0])
    f(x)
    assert changed(lambda: setattr(options, "scale", 2.0)) == [4, 6]
    assert changed(lambda: setattr(options, "shift", 1.0)) == [5, 7]
    assert changed(lambda: setattr(bag, "power", 2)) == [9, 19]
    assert changed(lambda: table.fill(1)) == [10, 20]


def test_a_module_keeps_its_methods() -> None:
    model = pf.nn.Linear(2, 1)
    call = pf.jit(model)
    assert call.weight is model.weight
    assert len(call.parameters()) == 2
    with pytest.raises(AttributeError, match="nothing"):
        call.nothing  # noqa: B018


def test_a_large_graph_is_traced_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MAX_PENDING_NODES", 50)

    @pf.jit
    def f(x: Any) -> Any:
        for _ in range(120):
            x = x + 1.0
        return x

    start = staging.counts.evaluations
    x = pf.tensor([0.0]).detach()
    assert f(x).item() == 120
    assert staging.counts.evaluations == start + 1


class Counting:
    def __init__(self) -> None:
        self.steps = 0
        self.seen: list[Any] = []

    @pf.jit
    def step(self, x: Any) -> Any:
        self.steps += 1
        y = x * self.steps
        self.seen.append(y)
        return y


def test_python_state_that_the_function_changes_makes_it_run_each_time() -> None:
    counting = Counting()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for i in range(18):
            assert counting.step(pf.tensor([1.0])).item() == i + 1
    assert [y.item() for y in counting.seen] == list(range(1, 19))
    (warning,) = caught
    assert str(warning.message) == (
        "pf.jit: step was run by Python 16 times in a row, because "
        "Counting.steps was 14 and is 15; what changes at every call is best passed as "
        "a tensor or a float"
    )


def test_random_numbers_go_on_as_without() -> None:
    def noisy(x: Any) -> Any:
        return pf.nn.functional.dropout(x + pf.randn([4]), 0.5) + pf.rand([4])

    x, streams = pf.zeros([4]), []
    for call in (noisy, pf.jit(noisy)):
        pf.manual_seed(7)
        stream = [call(x).numpy() for _ in range(2)]
        stream.append(pf.rand([4]).numpy())
        stream += [call(x).numpy() for _ in range(2)]
        pf.manual_seed(7)
        stream.append(call(x).numpy())
        streams.append(stream)
    for a, b in zip(*streams, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(streams[1][0], streams[1][-1])
    assert not np.array_equal(streams[1][0], streams[1][1])


def test_a_seed_set_inside_is_set_at_every_call() -> None:
    @pf.jit
    def f() -> Any:
        first = pf.rand([2])
        pf.manual_seed(3)
        return first, pf.rand([2])

    pf.manual_seed(3)
    expected = pf.rand([2]).numpy(), pf.rand([2]).numpy()
    pf.manual_seed(3)
    for first in expected[0], expected[1], expected[1]:
        a, b = f()
        np.testing.assert_array_equal(a.numpy(), first)
        np.testing.assert_array_equal(b.numpy(), expected[0])


def test_gradient_mode_is_part_of_what_is_compiled() -> None:
    w = pf.tensor([2.0])
    f = pf.jit(lambda: (w * w).sum())
    with pf.autograd.no_grad():
        f()
    loss = f()
    loss.backward()
    assert w.grad is not None
    assert w.grad.item() == 4


def test_gradients_flow_through_results() -> None:
    model = pf.nn.Linear(3, 2)
    call = pf.jit(model)
    x = pf.tensor(np.ones((4, 3), np.float32))
    for i in range(4):
        out = call(x)
        (out * out).sum().backward()
        expected = 2 * out.detach().numpy()
        assert model.bias.grad is not None
        total = expected.sum(axis=0) * (i + 1)
        np.testing.assert_allclose(model.bias.grad.numpy(), total, rtol=1e-5)
    assert recordings_of(lambda: call(x)) == 0


def test_a_compiled_model_in_an_eager_training_loop() -> None:
    runs = []
    for jitted in (False, True):
        pf.manual_seed(0)
        model = pf.nn.Sequential(
            pf.nn.Linear(3, 5), pf.nn.BatchNorm1d(5), pf.nn.Dropout(0.2)
        )
        head = pf.nn.Linear(5, 1)
        call = pf.jit(model) if jitted else model
        params = [*model.parameters(), *head.parameters()]
        optimizer = pf.optim.Adam(params, lr=0.01)
        generator = np.random.default_rng(0)
        losses = []
        for i in range(6):
            x = pf.tensor(generator.normal(size=(4, 3)).astype(np.float32))
            optimizer.zero_grad()
            loss = (head(call(x)) ** 2).mean()
            if i % 2:
                losses.append(loss.item())
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert model[1].num_batches_tracked.item() == 6
        runs.append([*losses, *np.concatenate([p.numpy().ravel() for p in params])])
    np.testing.assert_allclose(*runs, rtol=1e-4, atol=1e-6)


def test_keys_are_no_arguments() -> None:
    f = pf.jit(lambda key: key)
    with pytest.raises(pf.ArgumentError) as caught:
        f(jax.random.key(0))
    assert str(caught.value) == (
        "pf.jit: an argument is an array of key<fry>\n"
        "  rule  arguments of pf.jit become tensors, which hold numbers\n"
        "  help  random numbers inside pf.jit go on with pf.manual_seed; to pass keys, "
        "use jax.jit and pf.random_from"
    )


def test_backward_outside_of_what_was_differentiated_inside() -> None:
    w = pf.tensor([2.0])

    @pf.jit
    def f() -> Any:
        loss = (w * w).sum()
        loss.backward()
        return loss

    for _ in range(2):
        loss = f()
        with pytest.raises(pf.GraphError, match="gave up its graph"):
            loss.backward()


def test_nested() -> None:
    w = pf.tensor([1.0])

    @pf.jit
    def inner(x: Any) -> Any:
        with pf.autograd.no_grad():
            w._assign(w * 2)
        return x * w

    @pf.jit
    def outer(x: Any) -> Any:
        return inner(x) + inner(x)

    x = pf.tensor([1.0])
    assert [outer(x).item() for _ in range(3)] == [6, 24, 96]
    assert inner(x).item() == 128
    assert recordings_of(lambda: outer(x)) == 0


def test_an_error_leaves_everything_as_it_was() -> None:
    model = pf.nn.Linear(2, 1)
    optimizer = pf.optim.Adam(model.parameters(), lr=0.1)
    scheduler = pf.optim.StepLR(optimizer, step_size=1)

    @pf.jit
    def step(x: Any, fails: bool) -> Any:
        optimizer.zero_grad()
        loss = model(x).sum()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if fails:
            raise KeyError("after all that")
        return loss

    x = pf.ones([1, 2])
    before = [p.numpy() for p in model.parameters()]
    for _ in range(2):
        with pytest.raises(KeyError, match="after all that"):
            step(x, True)
        assert optimizer.state == {}
        assert (optimizer.get_lr(), scheduler.last_epoch) == (0.1, 0)
        assert optimizer.steps_taken == 0
        assert model.weight.grad is None
        for a, p in zip(before, model.parameters(), strict=True):
            np.testing.assert_array_equal(a, p.numpy())
    step(x, False)
    assert optimizer.steps_taken == 1


def test_a_failing_call_takes_back_what_the_host_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pyflame.jitted.program import Program

    w = pf.tensor([1.0])
    optimizer = pf.optim.Adam([w], lr=0.1)
    scheduler = pf.optim.StepLR(optimizer, step_size=1)

    @pf.jit
    def step() -> None:
        optimizer.zero_grad()
        w.sum().backward()
        optimizer.step()
        scheduler.step()

    for _ in range(3):
        step()
    before = w.item(), optimizer.state_dict()["param_groups"], scheduler.state_dict()
    with monkeypatch.context() as patch:
        patch.setattr(Program, "_compute", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            step()
    now = w.item(), optimizer.state_dict()["param_groups"], scheduler.state_dict()
    assert now == before
    assert (optimizer.steps_taken, optimizer.state[w]["step"]) == (3, 3)


def test_threads_share_a_function() -> None:
    w = pf.tensor([2.0])
    f = pf.jit(lambda x: x * w + 1)
    results: dict[int, list[float]] = {}

    def work(i: int) -> None:
        results[i] = [f(pf.tensor([float(i + k)])).item() for k in range(20)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {i: [2.0 * (i + k) + 1 for k in range(20)] for i in range(4)}


def test_methods_belong_to_their_object() -> None:
    class Scaled:
        def __init__(self, scale: float) -> None:
            self.scale = pf.tensor([scale])

        @pf.jit
        def of(self, x: Any) -> Any:
            return x * self.scale

    a, b = Scaled(2.0), Scaled(5.0)
    x = pf.tensor([1.0])
    assert [a.of(x).item(), b.of(x).item(), a.of(x).item()] == [2, 5, 2]


def test_inside_transformations_of_jax() -> None:
    w = pf.tensor([3.0])
    f = pf.jit(lambda x: (x * w).sum())
    x = jnp.array([2.0])
    assert f(x).item() == 6
    assert jax.jit(f)(x) == 6
    assert jax.grad(f)(x).tolist() == [3.0]
    assert jax.vmap(f)(jnp.array([[1.0], [2.0]])).tolist() == [3, 6]
    assert jax.jit(lambda a: a + jnp.asarray(f(x)))(1.0) == 7


def test_what_is_no_function() -> None:
    with pytest.raises(pf.ArgumentError) as caught:
        pf.jit(3)
    assert str(caught.value) == (
        "pf.jit: int is no function\n"
        "  rule  pf.jit takes a function, a method or a module"
    )
    with pytest.raises(pf.ArgumentError, match="named by 'x'"):
        pf.jit(abs, static_argnums=("x",))
