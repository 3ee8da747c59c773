import pytest

from lowering.errors import LayoutError
from lowering.mesh import Layout, Mesh, mesh_of


def test_mesh_knows_its_axes():
    mesh = Mesh(3, 5)
    assert (mesh.size("rows"), mesh.size("cols")) == (3, 5)
    assert (mesh.extent, mesh.pe_count, str(mesh)) == ((3, 5), 15, "3x5")


def test_mesh_of_layouts_is_their_maximum():
    layouts = [Layout("row_partition", 4), None, Layout("grid", 2, 3)]
    assert mesh_of(layouts) == Mesh(4, 3)
    assert mesh_of(layouts, at_least=Mesh(1, 7)) == Mesh(4, 7)
    assert mesh_of([]) == Mesh(1, 1)


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        (Layout("single_pe"), "single_pe"),
        (Layout("row_partition", 4), "row_partition(4)"),
        (Layout("col_partition", 1, 3), "col_partition(3)"),
        (Layout("grid", 2, 3), "grid(2, 3)"),
    ],
)
def test_layout_text(layout, text):
    assert str(layout) == text


def test_a_mesh_without_rows():
    with pytest.raises(LayoutError) as caught:
        Mesh(0, 4)
    assert str(caught.value) == (
        "mesh 0x4 has no PEs\n"
        "  rule      a mesh or layout has at least one row and one column of PEs\n"
        "  help      use counts of 1 or more"
    )


def test_an_unknown_layout():
    with pytest.raises(LayoutError) as caught:
        Layout("diagonal", 2, 2)
    assert str(caught.value) == (
        "unknown layout 'diagonal'\n"
        "  help      use one of single_pe, row_partition, col_partition, grid"
    )


def test_counts_that_do_not_suit_the_kind():
    with pytest.raises(LayoutError) as caught:
        Layout("row_partition", 2, 3)
    assert str(caught.value) == (
        "row_partition over 2 rows and 3 columns\n"
        "  rule      row_partition uses one column of PEs, col_partition one row, "
        "single_pe one of each\n"
        "  help      use grid(2, 3)"
    )
