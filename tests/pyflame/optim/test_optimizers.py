"""Optimizers beside PyTorch and beside NumPy, and how much work a step is."""

import gc
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyflame as pf
from pyflame import optim, staging

SHAPES = [(3, 4), (4,), ()]


def arrays(seed: int) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.normal(size=s), np.float32) for s in SHAPES]


def give(params: list[Any], grads: list[Any]) -> None:
    for param, grad in zip(params, grads, strict=True):
        param.grad = pf.tensor(grad)


# --- beside NumPy, in float64 ---


def numpy_adam(p: Any, grads: list[Any], lr: float, decay: float) -> Any:
    m = v = np.zeros_like(p)
    for t, g in enumerate(grads, start=1):
        p = p - lr * decay * p
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        p = p - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p


def numpy_sgd(p: Any, grads: list[Any], lr: float, momentum: float) -> Any:
    buffer = 0
    for g in grads:
        buffer = momentum * buffer + g
        p = p - lr * buffer
    return p


def numpy_rmsprop(p: Any, grads: list[Any], lr: float) -> Any:
    v = 0
    for g in grads:
        v = 0.99 * v + 0.01 * g * g
        p = p - lr * g / (np.sqrt(v) + 1e-8)
    return p


@pytest.mark.parametrize(
    ("build", "formula"),
    [
        (lambda p: optim.SGD(p, 0.1), lambda p, g: numpy_sgd(p, g, 0.1, 0)),
        (lambda p: optim.SGD(p, 0.1, 0.9), lambda p, g: numpy_sgd(p, g, 0.1, 0.9)),
        (lambda p: optim.Adam(p), lambda p, g: numpy_adam(p, g, 0.001, 0)),
        (lambda p: optim.AdamW(p, 0.1), lambda p, g: numpy_adam(p, g, 0.1, 0.01)),
        (lambda p: optim.RMSprop(p), lambda p, g: numpy_rmsprop(p, g, 0.01)),
    ],
)
def test_steps_follow_the_formulas(build: Any, formula: Any) -> None:
    start, *grads = (arrays(seed)[0] for seed in range(21))
    param = pf.tensor(start)
    optimizer = build([param])
    for grad in grads:
        give([param], [grad])
        optimizer.step()
    wide = [grad.astype(np.float64) for grad in grads]
    expected = formula(start.astype(np.float64), wide)
    np.testing.assert_allclose(param.numpy(), expected, rtol=1e-4, atol=1e-6)


# --- beside PyTorch ---

CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.02, "beta1": 0.3, "beta2": 0.9, "eps": 1e-3}),
    ("Adam", {"lr": 0.01, "beta1": 0.0}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True, "maximize": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.3, "amsgrad": True}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.0, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.5, "eps": 1e-4, "weight_decay": 0.1}),
    ("RMSprop", {"momentum": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"centered": True, "alpha": 0.9}),
    ("RMSprop", {"centered": True, "momentum": 0.9, "maximize": True}),
]


def torch_options(options: dict[str, Any], name: str) -> dict[str, Any]:
    """PyTorch has both betas in one."""
    rest = {k: v for k, v in options.items() if k not in ("beta1", "beta2")}
    if "beta1" in options:
        rest["betas"] = (options["beta1"], options.get("beta2", 0.999))
    return rest


