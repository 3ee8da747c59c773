"""A whole wafer gets the program of a small mesh; long programs have an end."""

import pytest
from compiler_workloads import PROGRAMS, SMALL, WAFERS, compile_long, compiled


@pytest.mark.parametrize("target", list(WAFERS))
@pytest.mark.parametrize("name", list(PROGRAMS))
def test_a_wafer_gets_the_same_program(name, target):
    small, large = compiled(name, SMALL, target), compiled(name, WAFERS[target], target)
    assert (small.lines, small.steps) == (large.lines, large.steps)
    assert abs(large.size_bytes - small.size_bytes) < 120  # longer numbers


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
