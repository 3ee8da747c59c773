"""Graphs: what they tell of nodes, their program, and how they print."""

import jax
import numpy as np
import pytest

import pyflame as pf
from pyflame.graph_text import shortened, size_text
from pyflame.source import Place, assigned_name


def _program() -> pf.Tensor:
    a = pf.randn([8, 4], layout=pf.MeshLayout.grid(2, 2))
    b = pf.ones([4, 3])
    h = pf.relu(a @ b * 2.0 - 1)
    total = h.sum(dim=1)
    return total


def test_nodes() -> None:
    graph = pf.get_graph(_program())
    ops = ["randn", "ones", "matmul", "mul", "sub", "relu", "sum"]
    assert [node.op_type for node in graph.nodes] == ops
    assert graph.num_nodes == len(graph) == 7
    matmul = graph.nodes[2]
    assert matmul.inputs == graph.nodes[:2]
    assert matmul.output_shape == [8, 3]
    assert matmul.output_dtype is pf.float32
    assert matmul.place is not None
    assert matmul.place.text == "h = pf.relu(a @ b * 2.0 - 1)"
    assert graph.inputs == graph.nodes[:2]


def test_attributes() -> None:
    assert pf.get_node(_program()).attributes == {"dim": 1, "keepdim": False}


def test_get_node() -> None:
    x = pf.randn([100])
    node = pf.get_node(x)
    assert node.op_type == "randn"
    assert node.inputs == []
    assert node.spec == pf.TensorSpec((100,), pf.float32, pf.MeshLayout.single_pe())
    assert node.spec.size_bytes == 400
    assert repr(node) == "Node(randn -> float32[100])"
    assert pf.get_node(pf.tensor([1.0])).op_type == "input"


def test_the_jaxpr_is_the_program() -> None:
    x, w = pf.tensor(np.arange(6.0).reshape(2, 3)), pf.randn([3, 2])
    y = pf.softmax(x @ w / 2.0)
    jaxpr = pf.get_graph(y).jaxpr
    assert [aval.shape for aval in jaxpr.in_avals] == [(2, 3), (3, 2)]
    (value,) = jax.jit(jax.extend.core.jaxpr_as_fun(jaxpr))(x.numpy(), w.numpy())
    np.testing.assert_allclose(value, y.numpy(), rtol=1e-6)


def test_the_jaxpr_of_several_tensors() -> None:
    x = pf.randn([3])
    graph = pf.get_graph(x * 2, x + 1)
    assert graph.num_nodes == 3
    assert [aval.shape for aval in graph.jaxpr.out_avals] == [(3,), (3,)]
    assert len(graph.outputs) == 2


@pytest.mark.parametrize("read_first", [False, True])
def test_the_jaxpr_of_gradients(read_first: bool) -> None:
    """Also if the loss was read before: then what backward needs is kept, and is a
    constant of the program."""
    x = pf.randn([2, 3])
    w = pf.randn([3, 2])
    loss = pf.tanh(x @ w).sum()
    if read_first:
        loss.item()
    loss.backward()
    graph = pf.get_graph(x.grad, w.grad)
    jaxpr = graph.jaxpr
    inputs = [pf.Tensor(node._recorded).numpy() for node in graph.inputs]
    assert [aval.shape for aval in jaxpr.in_avals] == [a.shape for a in inputs]
    found = jax.jit(jax.extend.core.jaxpr_as_fun(jaxpr))(*inputs)
    for value, tensor in zip(found, graph.outputs, strict=True):
        np.testing.assert_allclose(value, tensor.numpy(), rtol=1e-5)


def test_a_gradient_can_be_compiled_after_its_loss_was_read(tmp_path) -> None:
    x = pf.randn([2, 3])
    loss = (x * x).sum()
    loss.item()
    loss.backward()
    options = pf.CodeGenOptions(output_dir=str(tmp_path))
    result = pf.compile_to_csl(x.grad, options)
    assert result.success, result.error_message
    np.testing.assert_allclose(result.simulate().outputs, 2 * x.numpy(), rtol=1e-6)


def test_a_graph_needs_a_tensor() -> None:
    with pytest.raises(pf.ArgumentError) as caught:
        pf.Graph()
    assert str(caught.value) == "Graph: there is no tensor to show the graph of"


def test_print_graph(capsys) -> None:
    y = _program()
    pf.print_graph(y)
    text = "a = pf.randn([8, 4], layout=pf.MeshLayout.gri..."
    head = "  name                    type           layout      flops  bytes  line"
    at = "test_graph.py"
    assert capsys.readouterr().out.splitlines() == [
        "graph: 7 nodes, 2 of them inputs; 280 flops; 176 B in, 32 B out",
        head,
        f"  a      = randn()        float32[8, 4]  grid(2, 2)           128  {at}:13"
        f"  {text}",
        f"  b      = ones()         float32[4, 3]                        48  {at}:14"
        "  b = pf.ones([4, 3])",
        f"  v2     = matmul(a, b)   float32[8, 3]                192     96  {at}:15"
        "  h = pf.relu(a @ b * 2.0 - 1)",
        f"  v3     = mul(v2, 2.0)   float32[8, 3]                 24     96  {at}:15",
        f"  v4     = sub(v3, 1)     float32[8, 3]                 24     96  {at}:15",
        f"  h      = relu(v4)       float32[8, 3]                 24     96  {at}:15",
        f"  total  = sum(h, dim=1)  float32[8]                    16     32  {at}:16"
        "  total = h.sum(dim=1)",
    ]


