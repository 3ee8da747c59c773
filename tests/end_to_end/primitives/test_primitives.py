"""The table of primitives says what is so: each row compiles, the rest is refused."""

import jax
import numpy as np
import pytest
from primitive_programs import DTYPES, PROGRAMS, WITHOUT_PROGRAM
from primitive_support import compiled, listed, names_in
from primitive_table import PAGE, dtypes_of, dtypes_text, with_table
from same_values import difference

from lowering.errors import LoweringError
from lowering.normalise.check import supported_primitives
from pyflame.codegen.executable import Executable
from pyflame.wse.machine.engine import MachineConfig

ROWS = {
    cells[0].strip("`"): (dtypes_of(cells[1]), dtypes_of(cells[2]))
    for cells in (
        line.strip("| \n").split(" | ")
        for line in PAGE.read_text("utf-8").partition("<!-- end of pri")[0].splitlines()
        if line.startswith("| `")
    )
}


def arrays(program, dtype):
    """Small whole numbers, so that no comparison hangs on rounding."""
    random = np.random.default_rng(0)
    return [
        np.asarray(random.integers(0, 3, spec.shape)).astype(spec.dtype)
        for spec in program.specs(dtype)
    ]


QUICK = {"add", "select_n", "reduce_sum", "transpose", "concatenate", "while"}


def row(name):
    return pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)


@pytest.mark.parametrize("name", [row(name) for name in ROWS])
def test_a_row_computes_what_jax_does(name):
    program = PROGRAMS[name]
    for dtype in ROWS[name][0]:
        given = arrays(program, dtype)
        executable = Executable.of(compiled(name, [dtype]))
        outputs, _, _ = executable.run(given, MachineConfig())
        expected = jax.jit(program.function)(*given)
        assert difference(outputs, jax.tree.leaves(expected)) == "", dtype


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row[1]])
def test_what_a_row_excludes_is_refused(name):
    for dtype in ROWS[name][1]:
        with pytest.raises(LoweringError):
            compiled(name, [dtype])


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - set(supported_primitives())))
def test_what_is_not_listed_is_refused_by_name(name):
    program = PROGRAMS[name]
    staged = {dtype: program.staged(dtype) for dtype in DTYPES}
    dtype = next(d for d, s in staged.items() if s and name in set(names_in(s)))
    with pytest.raises(LoweringError, match=f"no rule: .*{name}"):
        compiled(name, [dtype])


def test_every_primitive_has_a_program():
    missing = set(supported_primitives()) - set(PROGRAMS) - set(WITHOUT_PROGRAM)
    assert not missing, f"add programs to primitive_programs.py for {missing}"


@pytest.mark.slow
def test_every_primitive_has_a_row():
    assert list(ROWS) == listed()


@pytest.mark.slow
def test_the_table_is_what_the_compiler_says():
    text = PAGE.read_text("utf-8")
    assert text == with_table(text), "run tests/end_to_end/primitives/write_table.py"


def test_dtypes_are_named_as_they_are_read():
    assert dtypes_text(["f32", "f16", "bf16"]) == "floats"
    assert dtypes_text(["f32", "bool"]) == "f32, bool"
    for text in ("all", "numbers", "integers", "f32, bool", ""):
        assert dtypes_text(dtypes_of(text)) == text
