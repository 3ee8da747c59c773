"""The command line of cslc."""

import pytest

from pyflame.wse.errors import HostError
from pyflame.wse.language.image import Options
from pyflame.wse.sdk import command_line


def parse(line):
    return command_line.parse(line.split())


def test_the_line_of_an_example():
    request = parse(
        "--arch=wse3 ./layout.csl --fabric-dims=11,3 --fabric-offsets=4,1 -o out "
        "--params=kernel_x_dim:4,M:4 --params N:6 --colors=x_in:1 --memcpy --channels 1"
    )
    assert request.top_file == "./layout.csl"
    assert request.output == "out"
    assert request.options == Options(
        arch="wse3",
        params={"kernel_x_dim": 4, "M": 4, "N": 6},
        colors={"x_in": 1},
        fabric_dims=(11, 3),
        fabric_offsets=(4, 1),
        memcpy=True,
        channels=1,
    )
    assert request.warnings == ()


@pytest.mark.parametrize("line", ["a.csl -o x", "-o=x a.csl", "-o x a.csl"])
def test_output_spellings(line):
    assert parse(line).output == "x"


def test_defaults():
    request = parse("a.csl")
    assert (request.output, request.options) == ("out", Options())
    assert request.output_json is None


def test_values_may_be_hexadecimal():
    assert parse("a.csl --params=x:0x10").options.params == {"x": 16}


def test_output_json():
    assert parse("a.csl --output-json").output_json == ""
    assert parse("a.csl --output-json=p.json").output_json == "p.json"


def test_import_paths_end_with_the_environment(monkeypatch):
    monkeypatch.setenv("CSL_IMPORT_PATH", "/a:/b")
    paths = parse("a.csl --import-path=x").options.import_paths
    assert paths == ("x", "/a", "/b")


def test_unknown_flags_are_warnings():
    request = parse("a.csl pe.csl --frobnicate=1 --comptime-func-depth-limit=3")
    assert request.warnings == (
        "'pe.csl' is ignored: the code of PEs is named by @set_tile_code",
        "unknown option '--frobnicate=1' is ignored",
        "--comptime-func-depth-limit has no effect here",
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--params=x", "--params: 'x' is not NAME:VALUE"),
        ("--params=1:2", "--params: '1:2' is not NAME:VALUE"),
        (
            "--params=x:y",
            "--params: the value of 'x' must be an unsigned integer, not 'y'",
        ),
        (
            "--params=x:-1",
            "--params: the value of 'x' must be an unsigned integer, not '-1'",
        ),
        ("--params=x:1 --params=x:2", "--params: 'x' is given twice"),
        ("--fabric-dims=8", "--fabric-dims takes two numbers such as 8,3, not '8'"),
        (
            "--fabric-offsets=a,1",
            "--fabric-offsets must be an unsigned integer, not 'a'",
        ),
        ("--channels=17", "--channels must be 0 to 16, not 17"),
    ],
)
def test_refused_values(flags, message):
    with pytest.raises(HostError) as caught:
        parse(f"a.csl {flags}")
    assert str(caught.value) == message