def test_print_graph_refuses_what_is_no_tensor() -> None:
    with pytest.raises(pf.ArgumentError, match="print_graph: list is no Tensor"):
        pf.print_graph([1.0])


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


class _Holder:
    state: pf.Tensor


def test_names_come_from_assignments_of_every_form() -> None:
    holder = _Holder()
    holder.state = pf.zeros([2])
    named: pf.Tensor = pf.ones([2])
    joined = pf.cat(
        [holder.state, named],
        dim=0,
    )
    joined *= pf.tensor([1.0, 2.0, 3.0, 4.0])
    names = [row.name for row in pf.get_graph(joined).rows]
    assert names == ["state", "named", "joined", "v3", "joined_2"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("x = f(y)", "x"),
        ("self.x = f(y)", "x"),
        ("x: Tensor = f(y)", "x"),
        ("x += y", "x"),
        ("x = f(", "x"),
        ("x == f(", None),
        ("x, y = f(z)", None),
        ("x[0] = f(y)", None),
        ("x = " + "-" * 600 + "y", "x"),
        ("x = " + "y + " * 600 + "y", None),
        ("x = 'a\0b'", None),
        ("x = f(pf.tensor([1]))", None),
        ("x = pf.tensor([1])", "x"),
    ],
)
def test_the_name_that_a_line_assigns(line: str, name: str | None) -> None:
    assert assigned_name(Place("a.py", 1, line), creates=True) == name


def test_a_part_of_an_expression_does_not_get_its_name() -> None:
    shifted = (pf.ones([2]) * pf.tensor([1.0, 2.0])).detach()
    graph = pf.get_graph(shifted)
    assert [row.name for row in graph.rows][-1] == "shifted"
    total = pf.cat([pf.tensor([1.0]), pf.ones([2])]).sum()
    assert [row.name for row in pf.get_graph(total).rows] == ["v0", "v1", "v2", "total"]
    scaled = pf.zeros([2]).sum()
    scaled.eval()
    assert [row.name for row in pf.get_graph(scaled).rows] == ["v0", "scaled"]


def test_gradients_tell_of_what() -> None:
    x = pf.randn([2, 3])
    w = pf.randn([3, 4])
    loss = (x @ w).sum()
    loss.backward()
    graph = pf.get_graph(x.grad, w.grad)
    rows = {row.name: row for row in graph.rows}
    assert rows["grad_x"].call(99).endswith("of=x)")
    assert rows["grad_w"].call(99).endswith("of=w)")
    assert rows["grad_w"].type == "float32[3, 4]"
    # Each is one product; the forward product is needed by neither.
    assert rows["grad_x"].flops == 2 * 2 * 4 * 3
    assert rows["grad_w"].flops == 2 * 3 * 2 * 4
    assert graph.flops == 96


def test_work_that_gradients_share_counts_once() -> None:
    x, w = pf.randn([2, 3]), pf.randn([3, 4])
    pf.exp(x @ w).sum().backward()
    both = pf.get_graph(x.grad, w.grad)
    apart = [pf.get_node(x.grad).flops, pf.get_node(w.grad).flops]
    assert both.flops < sum(apart)
    forward = 2 * 2 * 3 * 4 + 8  # the product and its exponential
    assert both.flops == forward + 8 + 48 + 48


def test_a_gradient_after_a_forward_pass_takes_only_its_own_work() -> None:
    x = pf.randn([2, 3])
    w = pf.randn([3, 4])
    loss = pf.exp(x @ w).sum()
    loss.eval()
    loss.backward()
    graph = pf.get_graph(w.grad)
    assert graph.rows[-1].name == "grad"
    assert graph.flops == 8 + 48


def test_flops_of_gradients_are_told_by_what_they_pass() -> None:
    model = pf.nn.Linear(3, 4)
    pf.exp(model(pf.randn([2, 3]))).sum().backward()
    graph = pf.get_graph(model.weight.grad)
    work = graph.rows[-1].work
    assert work == {
        "linear": 2 * 2 * 3 * 4 + 2 * 4,
        "exp": 8,
        "backward of exp": 8,
        "backward of linear": 2 * 4 * 2 * 3,
    }
    assert str(graph).splitlines()[-1] == (
        "  flops by op: linear 56 (47%), backward of linear 48 (40%), "
        "backward of exp 8 (7%), exp 8 (7%)"
    )


