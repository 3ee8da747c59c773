"""Graph inspection."""

import numpy as np

import pyflame as pf


def test_get_graph(documented, capsys) -> None:
    documented(pf.get_graph, tensor=...)
    a = pf.randn([10])
    b = pf.relu(a)
    graph = pf.get_graph(b)
    print(graph)
    shown = capsys.readouterr().out
    assert "a     = randn()" in shown
    assert "b     = relu(a)" in shown
    assert not b.is_evaluated()


def test_get_node(documented) -> None:
    documented(pf.get_node, tensor=...)
    node = pf.get_node(pf.randn([10]))
    assert isinstance(node, pf.Node)
    assert node.op_type == "randn"


def test_print_graph(documented, capsys) -> None:
    documented(pf.print_graph, tensor=...)
    a = pf.randn([10, 20])
    b = pf.randn([20, 5])
    c = a @ b
    d = pf.relu(c)
    pf.print_graph(d)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("graph: 4 nodes, 2 of them inputs; 2,050 flops;")
    assert "c     = matmul(a, b)" in lines[4]
    assert "float32[10, 5]" in lines[4]
    assert "2,000" in lines[4]
    assert lines[5].endswith("d = pf.relu(c)")


def test_graph_class() -> None:
    graph = pf.get_graph(pf.randn([3]) * 2.0)
    assert isinstance(graph, pf.Graph)
    assert [type(node) for node in graph.nodes] == [pf.Node, pf.Node]
    assert graph.num_nodes == 2


def test_node_class() -> None:
    a = pf.randn([4, 3], dtype=pf.float16)
    node = pf.get_node(a.sum(dim=0))
    assert node.op_type == "sum"
    assert node.inputs == [pf.get_node(a)]
    assert node.output_shape == [3]
    assert node.output_dtype is pf.float16


def test_tensor_spec_class(documented) -> None:
    documented(pf.TensorSpec, shape=..., dtype=..., layout=...)
    layout = pf.MeshLayout.grid(2, 2)
    spec = pf.get_node(pf.zeros([4, 4], layout=layout)).spec
    assert spec == pf.TensorSpec((4, 4), pf.float32, layout)
    assert (spec.shape, spec.dtype, spec.layout) == ((4, 4), pf.float32, layout)
    assert str(spec) == "float32[4, 4]"


def test_the_staged_program_of_a_graph() -> None:
    x = pf.tensor(np.ones(3, np.float32))
    jaxpr = pf.get_graph(pf.exp(x)).jaxpr
    assert [eqn.primitive.name for eqn in jaxpr.jaxpr.eqns] == ["exp"]
