import pytest

from pyflame.wse.errors import CslError
from pyflame.wse.language import types
from pyflame.wse.language.code import Declare, Function, GlobalVariable, LocalVariable
from pyflame.wse.language.image import PeProgram
from pyflame.wse.language.source import Source, Span
from pyflame.wse.machine.layout_memory import RUNTIME_RESERVE_BYTES, lay_out

SPAN = Span(Source("pe.csl", "var big: [9]f32;"), 4, 7)


def _variable(name, type_, align=0):
    return GlobalVariable(name, name, type_, None, True, SPAN, align)


def _laid_out(*variables, functions=()):
    program = PeProgram("pe.csl", list(functions), list(variables))
    layout = lay_out(program)
    return layout, [layout.addresses.get(v) for v in variables]


def test_variables_follow_the_reserve_in_order_with_natural_alignment():
    layout, addresses = _laid_out(
        _variable("a", types.U16),
        _variable("b", types.F32),
        _variable("c", types.Array((3,), types.U8)),
        _variable("d", types.I64),
        _variable("e", types.U16, align=16),
    )
    start = RUNTIME_RESERVE_BYTES
    assert addresses == [start, start + 4, start + 8, start + 12, start + 32]
    assert layout.used_bytes == start + 34
    assert layout.code_size_bytes == 0


def test_what_has_no_bytes_gets_a_slot():
    dsd = _variable("d", types.MEM1D_DSD)
    layout, addresses = _laid_out(dsd, _variable("a", types.U16))
    assert addresses == [None, RUNTIME_RESERVE_BYTES]
    assert layout.slots == {dsd: 0}


def test_locals_with_an_address_have_a_place_of_their_own():
    array = LocalVariable("t", types.Array((4,), types.F32))
    pointed, plain = LocalVariable("p", types.I16, True), LocalVariable("q", types.I16)
    body = [Declare(SPAN, v, None) for v in (array, pointed, plain)]
    function = Function("f", "f", [], types.VOID, False, SPAN, body)
    layout, _ = _laid_out(functions=[function])
    assert plain not in layout.addresses
    assert layout.addresses[array] == RUNTIME_RESERVE_BYTES + 12
    assert layout.addresses[pointed] == layout.addresses[array] + 16
    assert layout.code_size_bytes == 12


def test_overflow_names_the_largest_variables():
    big = _variable("big", types.Array((100, 100), types.F32))
    bigger = _variable("lib.x", types.Array((12_000,), types.F32))
    with pytest.raises(CslError) as error:
        _laid_out(_variable("a", types.U16), big, bigger)
    place = "    1 | var big: [9]f32;\n      |     ^^^"
    assert str(error.value) == (
        "error: 'pe.csl' needs 92,100 bytes of the 49,152 of a PE, 42,948 too many\n"
        f"pe.csl:1:5: note: 'lib.x' takes 48,000 bytes\n{place}\n"
        f"pe.csl:1:5: note: 'big' takes 40,000 bytes\n{place}\n"
        f"pe.csl:1:5: note: 'a' takes 2 bytes\n{place}\n"
        "note: code takes 0 bytes (estimate) and the runtime 4,096\n"
        "help: use smaller tiles or more PEs"
    )
