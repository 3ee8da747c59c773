"""Selection rule of convolutions without padding: one sum of products."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lowering.jaxprs import JaxprEqn
from lowering.plan.select import Selection, register
from lowering.plan.steps_contract import ContractStep
from lowering.plan.values import View, whole


@register("conv_general_dilated")
def _convolution(selection: Selection, eqn: JaxprEqn) -> None:
    """Padding and dilation of the left operand are pads of it: partition makes them."""
    params: Any = eqn.params
    assert not any(map(any, params["padding"])), "padding is a pad of its own"
    assert set(params["lhs_dilation"]) <= {1}, "dilation is a pad of its own"
    out = selection.value(eqn, "conv")
    origin = selection.origin(eqn, out.name)
    x, kernel = (_in_memory(selection, atom, origin) for atom in eqn.invars)
    views = _index_space(whole(out), x, kernel, params)
    selection.add(ContractStep(*views, origin))
    selection.bind_value(eqn.outvars[0], out)


def _index_space(
    out: View, x: View, kernel: View, params: Any
) -> tuple[View, View, View]:
    """The three views over: groups, batch, features, places, channels, window.

    Feature groups cut channels and features, batch groups batch and features.
    """
    numbers = params["dimension_numbers"]
    lhs, rhs, result = numbers.lhs_spec, numbers.rhs_spec, numbers.out_spec
    feature_groups, batch_groups = (
        params["feature_group_count"],
        params["batch_group_count"],
    )
    groups = max(feature_groups, batch_groups)
    features = out.shape[result[1]] // groups
    batch = out.shape[result[0]]
    channels = kernel.shape[rhs[1]]
    grouped_in = (
        x.strides[lhs[0]] * batch if batch_groups > 1 else x.strides[lhs[1]] * channels
    )
    strides = zip(params["window_strides"], params["rhs_dilation"], strict=True)
    steps = [
        (x.strides[dim] * step, x.strides[dim] * dilation)
        for dim, (step, dilation) in zip(lhs[2:], strides, strict=True)
    ]
    dims: list[tuple[int, int, int, int]] = [  # size; strides of out, x, kernel
        (
            groups,
            out.strides[result[1]] * features,
            grouped_in,
            kernel.strides[rhs[0]] * features,
        ),
        (batch, out.strides[result[0]], x.strides[lhs[0]], 0),
        (features, out.strides[result[1]], 0, kernel.strides[rhs[0]]),
        *(
            (out.shape[dim], out.strides[dim], step, 0)
            for dim, (step, _) in zip(result[2:], steps, strict=True)
        ),
        (channels, 0, x.strides[lhs[1]], kernel.strides[rhs[1]]),
        *(
            (kernel.shape[dim], 0, dilation, kernel.strides[dim])
            for dim, (_, dilation) in zip(rhs[2:], steps, strict=True)
        ),
    ]
    sizes, of_out, of_x, of_kernel = zip(*dims, strict=True)
    return (
        _view(out, sizes, of_out),
        _view(x, sizes, of_x),
        _view(kernel, sizes, of_kernel),
    )


def _view(view: View, sizes: Sequence[int], strides: Sequence[int]) -> View:
    return View(view.value, tuple(sizes), tuple(strides), view.offset)


def _in_memory(selection: Selection, atom: Any, origin: Any) -> View:
    operand = selection.read(atom)
    if isinstance(operand, View):
        return operand
    return whole(selection.materialise(operand, "filled", origin))
