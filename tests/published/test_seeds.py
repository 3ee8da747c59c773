"""Comparing what the host reads under seeds."""

from seeds import Row, Run, page


def _run(*reads: str, passed: bool = True) -> Run:
    return Run(passed, reads)


def test_what_the_host_draws_itself_is_not_compared() -> None:
    row = Row(
        "gemv",
        "wse3",
        _run("y 1x1 aa", "color 4 2x1 bb", "t 1x1 cc"),
        _run("y 1x1 ax", "color 4 2x1 bb", "t 1x1 cc"),
        [
            _run("y 1x1 ay", "color 4 2x1 bb", "t 1x1 cc"),
            _run("y 1x1 az", "color 4 2x1 bx"),
        ],
    )
    assert row.fixed == [1, 2]
    assert row.changing == ["color 4", "t"]
    assert str(row) == "| gemv | wse3 | passes | 2 of 3 | `color 4`, `t` |"


def test_a_check_that_fails_under_one_seed_fails() -> None:
    good, bad = _run("y 1x1 aa"), _run("y 1x1 aa", passed=False)
    rows = [
        Row("a", "wse2", good, good, [good, bad]),
        Row("b", "wse2", good, good, [good]),
    ]
    assert str(rows[0]) == "| a | wse2 | FAILS | 1 of 1 | none |"
    assert "1 of 2 scripts pass without a seed and under 2 seeds; 1 read the same" in (
        page(rows, 2)
    )