def test_a_long_graph_is_folded() -> None:
    x = pf.zeros([4])
    for _ in range(500):
        x = x + 1
    lines = str(pf.get_graph(x)).splitlines()
    assert len(lines) == 1 + 1 + 40 + 1 + 20 + 1
    assert lines[42] == "  ... 441 nodes more (441 add): 1,764 flops"
    assert lines[-1] == "  flops by op: add 2,000 (100%)"
    assert len(pf.get_graph(x).text(None).splitlines()) == 1 + 1 + 501 + 1
    assert len(pf.get_graph(x).text(6).splitlines()) == 1 + 1 + 4 + 1 + 2 + 1


def test_many_operands_are_counted() -> None:
    parts = [pf.zeros([2]) for _ in range(30)]
    row = pf.get_graph(pf.cat(parts)).rows[-1]
    assert row.call(48).startswith("cat(v0, v1, v2, ")
    assert " more, dim=0)" in row.call(48)
    assert len(row.call(48)) <= 48


def test_an_operand_is_shown_as_often_as_it_is_taken() -> None:
    x = pf.randn([3, 3])
    graph = pf.get_graph(x @ x)
    assert graph.rows[-1].call(48) == "matmul(x, x)"
    assert graph.nodes[-1].inputs == [graph.nodes[0]] * 2


def test_indices_read_as_they_are_written() -> None:
    x = pf.randn([4, 6])
    for part, text in (
        (x[2], "index(x, [2])"),
        (x[1:, ::2], "index(x, [1:4, ::2])"),
        (x[..., None, 1:4:2], "index(x, [..., None, 1:4:2])"),
    ):
        assert pf.get_graph(part).rows[-1].call(48) == text


def test_many_arguments_are_cut() -> None:
    x, classes = pf.randn([2, 3]), pf.tensor([0, 1], dtype=pf.int32)
    loss = pf.nn.CrossEntropyLoss(weight=pf.ones([3]))
    row = pf.get_graph(loss(x, classes)).rows[-1]
    assert row.call(48) == "cross_entropy(v0, 2 more, reduction='mean', ...)"
    assert row.call(5) == "cross_entropy(v0, 2 more, ...)"


def test_lines_end_where_the_terminal_does(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "70")
    pf.print_graph(_program())
    lines = capsys.readouterr().out.splitlines()
    assert 60 < max(map(len, lines)) <= 70
    assert lines[2].endswith("...")


def test_text_that_a_terminal_would_act_on_is_replaced(tmp_path) -> None:
    path = tmp_path / "evil.py"
    line = "x = pf.ones([2])  # \x1b[2J\u202e"
    path.write_text(f"import pyflame as pf\n{line}\n", encoding="utf-8")
    scope: dict[str, pf.Tensor] = {}
    exec(compile(path.read_text("utf-8"), str(path), "exec"), scope)
    text = str(pf.get_graph(scope["x"]))
    assert text.isprintable() or "\n" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (9_999, "9,999 B"),
        (10_240, "10 KiB"),
        (40_000, "39.06 KiB"),
        (10_240_000, "9.766 MiB"),
        (5 * 2**40, "5,120 GiB"),
    ],
)
def test_sizes(size_bytes: int, text: str) -> None:
    assert size_text(size_bytes) == text


def test_shortened() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abc..."


class _Net(pf.nn.Module):
    def __init__(self) -> None:
        self.fc = pf.nn.Linear(3, 2)
        self.scale = pf.ones([2])

    def forward(self, x: pf.Tensor) -> pf.Tensor:
        return self.fc(x) * self.scale


def _doubled(x: pf.Tensor) -> pf.Tensor:
    return pf.relu(x) * 2


def test_what_is_returned_has_the_name_of_the_caller() -> None:
    x = pf.ones([2])
    y = _doubled(x) + 1
    z = _doubled(y)
    names = [row.name for row in pf.get_graph(z).rows]
    assert names == ["x", "v1", "v2", "y", "v4", "z"]


def test_parameters_have_the_names_of_their_modules() -> None:
    net = _Net()
    x = pf.randn([4, 3])
    expected = ["x", "fc_weight", "fc_bias", "v3", "scale", "y"]
    y = net(x)
    assert [row.name for row in pf.get_graph(y).rows] == expected
    y.sum().backward()
    pf.optim.SGD(net.parameters(), lr=0.1).step()
    y = net(x)
    assert [row.name for row in pf.get_graph(y).rows] == expected
    assert pf.get_graph(y).rows[1].op_type == "input"


def test_a_parameter_without_an_identifier_is_numbered() -> None:
    module = pf.nn.Module()
    setattr(module, "\x1b[2J", pf.ones([2]))
    listed = pf.nn.ParameterList([pf.ones([2])])
    total = getattr(module, "\x1b[2J") + listed[0]
    names = [row.name for row in pf.get_graph(total).rows]
    assert names == ["v0", "listed_0", "total"]
