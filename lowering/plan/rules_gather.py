"""Selection rules of gathers and scatters."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Sequence

from jax import lax

from lowering.jaxprs import JaxprEqn
from lowering.normalise.core_set import SCATTERS
from lowering.normalise.scatters import combination, window_shape
from lowering.plan.origins import Origin
from lowering.plan.select import Selection, in_memory, number_or_memory, register
from lowering.plan.steps_gather import Component, GatherStep, Places, ScatterStep
from lowering.plan.values import View, collapse, contiguous_strides, strides_of, whole


@register("gather")
def _gather(selection: Selection, eqn: JaxprEqn) -> None:
    numbers, sizes = eqn.params["dimension_numbers"], eqn.params["slice_sizes"]
    table, indices = (in_memory(selection, atom) for atom in eqn.invars)
    out = selection.value(eqn, "gathered")
    origin = selection.origin(eqn, out.name)
    batching = tuple(numbers.operand_batching_dims)
    places = _places(
        table,
        indices,
        contiguous_strides(out.shape),
        window=sizes,
        chosen=numbers.start_index_map,
        dropped=(*numbers.collapsed_slice_dims, *batching),
        array_dims=numbers.offset_dims,
        batched=dict(zip(numbers.start_indices_batching_dims, batching, strict=True)),
    )
    fills = eqn.params["mode"] == lax.GatherScatterMode.FILL_OR_DROP
    filling = eqn.params["fill_value"] if fills else None
    selection.add(GatherStep(out, table, indices, places, filling, origin))
    selection.bind_value(eqn.outvars[0], out)


@register(*SCATTERS)
def _scatter(selection: Selection, eqn: JaxprEqn) -> None:
    """A copy of the operand, changed where the indices say."""
    numbers = eqn.params["dimension_numbers"]
    indices = in_memory(selection, eqn.invars[1])
    updates = number_or_memory(selection, eqn.invars[2])
    out = selection.value(eqn, "scattered")
    origin = selection.origin(eqn, out.name)
    text = selection.text(eqn.invars[0])
    copied = Origin(f"{out.name}: {out.type_text} = {text}", origin.place)
    selection.element("copy", out, [selection.read(eqn.invars[0])], copied)
    batching = tuple(numbers.operand_batching_dims)
    places = _places(
        whole(out),
        indices,
        strides_of(updates),
        window=window_shape(numbers, len(out.shape), updates.shape),
        chosen=numbers.scatter_dims_to_operand_dims,
        dropped=(*numbers.inserted_window_dims, *batching),
        array_dims=numbers.update_window_dims,
        batched=dict(zip(numbers.scatter_indices_batching_dims, batching, strict=True)),
    )
    kind = combination(eqn)
    assert kind is not None, "normalise applies functions one by one"
    selection.add(ScatterStep(out, updates, indices, places, kind, origin))
    selection.bind_value(eqn.outvars[0], out)


def _places(
    table: View,
    indices: View,
    array_strides: Sequence[int],
    *,
    window: Sequence[int],
    chosen: Sequence[int],
    dropped: Sequence[int],
    array_dims: Sequence[int],
    batched: dict[int, int],
) -> Places:
    """The loops over points and windows, with as few dimensions as can be.

    `chosen` are the dimensions of the table that index vectors count along; windows
    have all dimensions but the `dropped` ones, which are `array_dims` of the array of
    windows. `batched` says which dimension of the table one of the indices is.
    """
    rank = len(table.shape)
    spanned = [dim for dim in range(rank) if dim not in dropped]
    point_dims = [dim for dim in range(len(array_strides)) if dim not in array_dims]
    *point_strides, step = indices.strides
    points, (index_strides, table_steps, array_steps) = collapse(
        indices.shape[:-1],
        [
            tuple(point_strides),
            tuple(
                table.strides[batched[dim]] if dim in batched else 0
                for dim in range(len(point_dims))
            ),
            tuple(array_strides[dim] for dim in point_dims),
        ],
    )
    shape, (of_table, of_array) = collapse(
        tuple(window[dim] for dim in spanned),
        [
            tuple(table.strides[dim] for dim in spanned),
            tuple(array_strides[dim] for dim in array_dims),
        ],
    )
    components = tuple(
        Component(
            indices.offset + number * step,
            table.strides[dim],
            table.shape[dim] - window[dim],
        )
        for number, dim in enumerate(chosen)
    )
    return Places(
        points,
        index_strides,
        table_steps,
        array_steps,
        components,
        shape,
        of_table,
        of_array,
    )
