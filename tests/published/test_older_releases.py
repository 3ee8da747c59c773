"""Finding the scripts of a checkout, and keeping their table in the document."""

from pathlib import Path

from older_releases import HEADING, Script, scripts, with_section


def test_scripts_are_found_tutorials_first(tmp_path: Path) -> None:
    for name in (
        "benchmarks/cholesky/commands_wse3.sh",
        "benchmarks/csl-libs/allreduce/pe.csl",
        "tutorials/gemv-01/commands.sh",
        "tutorials/gemv-01/commands_wse2.sh",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert scripts(tmp_path) == [
        Script("tutorials", "gemv-01", "commands.sh"),
        Script("tutorials", "gemv-01", "commands_wse2.sh"),
        Script("benchmarks", "cholesky", "commands_wse3.sh"),
    ]
    assert [script.arch for script in scripts(tmp_path)] == ["", "wse2", "wse3"]


def test_a_section_is_put_in_and_replaced() -> None:
    text = with_section("# Examples\n\n100 pass.\n", "1.2.0", "### 1.2.0\n\nold\n")
    text = with_section(text, "1.3.0", "### 1.3.0\n\nnewer\n")
    text = with_section(text, "1.2.0", "### 1.2.0\n\nnew\n")
    assert text.startswith("# Examples\n\n100 pass.\n")
    assert text.count(HEADING) == 1
    assert text.index("### 1.3.0\n\nnewer") < text.index("### 1.2.0\n\nnew\n")
    assert "old" not in text.partition("FILE`.")[2]
