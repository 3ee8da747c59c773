"""@get_symbol_id, @get_symbol_value and @get_tensor_ptr."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pyflame.wse.errors import CslError, MachineFault
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Options
from pyflame.wse.language.reader import SavedReader
from pyflame.wse.language.source import Source
from pyflame.wse.machine.engine import Wafer

LAYOUT = """layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl");
  @export_name("a", [*]f32, true);
  @export_name("n", i16, true);
  @export_name("b", [*]f32, true);
  @export_name("main", fn(u16) void);
}
"""
PE = """
export var A = [2]f32 { 1.0, 2.0 };
export var B = [2]f32 { 3.0, 4.0 };
export var first: f32 = 0.0;
export var words = @zeros([4]u16);
var a: [*]f32 = &A;
var b: [*]f32 = &B;
var n: i16 = 7;
fn main(id: u16) void { %s }
comptime {
  @export_symbol(a); @export_symbol(b); @export_symbol(n); @export_symbol(main);
}
"""
Launch = Callable[..., Wafer]


@pytest.fixture
def launch() -> Launch:
    """`launch(body, id)`: a PE whose function main(id) has run."""

    def run(body: str, id_: int = 0) -> Wafer:
        texts = {"layout.csl": LAYOUT, "pe.csl": PE % body}
        sources = {name: Source(name, text) for name, text in texts.items()}
        image = compile_program("layout.csl", Options(), SavedReader(sources))
        wafer = Wafer(image)
        wafer.load()
        wafer.start()
        wafer.launch("main", [id_])
        wafer.run_until_quiet()
        return wafer

    return run


def read(wafer: Wafer, name: str, dtype: Any, count: int = 1) -> list[Any]:
    address, _ = wafer.symbol(0, 0, name)
    data = wafer.read_memory(0, 0, address, np.dtype(dtype).itemsize * count)
    return np.frombuffer(data, dtype).tolist()


@pytest.mark.parametrize(("id_", "expected"), [(0, 1.0), (2, 3.0)])
def test_a_pointer_by_an_id_of_run_time(
    launch: Launch, id_: int, expected: Any
) -> None:
    wafer = launch("first = @get_symbol_value([*]f32, id)[0];", id_)
    assert read(wafer, "first", "f4") == [expected]


def test_ids_known_at_comptime(launch: Launch) -> None:
    wafer = launch(
        "const p = @get_symbol_value([*]f32, @get_symbol_id(b)); p[1] = 9.0;"
        "n = 5 * @get_symbol_value(i16, @get_symbol_id(n));"
        "first = @as(f32, @get_symbol_id(b));"
    )
    assert read(wafer, "B", "f4", 2) == [3.0, 9.0]
    assert read(wafer, "n", "i2") == [35]
    assert read(wafer, "first", "f4") == [2.0]


@pytest.mark.parametrize(
    ("id_", "expected"), [(0, [0, 0x3F80]), (2, [0, 0x4040]), (1, [7, 0])]
)
def test_words_of_a_tensor(launch: Launch, id_: int, expected: list[int]) -> None:
    wafer = launch(
        "const p = @get_tensor_ptr(id); words[0] = p[0]; words[1] = p[1];"
        if id_ != 1
        else "words[0] = @get_tensor_ptr(id)[0];",
        id_,
    )
    assert read(wafer, "words", "u2", 2) == expected


def test_a_symbol_that_the_pe_lacks(launch: Launch) -> None:
    with pytest.raises(MachineFault, match="it exports no symbol 3 of the type that"):
        launch("first = @get_symbol_value([*]f32, id)[0];", 3)
    with pytest.raises(CslError) as caught:
        launch("const x = @get_symbol_value(i16, 0);")
    assert caught.value.message == (
        "this PE exports no symbol 0 that '@get_symbol_value' can read"
    )
    assert caught.value.notes[0][0] == "it can read: 1 n"
