"""Graphs as they are shown."""

import pyflame as pf


def _program() -> pf.Tensor:
    a = pf.randn([8, 4], layout=pf.MeshLayout.grid(2, 2))
    b = pf.ones([4, 3])
    h = pf.relu(a @ b * 2.0 - 1)
    return h.sum(dim=1)


def test_nodes() -> None:
    graph = pf.get_graph(_program())
    assert [node.op_type for node in graph.nodes] == [
        "randn",
        "ones",
        "matmul",
        "mul",
        "sub",
        "relu",
        "sum",
    ]
    assert graph.num_nodes == 7
    matmul = graph.nodes[2]
    assert matmul.inputs == graph.nodes[:2]
    assert matmul.output_shape == [8, 3]
    assert matmul.output_dtype is pf.float32
    assert graph.inputs == graph.nodes[:2]


def test_get_node() -> None:
    x = pf.randn([100])
    node = pf.get_node(x)
    assert node.op_type == "randn"
    assert node.inputs == []
    assert node.spec == pf.TensorSpec((100,), pf.float32, pf.MeshLayout.single_pe())
    assert node.spec.size_bytes == 400
    assert pf.get_node(pf.tensor([1.0])).op_type == "input"


def test_print_graph(capsys) -> None:
    y = _program()
    pf.print_graph(y)
    assert capsys.readouterr().out == (
        "graph: 7 nodes, 2 of them inputs\n"
        "  a   = randn()        float32[8, 4]  grid(2, 2)  test_graph.py:7\n"
        "  b   = ones()         float32[4, 3]              test_graph.py:8\n"
        "  v2  = matmul(a, b)   float32[8, 3]              test_graph.py:9\n"
        "  v3  = mul(v2, 2.0)   float32[8, 3]              test_graph.py:9\n"
        "  v4  = sub(v3, 1)     float32[8, 3]              test_graph.py:9\n"
        "  h   = relu(v4)       float32[8, 3]              test_graph.py:9\n"
        "  v6  = sum(h, dim=1)  float32[8]                 test_graph.py:10\n"
    )


def test_a_graph_outlives_evaluation() -> None:
    y = _program()
    before = str(pf.get_graph(y))
    y.eval()
    assert str(pf.get_graph(y)) == before


def test_equal_names_are_told_apart() -> None:
    total = pf.zeros([2])
    for _ in range(2):
        part = pf.ones([2])
        total = total + part
    text = str(pf.get_graph(total))
    assert "part_2" in text
