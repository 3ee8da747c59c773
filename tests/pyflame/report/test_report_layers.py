"""Layers of a graph: order and distances, for any graph."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pyflame.report.layers import arrange


@st.composite
def graphs(draw) -> tuple[list[list[int]], list[float]]:
    size = draw(st.integers(0, 24))
    inputs = [
        draw(st.lists(st.integers(0, i - 1), max_size=3)) if i else []
        for i in range(size)
    ]
    return inputs, [draw(st.floats(20, 200)) for _ in range(size)]


@settings(deadline=None, max_examples=60)
@given(graphs())
def test_any_graph(graph) -> None:
    inputs, widths = graph
    plan = arrange(inputs, widths)
    for node, its_inputs in enumerate(inputs):
        assert plan.x[node] - widths[node] / 2 >= -1e-6
        for i in its_inputs:
            assert plan.layer[i] < plan.layer[node]
            path = plan.paths[i, node]
            levels = [plan.layer[item] for item in path]
            assert levels == list(range(plan.layer[i], plan.layer[node] + 1))
    for level in plan.layers:
        nodes = [item for item in level if item < len(inputs)]
        ends = [(plan.x[n] - widths[n] / 2, plan.x[n] + widths[n] / 2) for n in nodes]
        for (_, right), (left, _) in pairwise(ends):
            assert left - right >= 20


def test_a_chain_is_straight() -> None:
    plan = arrange([[], [0], [1], [2]], [50.0, 90.0, 30.0, 70.0])
    assert len({round(x, 6) for x in plan.x}) == 1


def test_an_input_stands_just_above_its_user() -> None:
    plan = arrange([[], [], [0], [2], [1, 3]], [10.0] * 5)
    assert plan.layer == [0, 2, 1, 2, 3]


def test_crossings_are_avoided() -> None:
    """Two chains that are recorded alternately do not cross."""
    plan = arrange([[], [], [1], [0], [2], [3]], [10.0] * 6)
    sides = [(plan.x[a] < plan.x[b]) for a, b in ((0, 1), (3, 2), (5, 4))]
    assert len(set(sides)) == 1
