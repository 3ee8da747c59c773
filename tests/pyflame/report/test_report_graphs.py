"""Drawings of graphs: every node once, nothing on top of anything."""

import pytest

import pyflame as pf
from pyflame.report.graphs import MAX_BOXES
from pyflame.report.markup import text_width


def _mlp() -> pf.Tensor:
    x = pf.randn([2, 5], layout=pf.MeshLayout.grid(2, 2))
    model = pf.nn.Sequential([pf.nn.Linear(5, 4), pf.nn.ReLU(), pf.nn.Linear(4, 3)])
    return pf.softmax(model(x))


def _attention() -> pf.Tensor:
    return pf.nn.MultiheadAttention(8, 2)(pf.randn([5, 2, 8]))


def _chain() -> pf.Tensor:
    x, w = pf.ones([4]), pf.ones([4])
    for _ in range(60):
        x = pf.relu(x * w + 1)
    return x


def _gradients() -> pf.Tensor:
    x = pf.randn([2, 3])
    (x * x).sum().backward()
    return x.grad


def _fan() -> pf.Tensor:
    return pf.cat([pf.full([2], i) for i in range(12)])


@pytest.mark.parametrize("make", [_mlp, _attention, _chain, _gradients, _fan])
def test_geometry(read, make) -> None:
    picture = read(pf.report.graph_drawing(pf.get_graph(make())))
    nodes = picture.nodes()
    picture.check(nodes)
    for node in nodes:
        assert all(text_width(t, 11) <= node.width for t in node.text)
    for edge in picture.edges():
        assert all(0 <= x <= picture.width for x, _ in edge)
        heights = [y for _, y in edge]
        assert heights == sorted(heights)


def test_edges_join_their_nodes(read) -> None:
    a, b = pf.ones([2]), pf.zeros([2])
    total = a + b
    picture = read(pf.report.graph_drawing(pf.get_graph(total)))
    first, second, add = picture.nodes()
    assert add.text == ("total = add", "float32[2]", "2 flops")
    for edge, box in zip(picture.edges(), (first, second), strict=True):
        start = (box.x + box.width / 2, box.bottom)
        assert edge[0] == pytest.approx(start, abs=0.02)
        assert edge[-1] == pytest.approx((add.x + add.width / 2, add.y), abs=0.02)


def test_lines_pass_beside_boxes(read) -> None:
    """Where a line passes a layer, it stands clear of every box of it."""
    picture = read(pf.report.graph_drawing(pf.get_graph(_attention())))
    for edge in picture.edges():
        for x, y in edge[1:-1]:
            for node in picture.nodes():
                if node.y <= y <= node.bottom:
                    assert not node.x - 2 < x < node.right + 2


def test_texts_of_a_node(read) -> None:
    graph = pf.get_graph(_mlp())
    nodes = read(pf.report.graph_drawing(graph)).nodes()
    assert len(nodes) == graph.num_nodes
    by_op = {node.text[0].split(" = ")[1]: node for node in nodes}
    assert by_op["randn"].text == ("x = randn", "float32[2, 5] grid(2, 2)")
    assert by_op["relu"].text[1:] == ("float32[2, 4]", "8 flops")


def test_a_large_graph_is_folded(read) -> None:
    nodes = read(pf.report.graph_drawing(pf.get_graph(_chain()))).nodes()
    assert len(nodes) == MAX_BOXES
    (fold,) = [node for node in nodes if node.text[0].startswith("⋮")]
    assert fold.text == ("⋮ 153 nodes more", "51 mul, 51 add, 51 relu", "612 flops")
    few = pf.report.graph_drawing(pf.get_graph(_chain()), max_nodes=7)
    assert len(read(few).nodes()) == 7


def test_names_are_never_markup(read) -> None:
    graph = pf.get_graph(pf.ones([2]) * 2)
    row = graph.rows[0]
    evil = "<script>alert('x')</script>&\"\x00"
    object.__setattr__(row, "name", evil)
    drawing = pf.report.graph_drawing(graph)
    assert "<script" not in drawing.svg()
    assert read(drawing).nodes()[0].text[0].startswith("<script>")
