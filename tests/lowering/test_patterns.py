"""Which pattern an exchange runs in, and what it may use."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest

from lowering.errors import OptionError, ResourcesExhaustedError
from lowering.mesh import Axis, Mesh
from lowering.partition import mesh_primitives as mesh_p
from lowering.plan import Pattern, check_plan, plan
from lowering.plan.origins import Origin
from lowering.plan.patterns import with_patterns
from lowering.plan.resources import assign
from lowering.plan.steps import MoveKind, MoveStep
from lowering.plan.values import Value
from lowering.target import TARGETS, WSE2, WSE3


def _move(kind: MoveKind, count: int, size: int, axis: Axis = "cols") -> MoveStep:
    origin = Origin("y = exchange(x)", None)
    total = size * count if kind == "gather_inward" else count
    source, target = (
        Value(name, (n,), np.dtype("float32"))
        for name, n in (("x", count), ("y", total))
    )
    given = source if kind in ("gather_inward", "shift") else None
    return MoveStep(kind, axis, size, target, count, origin, source=given, step=1)


def _kinds(*moves: MoveStep, pattern: Pattern | None = None) -> list[str]:
    chosen = with_patterns(moves, WSE3, pattern)
    return [step.kind for step in chosen if isinstance(step, MoveStep)]


@pytest.mark.parametrize(
    ("count", "size", "kinds"),
    [
        (1, 64, ["reduce_star"]),
        (32, 64, ["reduce_groups", "reduce_across"]),
        (400, 64, ["reduce_inward"]),
        (1, 4, ["reduce_star"]),
        (16, 4, ["reduce_inward"]),
        (16, 750, ["reduce_groups", "reduce_across"]),
        (1, 750, ["reduce_star"]),
        (4096, 750, ["reduce_inward"]),
    ],
)
def test_size_decides_how_a_reduction_runs(
    count: int, size: int, kinds: list[str]
) -> None:
    assert _kinds(_move("reduce_inward", count, size)) == kinds


def test_size_decides_how_a_gather_runs() -> None:
    assert _kinds(_move("gather_inward", 2, 64)) == ["gather_star"]
    assert _kinds(_move("gather_inward", 100, 64)) == ["gather_star"]
    many = _move("gather_inward", 12, 512)
    assert _kinds(many) == ["gather_inward", "pass_inward"]
    assert _kinds(_move("gather_inward", 100, 2)) == ["gather_inward"]


def test_a_star_keeps_to_the_longest_vector() -> None:
    fits, too_long = (_move("gather_inward", n, 3) for n in (16_383, 16_384))
    assert _kinds(fits, pattern="star") == ["gather_star"]
    assert _kinds(too_long, pattern="star") == ["gather_inward", "pass_inward"]


def test_a_forced_pattern_that_cannot_be_is_a_chain() -> None:
    two, gather = _move("reduce_inward", 8, 2), _move("gather_inward", 8, 3)
    assert _kinds(two, pattern="two_phase") == ["reduce_inward"]
    assert _kinds(gather, pattern="two_phase") == ["gather_inward", "pass_inward"]
    assert _kinds(_move("reduce_inward", 1, 64), pattern="chain") == ["reduce_inward"]


def test_an_unknown_pattern_is_refused() -> None:
    unknown: Any = "tree"
    with pytest.raises(OptionError) as caught:
        with_patterns([], WSE3, unknown)
    assert str(caught.value) == (
        "unknown pattern 'tree'\n"
        "  rule      a pattern is one of chain, two_phase, star, or None"
    )


def test_the_reductions_of_an_axis_share_their_groups() -> None:
    moves = [_move("reduce_inward", n, 512) for n in (8, 64, 300)]
    chosen = with_patterns(moves, WSE3)
    assert {step.group for step in chosen if isinstance(step, MoveStep)} == {16}
    (line,) = assign(chosen, WSE3).lines
    assert (line.group, list(line.channels)) == (16, ["inward", "across"])


def test_flood_and_star_share_their_queues() -> None:
    moves = [_move("reduce_star", 1, 64), _move("flood", 1, 64)]
    (line,) = assign(moves, WSE3).lines
    star, flood = line.channels["star"], line.channels["flood"]
    assert star.input_queue == flood.input_queue != star.output_queue
    assert star.output_queue == flood.output_queue
    assert len({*star.colors, *flood.colors}) == 2


@pytest.mark.parametrize("target", TARGETS.values(), ids=str)
def test_where_queues_are_few_the_program_keeps_to_fewer_patterns(target: Any) -> None:
    """Shifts both ways and reductions on both axes leave queues for chains only.

    Two phases on both axes would make too many kinds of PEs.
    """
    axes: tuple[Axis, Axis] = ("rows", "cols")
    shifts = [_move("shift", 4, 64, axis) for axis in axes]
    sums = [_move("reduce_inward", n, 64, axis) for axis in axes for n in (1, 32)]
    floods = [_move("flood", 1, 64, axis) for axis in axes]
    for others, channels in (
        ([*shifts, *floods], ["inward", "flood", "outward"]),
        (floods, ["inward", "star", "flood"]),
    ):
        resources = assign(with_patterns([*sums, *others], target), target)
        assert [list(line.channels) for line in resources.lines] == [channels] * 2


@pytest.mark.parametrize(
    ("few", "count", "what"),
    [
        ("colors", 3, "colors"),
        ("input_queues", 2, "input queues"),
        ("output_queues", 1, "output queues"),
        ("local_task_ids", 0, "local tasks"),
    ],
)
def test_what_runs_out_is_named(few: str, count: int, what: str) -> None:
    numbers = getattr(WSE2, few)[:count]
    target = dataclasses.replace(WSE2, **{few: numbers})
    moves = [
        _move("shift", 4, 4),
        _move("reduce_inward", 4, 4),
        _move("flood", 4, 4),
    ]
    with pytest.raises(ResourcesExhaustedError) as caught:
        assign(with_patterns(moves, target), target)
    assert str(caught.value) == (
        f"the program needs more than the {count} {what} that generated code may use\n"
        "  rule      memcpy and the hardware take the others\n"
        "  help      use a mesh of one row or one column, which needs half of them"
    )


def test_exchanges_in_loops_count_as_often_as_they_run() -> None:
    """The groups suit the many short sums, not the one long one."""

    def program(x: Any, y: Any) -> Any:
        def body(_: Any, x: Any) -> Any:
            return mesh_p.mesh_all_reduce(x, axis="cols", size=512, op="sum") * 0.5

        x = jax.lax.fori_loop(0, 50, body, x)
        return x, mesh_p.mesh_all_reduce(y, axis="cols", size=512, op="sum")

    def group(*shapes: tuple[int, ...]) -> int:
        specs = [jax.ShapeDtypeStruct(shape, "float32") for shape in shapes]
        closed = jax.make_jaxpr(program)(*specs)
        planned = plan(closed, Mesh(1, 512), ["x", "y"], ["a", "b"], WSE3)
        check_plan(planned)
        return planned.resources.lines[0].group

    assert group((8,), (2000,)) == 16


def _kinds_of_place(size: int, mesh: Mesh, pattern: Pattern | None) -> int:
    """How many sets of colors the layout gives, as the plan counts them."""
    moves = [
        _move(kind, size, mesh.size(axis), axis)
        for axis in ("rows", "cols")
        for kind in ("reduce_inward", "flood")
    ]
    return assign(with_patterns(moves, WSE3, pattern), WSE3).kinds_of_place


@pytest.mark.parametrize("size", [1, 8, 32, 400])
def test_pes_are_of_at_most_nine_kinds(size: int) -> None:
    """Two phases along both axes would make more."""
    for mesh in (Mesh(64, 64), Mesh(750, 994), Mesh(64, 3), Mesh(2, 64)):
        assert _kinds_of_place(size, mesh, None) <= 9
    assert _kinds_of_place(32, Mesh(64, 64), "two_phase") == 16
    assert _kinds_of_place(32, Mesh(64, 64), "chain") == 9
