"""Reports as pages read them: values, files and cycles; strict, and without scripts."""

import xml.etree.ElementTree as ElementTree

import jax
import numpy as np
import pytest

import pyflame as pf

bs4 = pytest.importorskip("bs4", reason="needs the extra `test`")
pytest.importorskip("lxml", reason="needs the extra `test`")


def page(shown):
    """The report, parsed as strict XML and then as browsers do."""
    text = shown._repr_html_()
    ElementTree.fromstring(text)
    soup = bs4.BeautifulSoup(text, "lxml")
    assert not soup.find_all(["script", "style", "link", "iframe", "img"])
    for found in soup.find_all(True):
        assert not any(name.startswith("on") for name in found.attrs)
    return soup


def table(soup) -> list[list[str]]:
    rows = soup.find("table").find_all("tr")
    return [[cell.text for cell in row.find_all(["td", "th"])] for row in rows]


def test_a_matrix() -> None:
    soup = page(pf.tensor([[1.5, 2.0], [-3.0, 4.25]]))
    assert table(soup) == [
        ["", "0", "1"],
        ["0", "1.5000", "2.0000"],
        ["1", "-3.0000", "4.2500"],
    ]
    assert "Tensor · float32[2, 2] · 16 B · evaluated" in soup.text


def test_a_pending_tensor_is_computed_and_says_so() -> None:
    x = pf.ones([3]) * 2
    soup = page(x)
    assert "was pending, computed to be shown" in soup.text
    assert x.is_evaluated()
    assert table(soup) == [["0", "1", "2"], ["2.0", "2.0", "2.0"]]
    assert "evaluated" in page(x).text


def test_a_large_matrix_is_abbreviated_and_drawn() -> None:
    values = np.arange(2000.0).reshape(50, 40)
    soup = page(pf.tensor(values))
    rows = table(soup)
    assert len(rows) == 10
    assert rows[0] == ["", "0", "1", "2", "3", "4", "5", "⋯", "38", "39"]
    assert rows[7] == ["⋯"] * 10
    assert rows[9][-1] == "1999.0"
    assert "min 0, mean 999.5, max 1999" in soup.text
    squares = soup.find_all("rect", class_="heat")
    assert 40 * 24 == len(squares)
    assert float(squares[-1]["fill-opacity"]) > float(squares[0]["fill-opacity"])


def test_signs_and_what_is_not_finite_are_told_apart() -> None:
    values = np.zeros((9, 9), np.float32)
    values[0, :3] = [1, -1, np.nan]
    soup = page(pf.tensor(values))
    first = soup.find_all("rect", class_="heat")[:4]
    assert len({square["fill"] for square in first[:3]}) == 3
    assert float(first[3]["fill-opacity"]) < 0.1
    assert "1 not finite" in soup.text


def test_the_smallest_of_the_small_integers() -> None:
    values = np.zeros((8, 8), np.int8)
    values[0, :2] = [-128, 127]
    soup = page(pf.tensor(values))
    low, high, zero = soup.find_all("rect", class_="heat")[:3]
    assert float(low["fill-opacity"]) > float(high["fill-opacity"])
    assert float(high["fill-opacity"]) > float(zero["fill-opacity"])
    assert "min -128, mean -0.01562, max 127" in soup.text


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int8", "bool_"])
def test_every_dtype(dtype: str) -> None:
    x = pf.ones([20, 20], dtype=getattr(pf, dtype))
    soup = page(x)
    assert f"{dtype}[20, 20]" in soup.text
    expected = {"int8": "1", "bool_": "True"}.get(dtype, "1.0")
    assert table(soup)[1][1] == expected


def test_ranks_other_than_two() -> None:
    assert table(page(pf.tensor(2.5))) == [["2.5000"]]
    assert table(page(pf.arange(3))) == [["0", "1", "2"], ["0.0", "1.0", "2.0"]]
    assert table(page(pf.arange(30)))[0][5:8] == ["5", "⋯", "28"]
    assert "no elements" in page(pf.zeros([0, 3])).text
    deep = page(pf.ones([2, 2, 2]))
    assert "[[[1., 1.]," in deep.find("pre").text


def test_wide_ranges_are_in_exponents() -> None:
    values = np.array([1e-9, 3.0, 1e8], np.float32)
    assert table(page(pf.tensor(values)))[1] == ["1.000e-09", "3.000e+00", "1.000e+08"]


def test_a_layout_shows_its_mesh_with_the_tensor() -> None:
    soup = page(pf.ones([6, 6], layout=pf.MeshLayout.grid(2, 3)))
    assert "grid(2, 3): 6 PEs, each with [3, 2] of [6, 6]" in soup.find("summary").text
    assert len(soup.find_all("rect", class_="pe")) == 6
    assert not page(pf.ones([6, 6])).find_all("rect", class_="pe")


def test_a_traced_tensor() -> None:
    shown: list[str] = []

    def traced(x):
        shown.append(x._repr_html_())
        return x

    jax.make_jaxpr(traced)(pf.ones([2]))
    ElementTree.fromstring(shown[0])
    assert "float32[2]" in shown[0]


def test_a_layout() -> None:
    assert len(page(pf.MeshLayout.grid(2, 2)).find_all("rect", class_="pe")) == 4


def test_a_graph() -> None:
    x = pf.randn([2, 3])
    soup = page(pf.get_graph(x @ pf.ones([3, 4])))
    assert "Graph of 3 nodes · 2 inputs, 72 B · 48 flops" in soup.text
    assert len(soup.find_all("g", class_="node")) == 3
    assert "= matmul(" in soup.find("pre").text


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    a, b = pf.ones([4, 3]), pf.ones([3, 2])
    folder = tmp_path_factory.mktemp("csl")
    options = pf.CodeGenOptions(output_dir=str(folder), fabric_width=2, fabric_height=2)
    found = pf.compile_to_csl(pf.relu(a @ b), options)
    assert found.success, found.error_message
    return found


def test_a_result(result) -> None:
    soup = page(result)
    rows = table(soup)
    assert rows[0] == ["file", "lines", "size"]
    assert [row[0] for row in rows[1:]] == list(result.sources)
    assert f"{result.cost.cycles:,} cycles predicted" in soup.text
    sources = [d.find("pre").text for d in soup.find_all("details") if d.find("pre")]
    assert any("fn " in text for text in sources)


def test_a_run(result) -> None:
    run = result.simulate()
    soup = page(run)
    assert f"{run.cycles:,} cycles" in soup.text
    assert table(soup)[1] == ["out", "float32[4, 2]"]
    assert len(soup.find_all("rect", class_="heat")) == 2 * 4
    assert "bytes of memory: " in soup.text
    assert "busy cycles: " in soup.text


def test_a_failure_says_why() -> None:
    options = pf.CodeGenOptions(target="<b>wse9</b>")
    soup = page(pf.compile_to_csl(pf.ones([2]) + 1, options))
    assert "nothing was generated" in soup.text
    assert "<b>wse9</b>" in soup.find("pre").text


def test_what_has_no_report() -> None:
    with pytest.raises(pf.ArgumentError) as caught:
        pf.report.html_of(3)
    assert str(caught.value) == (
        "html_of: there is no report on int\n"
        "  rule  there are reports on Tensor, MeshLayout, Graph, CodeGenResult, "
        "SimulationRun"
    )