@pytest.mark.parametrize(("name", "options"), CASES)
def test_50_steps_equal_pytorchs(name: str, options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    ours = [pf.tensor(a) for a in arrays(0)]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays(0)]
    mine = getattr(optim, name)(ours, **options)
    there = torch_options(options, name)
    reference = getattr(torch.optim, name)(theirs, **there, foreach=False)
    for step in range(1, 51):
        grads = arrays(step)
        give(ours, grads)
        for param, grad in zip(theirs, grads, strict=True):
            param.grad = torch.tensor(grad)
        rate = mine.get_lr() * (0.9 if step % 7 == 0 else 1.02)
        mine.set_lr(rate)
        reference.param_groups[0]["lr"] = rate
        mine.step()
        reference.step()
    for param, expected in zip(ours, theirs, strict=True):
        want = expected.detach().numpy()
        np.testing.assert_allclose(param.numpy(), want, rtol=4e-6, atol=4e-6)
        assert param.shape == list(want.shape)
    for param, expected in zip(ours, theirs, strict=True):
        for key, value in mine.state[param].items():
            want = reference.state[expected][key]
            if key == "step":
                assert value == want
            else:
                np.testing.assert_allclose(value.numpy(), want, rtol=4e-6, atol=4e-6)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_bfloat16_rounds_where_pytorch_does(name: str) -> None:
    """In its vector loops; their remainders round a bit differently there."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    start, *grads = rng.normal(size=(21, 1024)).astype(np.float32)
    param = pf.tensor(start, dtype=pf.bfloat16)
    other = torch.tensor(start, dtype=torch.bfloat16, requires_grad=True)
    more = {} if name.startswith("Adam") else {"momentum": 0.9}
    mine = getattr(optim, name)([param], lr=0.01, weight_decay=0.1, **more)
    reference = getattr(torch.optim, name)(
        [other], lr=0.01, weight_decay=0.1, foreach=False, **more
    )
    for grad in grads:
        param.grad = pf.tensor(grad, dtype=pf.bfloat16)
        other.grad = torch.tensor(grad, dtype=torch.bfloat16)
        mine.step()
        reference.step()
    assert param.dtype is pf.bfloat16
    want = other.detach().float().numpy()
    have = param.to(pf.float32).numpy()
    assert (have == want).mean() > 0.98
    np.testing.assert_allclose(have, want, rtol=2**-6, atol=2**-9)


# --- groups, missing gradients, rates ---


def test_groups_have_their_own_options() -> None:
    a, b = pf.ones([2]), pf.ones([2])
    optimizer = optim.SGD(
        [{"params": [a]}, {"params": b, "lr": 0.5, "momentum": 0.9}], lr=0.1
    )
    give([a, b], [np.ones(2, np.float32)] * 2)
    optimizer.step()
    np.testing.assert_allclose(a.numpy(), [0.9, 0.9])
    np.testing.assert_allclose(b.numpy(), [0.5, 0.5])
    assert "momentum_buffer" not in optimizer.state[a]
    assert optimizer.get_lr(1) == 0.5
    with pytest.raises(pf.ArgumentError) as caught:
        optimizer.get_lr()
    assert str(caught.value) == (
        "get_lr: the parameter groups have different learning rates: [0.1, 0.5]\n"
        "  help  pass the number of a group, as in get_lr(0)"
    )
    optimizer.set_lr(0.2, group=0)
    assert [group["lr"] for group in optimizer.param_groups] == [0.2, 0.5]
    optimizer.set_lr(0.3)
    assert optimizer.get_lr() == 0.3


def test_betas_as_pytorch_writes_them() -> None:
    a, b = pf.ones([1]), pf.ones([1])
    optimizer = optim.AdamW([{"params": [a], "betas": (0.5, 0.6)}, {"params": b}], 0.1)
    other = optim.Adam([a], betas=(0.3, 0.4))
    pairs = [(g["beta1"], g["beta2"]) for g in optimizer.param_groups]
    assert pairs == [(0.5, 0.6), (0.9, 0.999)]
    assert (other.defaults["beta1"], other.defaults["beta2"]) == (0.3, 0.4)
    assert "betas" not in optimizer.param_groups[0]


def test_groups_are_added_later() -> None:
    a, b = pf.ones([2]), pf.ones([2])
    optimizer = optim.SGD([a], lr=0.1, momentum=0.9)
    optimizer.add_param_group({"params": b, "lr": 0.5})
    give([a, b], [np.ones(2, np.float32)] * 2)
    optimizer.step()
    np.testing.assert_allclose(b.numpy(), [0.5, 0.5])
    assert optimizer.param_groups[1]["momentum"] == 0.9
    with pytest.raises(pf.ArgumentError) as caught:
        optimizer.add_param_group({"params": [a]})
    assert str(caught.value) == (
        "SGD: a parameter float32[2] stands twice, again in group 0\n"
        "  rule  every parameter belongs to one group, once"
    )
    assert len(optimizer.param_groups) == 2


def test_a_closure_computes_loss_and_gradients() -> None:
    a = pf.ones([1])
    optimizer = optim.SGD([a], 0.25)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (a * a).sum()
        loss.backward()
        return loss

    with pf.autograd.no_grad():
        assert optimizer.step(closure).item() == 1
    assert a.item() == 0.5


def test_named_parameters_are_parameters() -> None:
    model = pf.nn.Linear(2, 1)
    optimizer = optim.SGD(model.named_parameters(), 0.1)
    assert optimizer.param_groups[0]["params"] == model.parameters()
    groups = [{"params": model.named_parameters()}]
    assert optim.SGD(groups, 0.1).param_groups[0]["params"] == model.parameters()


def test_parameters_without_a_gradient_are_left_alone() -> None:
    a, b = pf.ones([2]), pf.ones([2])
    optimizer = optim.Adam([a, b], lr=0.1, weight_decay=0.1)
    give([a], [np.ones(2, np.float32)])
    optimizer.step()
    assert b.numpy().tolist() == [1, 1]
    assert set(optimizer.state) == {a}
    give([b], [np.ones(2, np.float32)])
    optimizer.step()
    assert optimizer.state[b]["step"] == 1
    assert optimizer.state[a]["step"] == 2


def test_zero_grad() -> None:
    a = pf.ones([2])
    optimizer = optim.SGD([a], 0.1)
    give([a], [np.ones(2, np.float32)])
    optimizer.zero_grad(set_to_none=False)
    assert a.grad is not None
    assert a.grad.numpy().tolist() == [0, 0]
    optimizer.zero_grad()
    assert a.grad is None
    optimizer.step()
    assert a.numpy().tolist() == [1, 1]


def test_a_changed_option_acts_at_once() -> None:
    a = pf.ones([1])
    optimizer = optim.SGD([a], 0.1)
    optimizer.param_groups[0]["lr"] = 0.25
    give([a], [np.ones(1, np.float32)])
    optimizer.step()
    assert a.item() == 0.75
    optimizer.param_groups[0].update(momentum=0.5, maximize=True)
    for expected in (1.0, 1.375):  # momentum begins with the gradient
        give([a], [np.ones(1, np.float32)])
        optimizer.step()
        assert a.item() == expected
    optimizer.param_groups[0]["lr"] = -1
    with pytest.raises(pf.ArgumentError, match=r"^SGD: lr=-1\n"):
        optimizer.step()
    assert a.item() == 1.375


def test_names_for_a_parameter_see_its_update_copies_do_not() -> None:
    a = pf.ones([1])
    alias, copy = a, a.detach()
    optimizer = optim.SGD([a], 0.5)
    give([a], [np.ones(1, np.float32)])
    optimizer.step()
    assert alias.item() == 0.5
    assert copy.item() == 1


# --- how much work a step is ---


def train_step(params: list[Any], optimizer: Any, x: Any) -> Callable[[], Any]:
    def step() -> Any:
        optimizer.zero_grad()
        loss = ((pf.tensor(x) @ params[0] + params[1]) ** 2).mean() * params[2]
        pf.autograd.backward(loss)
        optimizer.step()
        return loss

    return step


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_later_steps_trace_nothing(name: str) -> None:
    params = [pf.randn(list(s)) for s in SHAPES]  # pending until the optimizer is made
    more = {} if name.startswith("Adam") else {"momentum": 0.9}
    optimizer = getattr(optim, name)(params, lr=0.01, **more)
    scheduler = optim.ExponentialLR(optimizer, 0.9)
    step = train_step(params, optimizer, np.ones((5, 3), np.float32))
    step()
    counts = staging.counts
    traces, inferences = counts.traces, counts.inferences
    for _ in range(10):
        evaluations = counts.evaluations
        scheduler.step()
        loss = step()
        assert counts.evaluations - evaluations == 1
        assert loss.is_evaluated()
    assert counts.traces == traces
    assert counts.inferences == inferences


def test_memory_stays_flat() -> None:
    params = [pf.randn(list(s)) for s in SHAPES]
    optimizer = optim.Adam(params, amsgrad=True)
    step = train_step(params, optimizer, np.ones((5, 3), np.float32))

    def objects_after(steps: int) -> int:
        for _ in range(steps):
            step()
        gc.collect()
        return len(gc.get_objects())

    objects_after(3)
    before = objects_after(3)
    assert abs(objects_after(40) - before) < 100


def test_training_learns() -> None:
    rng = np.random.default_rng(0)
    x = pf.tensor(rng.normal(size=(64, 3)).astype(np.float32))
    target = x @ pf.tensor([[1.0], [-2.0], [0.5]])
    weight = pf.zeros([3, 1])
    optimizer = optim.Adam([weight], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        loss = ((x @ weight - target) ** 2).mean()
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(weight.numpy().ravel(), [1, -2, 0.5], atol=1e-3)


# --- state ---


@pytest.mark.parametrize(("name", "options"), CASES[2:])
def test_resumed_bit_for_bit(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    def steps(params: list[Any], optimizer: Any, seeds: range) -> list[bytes]:
        for seed in seeds:
            give(params, arrays(seed))
            optimizer.step()
        return [param.numpy().tobytes() for param in params]

    first = [pf.tensor(a) for a in arrays(0)]
    optimizer = getattr(optim, name)(first, **options)
    steps(first, optimizer, range(1, 4))
    pf.save({"model": first, "optim": optimizer.state_dict()}, tmp_path / "state")
    straight = steps(first, optimizer, range(4, 8))
    state = pf.load(tmp_path / "state")
    resumed = getattr(optim, name)(state["model"], **{"lr": 9.0})
    resumed.load_state_dict(state["optim"])
    assert steps(state["model"], resumed, range(4, 8)) == straight


def test_state_dict_is_a_snapshot_in_pytorchs_layout() -> None:
    a, b = pf.ones([2]), pf.ones([1])
    optimizer = optim.Adam([{"params": [a]}, {"params": [b], "lr": 0.5}])
    give([b], [np.ones(1, np.float32)])
    optimizer.step()
    state = optimizer.state_dict()
    assert state["param_groups"][1]["params"] == [1]
    assert state["param_groups"][1]["lr"] == 0.5
    assert state["state"].keys() == {1}
    assert state["state"][1].keys() == {"step", "exp_avg", "exp_avg_sq"}
    average = state["state"][1]["exp_avg"].item()
    give([b], [np.ones(1, np.float32)])
    optimizer.step()
    assert state["state"][1]["step"] == 1
    assert state["state"][1]["exp_avg"].item() == average


# --- errors, word for word ---

NUMBER = "is a finite number"


def misuses() -> list[tuple[Callable[[Any], Any], str]]:
    i = pf.tensor([1], dtype=pf.int32)
    return [
        (
            lambda p: optim.SGD(p, -0.1),
            f"SGD: lr=-0.1\n  rule  lr {NUMBER}, 0 or more",
        ),
        (
            lambda p: optim.Adam(p, math.nan),
            f"Adam: lr=nan\n  rule  lr {NUMBER}, 0 or more",
        ),
        (
            lambda p: optim.AdamW(p, lr=math.inf),
            f"AdamW: lr=inf\n  rule  lr {NUMBER}, 0 or more",
        ),
        (
            lambda p: optim.RMSprop(p, lr="fast"),
            f"RMSprop: lr='fast'\n  rule  lr {NUMBER}, 0 or more",
        ),
        (
            lambda p: optim.SGD(p, 0.1).set_lr(-1),
            f"SGD.set_lr: lr=-1\n  rule  lr {NUMBER}, 0 or more",
        ),
        (
            lambda p: optim.Adam(p, beta1=1.0),
            f"Adam: beta1=1.0\n  rule  beta1 {NUMBER}, 0 or more and below 1",
        ),
        (
            lambda p: optim.AdamW(p, beta2=-0.5),
            f"AdamW: beta2=-0.5\n  rule  beta2 {NUMBER}, 0 or more and below 1",
        ),
        (
            lambda p: optim.Adam(p, 0.1, (0.9, 0.999)),
            f"Adam: beta1=(0.9, 0.999)\n  rule  beta1 {NUMBER}, 0 or more and below 1",
        ),
        (
            lambda p: optim.Adam(p, beta1=0.5, betas=(0.9, 0.999)),
            "Adam: beta1=0.5, beta2=0.999 and betas=(0.9, 0.999)\n"
            "  rule  either betas is given, or beta1 and beta2",
        ),
        (
            lambda p: optim.AdamW(p, betas=0.9),
            "AdamW: betas=0.9\n  rule  betas is two numbers",
        ),
        (
            lambda p: optim.AdamW([{"params": p, "betas": (0.9, 1)}]),
            f"AdamW: beta2=1\n  rule  beta2 {NUMBER}, 0 or more and below 1",
        ),
        (
            lambda p: optim.SGD([("a", p[0]), pf.ones([1])], 0.1),
            "SGD: some entries of params have names, others have not\n"
            "  rule  params is parameters() or named_parameters()",
        ),
        (
            lambda p: optim.SGD(p, 0.1).add_param_group(p),
            "SGD.add_param_group: list is no group\n"
            "  rule  a group is a dict with 'params'",
        ),
        (
            lambda p: optim.RMSprop(p, alpha=1.5),
            f"RMSprop: alpha=1.5\n  rule  alpha {NUMBER}, 0 or more and at most 1",
        ),
        (
            lambda p: optim.Adam(p, eps=-1e-8),
            f"Adam: eps=-1e-08\n  rule  eps {NUMBER}, 0 or more",
        ),
        (
            lambda p: optim.Adam(p, amsgrad=1),
            "Adam: amsgrad=1\n  rule  amsgrad is True or False",
        ),
        (
            lambda p: optim.SGD(p, 0.1, nesterov=True),
            "SGD: nesterov with momentum=0.0 and dampening=0.0\n"
            "  rule  nesterov needs a momentum above 0 and a dampening of 0",
        ),
        (
            lambda p: optim.SGD([], 0.1),
            "SGD: the list of parameters is empty\n  help  an iterator such as "
            "model.parameters() can be read once only",
        ),
        (
            lambda p: optim.SGD([{"params": []}], 0.1),
            "SGD: the list of parameters is empty\n  help  an iterator such as "
            "model.parameters() can be read once only",
        ),
        (
            lambda p: optim.SGD(p[0], 0.1),
            "SGD: params is of type Tensor\n  rule  params is an iterable of "
            "Tensors, or of dicts with 'params'\n  help  write [x] for a single "
            "tensor, or model.parameters()",
        ),
        (
            lambda p: optim.SGD(set(p), 0.1),
            "SGD: params is a set\n  rule  parameters have an order, by which their "
            "state is saved\n  help  pass a list",
        ),
        (
            lambda p: optim.SGD([*p, *p], 0.1),
            "SGD: a parameter float32[2] stands twice, again in group 0\n"
            "  rule  every parameter belongs to one group, once",
        ),
        (
            lambda p: optim.SGD([{"params": p}, {"params": p}], 0.1),
            "SGD: a parameter float32[2] stands twice, again in group 1\n"
            "  rule  every parameter belongs to one group, once",
        ),
        (
            lambda p: optim.SGD([*p, 3.0], 0.1),
            "SGD: parameter 1 of group 0 is of type float\n"
            "  rule  parameters are Tensors",
        ),
        (
            lambda p: optim.SGD([{"params": p}, p[0]], 0.1),
            "SGD: entry 1 of params is of type Tensor\n"
            "  rule  params has Tensors only, or dicts only",
        ),
        (
            lambda p: optim.SGD([i], 0.1),
            "SGD: parameter 0 of group 0 is int32[1]\n"
            "  rule  only floating tensors have gradients",
        ),
        (
            lambda p: optim.SGD([p[0] * 2], 0.1),
            "SGD: parameter 0 of group 0 is the result of mul\n"
            "  rule  parameters are made, not computed: by pf.tensor, pf.randn, ...\n"
            "  help  make it data of its own with detach() before it is used",
        ),
        (
            lambda p: optim.SGD([{"params": p, "weigth_decay": 1}], 0.1),
            "SGD: group 0 has the unknown 'weigth_decay'\n"
            "  rule  its keys are 'params', 'lr', 'momentum', 'dampening', "
            "'weight_decay', 'nesterov', 'maximize', 'initial_lr', 'max_lr', "
            "'min_lr', 'max_momentum', 'base_momentum'",
        ),
        (
            lambda p: optim.SGD([{"lr": 1}], 0.1),
            "SGD: group 0 lacks 'params'\n"
            "  rule  its keys are 'params', 'lr', 'momentum', 'dampening', "
            "'weight_decay', 'nesterov', 'maximize', 'initial_lr', 'max_lr', "
            "'min_lr', 'max_momentum', 'base_momentum'",
        ),
    ]


@pytest.mark.parametrize("number", range(len(misuses())))
def test_misuse(number: int) -> None:
    misuse, text = misuses()[number]
    with pytest.raises((pf.ArgumentError, pf.DTypeError)) as caught:
        misuse([pf.ones([2])])
    assert str(caught.value) == text


def test_a_rate_that_went_wrong_changes_nothing() -> None:
    a = pf.ones([2])
    optimizer = optim.SGD([a], 0.1)
    optimizer.param_groups[0]["lr"] = math.nan
    give([a], [np.ones(2, np.float32)])
    with pytest.raises(pf.ArgumentError, match=r"^SGD: lr=nan\n"):
        optimizer.step()
    assert a.numpy().tolist() == [1, 1]


STATE = "Adam.load_state_dict: "


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (("extra",), 1, "the state has the unknown 'extra'"),
        (("state",), [], "'state' is [], not a dict"),
        (("state", 5), {}, "'state' has the unknown 5"),
        (("state", 0, "exp_av"), 1, "the state of parameter 0 has the unknown"),
        (("state", 0, "exp_avg"), 1, "the state of parameter 0: 'exp_avg' is no"),
        (("state", 0, "step"), -1, "the state of parameter 0: step=-1 is no count"),
        (
            ("state", 0, "exp_avg"),
            pf.ones([3]),
            "the state of parameter 0: 'exp_avg' is float32[3], the parameter "
            "float32[2]",
        ),
        (("param_groups",), [], "the state has 0 parameter groups, the optimizer 1"),
        (("param_groups", 0, "params"), [1], "group 0 has the parameters [1]"),
        (("param_groups", 0, "betas"), 1, "group 0 has the unknown 'betas'"),
    ],
)
def test_states_that_do_not_fit(path: Any, value: Any, text: str) -> None:
    a = pf.ones([2])
    optimizer = optim.Adam([a])
    give([a], [np.ones(2, np.float32)])
    optimizer.step()
    state = optimizer.state_dict()
    state["param_groups"][0]["lr"] = 7.0
    place: Any = state
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(pf.PyFlameError) as caught:
        optimizer.load_state_dict(state)
    assert str(caught.value).startswith(STATE + text)
    assert optimizer.get_lr() == 0.001
    assert optimizer.state[a]["step"] == 1


def test_repr() -> None:
    assert repr(optim.RMSprop([pf.ones([2])])) == (
        "RMSprop(\n  group 0: 1 parameters, lr=0.01, alpha=0.99, eps=1e-08, "
        "weight_decay=0.0, momentum=0.0, centered=False, maximize=False\n)"
    )
