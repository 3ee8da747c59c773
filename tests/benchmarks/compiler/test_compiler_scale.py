"""A whole wafer gets the program of a small mesh; long programs have an end."""

import pytest
from compiler_workloads import LARGE, PROGRAMS, SMALL, WAFERS, compile_long, compiled


@pytest.mark.parametrize("target", list(WAFERS))
@pytest.mark.parametrize("name", list(PROGRAMS))
def test_a_wafer_gets_the_same_program(name, target):
    """Longer lines are crossed in other patterns, which take a few lines more."""
    meshes = (SMALL, LARGE, WAFERS[target])
    small, large, wafer = (compiled(name, mesh, target) for mesh in meshes)
    assert large.steps == wafer.steps
    assert abs(large.lines - wafer.lines) <= 2
    assert abs(large.size_bytes - wafer.size_bytes) < 200  # longer numbers
    assert wafer.lines < 1.4 * small.lines


def test_a_long_program_compiles():
    assert compile_long(200).success


def test_a_longer_one_compiles_if_it_repeats():
    result = compile_long(1000)
    assert result.success
    assert result.cost.code_bytes < 10_000


def test_a_program_that_is_too_long_is_refused_with_its_size():
    message = compile_long(1000, "varied").error_message
    assert "bytes per PE do not fit the 49,152 of a WSE-3 PE (grid 2x2)" in message
    assert "(estimate)" in message
