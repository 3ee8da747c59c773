"""Each program of tests/wse/errors breaks one rule; its last comment is the answer.

A file with a layout block is the top file; any other is the code of a single PE. The
first line may set options: `// options: arch=wse3`.
"""

from pathlib import Path

import pytest

from pyflame.wse.errors import CslError
from pyflame.wse.language import state
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Options
from pyflame.wse.language.reader import LIBRARY_FOLDER, SavedReader
from pyflame.wse.language.source import Source

CASES = sorted((Path(__file__).parent.parent / "errors").glob("*.csl"))
LAYOUT = """layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "%s");
  @export_name("main", fn()void);
  @export_name("values", [*]f32, true);
}
"""


def split_case(text: str) -> tuple[str, str]:
    """The program, and the expected diagnostic of its closing comment."""
    lines = text.rstrip("\n").split("\n")
    end = len(lines)
    while end and lines[end - 1].startswith("//"):
        end -= 1
    expected = [line.removeprefix("//").removeprefix(" ") for line in lines[end:]]
    return "\n".join(lines[:end]) + "\n", "\n".join(expected)


def options_of(program: str) -> Options:
    first = program.split("\n", 1)[0]
    words = first.removeprefix("// options:").split() if "options:" in first else []
    settings = dict(word.split("=") for word in words)
    return Options(
        arch=settings.get("arch", "wse2"),
        memcpy="memcpy" in settings,
        max_inlined_iterations=int(settings.get("max_inlined_iterations", "1000")),
    )


def diagnose(name: str, program: str) -> str:
    """What the compiler says about a program."""
    sources = {name: Source(name, program)}
    top = name
    if "layout {" not in program:
        top = "layout.csl"
        sources[top] = Source(top, LAYOUT % name)
    for path in LIBRARY_FOLDER.rglob("*.csl"):
        key = f"<{path.relative_to(LIBRARY_FOLDER).with_suffix('').as_posix()}>"
        sources[key] = Source(key, path.read_text(encoding="utf-8"), library=True)
    with pytest.raises(CslError) as caught:
        compile_program(top, options_of(program), SavedReader(sources))
    return str(caught.value)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_diagnostic(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_COMPTIME_STEPS", 10_000)
    program, expected = split_case(path.read_text(encoding="utf-8"))
    assert diagnose(path.name, program) == expected


def test_there_is_a_case_per_rule() -> None:
    assert len(CASES) > 100
