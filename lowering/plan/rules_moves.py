"""Selection rules of concatenate, pad and rev."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lowering.jaxprs import JaxprEqn
from lowering.plan import views
from lowering.plan.origins import Origin
from lowering.plan.select import Selection, in_memory, number_or_memory, register
from lowering.plan.stacks import bind_stack
from lowering.plan.steps import PutStep
from lowering.plan.values import Ramp, View, whole


@register("concatenate")
def _concatenate(selection: Selection, eqn: JaxprEqn) -> None:
    """Each piece is copied to its place, unless only loops read the rows."""
    if bind_stack(selection, eqn):
        return
    out, dim = selection.value(eqn, "joined"), eqn.params["dimension"]
    origin = selection.origin(eqn, out.name)
    all_of_it, start = whole(out), 0
    for atom in eqn.invars:
        piece = number_or_memory(selection, atom)
        offset = start * all_of_it.strides[dim]
        window = replace(all_of_it, shape=piece.shape, offset=offset)
        selection.add(PutStep(window, piece, (), origin))
        start += piece.shape[dim]
    selection.bind_value(eqn.outvars[0], out)


@register("pad")
def _pad(selection: Selection, eqn: JaxprEqn) -> None:
    """The result is filled with the number; what is left of the operand goes inside."""
    out = selection.value(eqn, "padded")
    origin = selection.origin(eqn, out.name)
    filling = selection.text(eqn.invars[1])
    filled = Origin(f"{out.name}: {out.type_text} = {filling}", origin.place)
    number = views.broadcast(selection.read(eqn.invars[1]), out.shape, ())
    selection.element("copy", out, [number], filled)
    inside = _inside(whole(out), in_memory(selection, eqn.invars[0]), eqn.params)
    if inside is not None:
        selection.add(PutStep(*inside, (), origin))
    selection.bind_value(eqn.outvars[0], out)


def _inside(out: View, x: View, params: Any) -> tuple[View, View] | None:
    """The elements of the result that come from the operand, and those of it."""
    firsts: list[int] = []
    counts: list[int] = []
    for size, total, (low, _, interior) in zip(
        x.shape, out.shape, params["padding_config"], strict=True
    ):
        step = interior + 1
        first = max(0, -(low // step))  # the first element at a place not below 0
        end = min(size, (total - 1 - low) // step + 1)
        if end <= first:
            return None
        firsts.append(first)
        counts.append(end - first)
    steps = [interior + 1 for _, _, interior in params["padding_config"]]
    lows = [low for low, _, _ in params["padding_config"]]
    places = [
        low + first * step for low, first, step in zip(lows, firsts, steps, strict=True)
    ]
    window = _cut(out, places, counts, steps)
    return window, _cut(x, firsts, counts, [1] * len(counts))


def _cut(view: View, firsts: list[int], counts: list[int], steps: list[int]) -> View:
    offset = sum(n * s for n, s in zip(firsts, view.strides, strict=True))
    strides = tuple(s * step for s, step in zip(view.strides, steps, strict=True))
    return View(view.value, tuple(counts), strides, view.offset + offset)


@register("rev")
def _rev(selection: Selection, eqn: JaxprEqn) -> None:
    """The same elements, walked from the other end."""
    x, dims = selection.read(eqn.invars[0]), eqn.params["dimensions"]
    if isinstance(x, Ramp):
        x = in_memory(selection, eqn.invars[0])
    text = f"rev({selection.text(eqn.invars[0])})"
    selection.bind(eqn.outvars[0], views.reverse(x, dims), text)
