"""Module: registration, names, state, modes, text."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import pyflame as pf
from pyflame import nn


class Block(nn.Module):
    def __init__(self) -> None:
        self.first = nn.Linear(3, 4)
        self.rest = nn.ModuleList([nn.Linear(4, 4, bias=False), nn.ReLU()])
        self.scale = pf.ones([1])
        self.register_buffer("steps", pf.zeros([], dtype=pf.int32))

    def forward(self, input: Any) -> Any:
        hidden = self.first(input)
        for module in self.rest:
            hidden = module(hidden)
        return hidden * self.scale


def test_names_come_in_the_order_of_torch() -> None:
    block = Block()
    names = ["scale", "first.weight", "first.bias", "rest.0.weight"]
    assert [name for name, _ in block.named_parameters()] == names
    assert list(block.state_dict()) == [names[0], "steps", *names[1:]]
    assert [name for name, _ in block.named_buffers()] == ["steps"]
    assert [name for name, _ in block.named_modules()] == [
        "",
        "first",
        "rest",
        "rest.0",
        "rest.1",
    ]
    assert block.children() == [block.first, block.rest]
    assert len(block.parameters()) == 4


def test_shared_tensors_and_modules_count_once() -> None:
    model = nn.Sequential([nn.Linear(2, 2)])
    model.add(model[0])
    model[0].also = model[0].weight
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    assert len(model.modules()) == 2


def test_modes_reach_every_module() -> None:
    block = Block()
    assert block.is_training()
    assert block.eval() is block
    assert not block.rest[0].is_training()
    block.train()
    assert block.rest[0].is_training()


def test_state_is_a_snapshot_and_loads_by_name() -> None:
    a, b = Block(), Block()
    state = a.state_dict()
    before = state["first.bias"].numpy()
    a.first.bias._assign(pf.ones([4]))
    np.testing.assert_array_equal(state["first.bias"].numpy(), before)
    keys = b.load_state_dict(state)
    assert keys == ([], [])
    np.testing.assert_array_equal(b.first.bias.numpy(), before)
    x = pf.randn([2, 3])
    a.load_state_dict({k: v.numpy() for k, v in state.items()})
    np.testing.assert_array_equal(a(x).numpy(), b(x).numpy())


def test_a_wrong_state_dict_loads_nothing() -> None:
    layer = nn.Linear(2, 3)
    before = layer.weight.numpy()
    with pytest.raises(pf.ArgumentError) as caught:
        layer.load_state_dict({"weight": np.ones((2, 3)), "extra": np.ones(1)})
    assert str(caught.value) == (
        "load_state_dict of Linear: missing key 'bias'; unexpected key 'extra'; "
        "'weight' has shape [2, 3], not [3, 2]\n"
        "  rule  names and shapes are those of state_dict()\n"
        "  help  strict=False leaves missing tensors as they are and skips others"
    )
    np.testing.assert_array_equal(layer.weight.numpy(), before)
    given = {"bias": np.zeros(3), "extra": np.ones(1)}
    keys = layer.load_state_dict(given, strict=False)
    assert keys.missing_keys == ["weight"]
    assert keys.unexpected_keys == ["extra"]


def test_to_casts_parameters_and_floating_buffers() -> None:
    block = Block().to(pf.float16)
    dtypes = {name: t.dtype for name, t in block.state_dict().items()}
    assert dtypes.pop("steps") == pf.int32
    assert set(dtypes.values()) == {pf.float16}
    assert block(pf.ones([2, 3], dtype=pf.float16)).dtype == pf.float16
    with pytest.raises(pf.DTypeError, match=r"Block\.to: int32 is not floating"):
        block.to(pf.int32)


def test_gradients_arrive_and_are_forgotten() -> None:
    block = Block()
    block(pf.ones([2, 3])).sum().backward()
    assert all(p.grad is not None for p in block.parameters())
    block.zero_grad(set_to_none=False)
    assert block.scale.grad.numpy().tolist() == [0]
    block.zero_grad()
    assert all(p.grad is None for p in block.parameters())


def test_a_result_of_ops_is_refused_as_a_parameter() -> None:
    layer = nn.Identity()
    with pytest.raises(pf.ArgumentError) as caught:
        layer.w = pf.randn([2]) * 0.1
    assert str(caught.value) == (
        "Identity.w: a result of ops is no parameter\n"
        "  rule  a parameter is a tensor that gradients end in\n"
        "  help  wrap it in pf.nn.Parameter(...) to train it, or keep it with "
        "register_buffer"
    )
    layer.w = nn.Parameter(pf.randn([2]) * 0.1)
    (layer.w * 3).sum().backward()
    assert layer.w.grad.numpy().tolist() == [3, 3]


def test_errors_name_the_innermost_module() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 5))
    with pytest.raises(pf.ShapeError) as caught:
        model(pf.ones([7, 2]))
    assert str(caught.value) == (
        "Linear(in_features=4, out_features=5, bias=True): linear of float32[7, 3] and "
        "weight float32[5, 4]: the last sizes differ\n"
        "  rule  [..., in_features] and [out_features, in_features] give "
        "[..., out_features]"
    )


def test_repr_is_nested() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU()))
    assert repr(model) == (
        "Sequential(\n"
        "  (0): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (1): Sequential(\n"
        "    (0): ReLU()\n"
        "  )\n"
        ")"
    )


def test_a_deep_copy_trains_apart() -> None:
    layer = nn.Linear(2, 2)
    other = copy.deepcopy(layer)
    other.weight._assign(pf.zeros([2, 2]))
    assert layer.weight.numpy().any()


def test_containers() -> None:
    model = nn.Sequential()
    assert model.add(nn.Linear(4, 3)) is model
    model.add(nn.ReLU()).add(nn.Linear(3, 2))
    assert len(model) == 3
    assert isinstance(model[-1], nn.Linear)
    assert len(model[:2]) == 2
    assert model(pf.ones([5, 4])).shape == [5, 2]
    model[1] = nn.Tanh()
    assert isinstance(model[1], nn.Tanh)
    with pytest.raises(pf.ArgumentError, match="Sequential: int is no module"):
        model.add(3)  # pyright: ignore[reportArgumentType]


def test_lists_are_edited_as_lists() -> None:
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Linear(2, 2)
    modules = nn.ModuleList([a, c]).insert(1, b)
    assert list(modules) == [a, b, c]
    assert list(modules.state_dict()) == ["2.weight", "2.bias"]
    assert modules.pop(0) is a
    assert list(modules.state_dict()) == ["1.weight", "1.bias"]
    del modules[0]
    assert c in modules
    assert b not in modules
    assert list(modules + nn.ModuleList([a])) == [c, a]
    assert len(nn.ModuleList([a, a])) == 2
    with pytest.raises(IndexError):
        modules[5]


def test_sequential_of_a_dict_keeps_names_as_torch_does(torch: Any) -> None:
    def build(library: Any) -> Any:
        layers = {"first": library.Linear(2, 3), "act": library.ReLU()}
        return library.Sequential(OrderedDict(layers)).append(library.Linear(3, 1))

    mine, theirs = build(nn), build(torch.nn)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    mine.load_state_dict(theirs.state_dict())
    assert (
        list(mine[1:].state_dict())
        == list(theirs[1:].state_dict())
        == [
            "2.weight",
            "2.bias",
        ]
    )
    assert isinstance(mine.act, nn.ReLU)
    assert mine(pf.ones([1, 2])).shape == [1, 1]
    mine.insert(0, nn.Tanh())
    assert next(iter(mine.state_dict())) == "1.weight"


def test_module_dict() -> None:
    modules = nn.ModuleDict({"a": nn.Linear(1, 1)})
    modules["b"] = nn.ReLU()
    modules.update({"a": nn.Linear(1, 2)})
    assert modules.keys() == list(modules) == ["a", "b"]
    assert list(modules.state_dict()) == ["a.weight", "a.bias"]
    assert modules["a"] is modules.a
    assert isinstance(modules.pop("b"), nn.ReLU)
    assert "b" not in modules
    assert len(modules) == 1
    with pytest.raises(KeyError):
        modules["b"]
    with pytest.raises(pf.ArgumentError) as caught:
        modules["keys"] = nn.ReLU()
    assert str(caught.value) == (
        "ModuleDict: 'keys' is an attribute of the class\n  help  take another name"
    )


def test_parameter_list() -> None:
    parameters = nn.ParameterList([pf.ones([2]), pf.zeros([1])])
    parameters.append(nn.Parameter(pf.ones([1]) * 3))
    parameters[1] = pf.ones([5])
    assert list(parameters.state_dict()) == ["0", "1", "2"]
    assert [p.shape for p in parameters] == [[2], [5], [1]]
    assert parameters[-1].item() == 3


def test_apply_reaches_the_inner_modules_first() -> None:
    block, seen = Block(), []
    assert block.apply(lambda m: seen.append(type(m).__name__)) is block
    assert seen == ["Linear", "Linear", "ReLU", "ModuleList", "Block"]


def test_members_by_dotted_name() -> None:
    block = Block()
    assert block.get_submodule("") is block
    assert block.get_submodule("rest.0") is block.rest[0]
    assert block.get_parameter("first.weight") is block.first.weight
    assert block.get_buffer("steps") is block.steps
    with pytest.raises(pf.ArgumentError) as caught:
        block.get_parameter("first.wieght")
    assert str(caught.value) == (
        "Linear has no parameter 'wieght', of 'first.wieght'\n"
        "  rule  it has 'weight', 'bias'"
    )
    own = [name for name, _ in block.named_parameters("net", recurse=False)]
    assert own == ["net.scale"]
    assert block.buffers(recurse=False) == [block.steps]


def test_buffers_that_are_not_saved() -> None:
    layer = nn.Identity()
    layer.register_buffer("cache", pf.ones([2]), persistent=False)
    layer.register_buffer("kept", pf.ones([1]))
    assert list(layer.state_dict()) == ["kept"]
    assert len(layer.buffers()) == 2
    assert layer.load_state_dict({"kept": np.zeros(1)}) == ([], [])
    layer.half()
    assert layer.cache.dtype is pf.float16
    assert layer.float().cache.dtype is pf.float32
    assert layer.bfloat16().kept.dtype is pf.bfloat16


def test_registered_modules() -> None:
    layer = nn.Identity()
    layer.add_module("inner", nn.Linear(1, 1))
    layer.register_module("none", None)
    assert layer.none is None
    assert list(layer.state_dict()) == ["inner.weight", "inner.bias"]
    with pytest.raises(pf.ArgumentError, match=r"Identity: 'a\.b' is no name"):
        layer.add_module("a.b", nn.ReLU())
    for register in (layer.register_buffer, layer.register_parameter):
        with pytest.raises(pf.ArgumentError, match="'training' is an attribute of the"):
            register("training", pf.ones([1]))
    with pytest.raises(pf.ArgumentError, match="Sequential: 'forward' is an attribute"):
        nn.Sequential({"forward": nn.ReLU()})
    assert layer.training is True


def test_attributes_change_their_kind() -> None:
    layer = nn.Linear(2, 2)
    layer.bias = None
    assert list(layer.state_dict()) == ["weight"]
    layer.weight = 3
    assert layer.parameters() == []
    layer.sub = nn.ReLU()
    del layer.sub
    assert layer.children() == []
