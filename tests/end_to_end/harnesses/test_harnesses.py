"""The sweep of JAX's harnesses: one of each verdict, and a table that counts them."""

import numpy as np
import pytest
from harness_catalogue import chosen, harnesses
from harness_table import table
from harness_verdict import Job, Outcome, outcome_of, specified
from harness_workers import outcomes
from same_values import difference, is_as_near


def first(group, dtype="float32", number=0):
    return chosen([group], [dtype], 0)[number]


@pytest.mark.parametrize(
    ("group", "dtype", "mesh", "verdict", "reason"),
    [
        ("add", "float32", "2x2", "right", ""),
        ("reduce_sum", "int32", "1x1", "right", ""),
        ("eig", "float32", "1x1", "excluded", "linear algebra of LAPACK"),
        ("mul", "complex64", "2x2", "right", ""),
        (
            "convert_element_type",
            "float32",
            "1x1",
            "large",
            "84,736 bytes per PE do not fit the 49,152 of a WSE-3 PE (grid 1x1)",
        ),
    ],
)
def test_verdicts(group, dtype, mesh, verdict, reason):
    outcome = outcome_of(Job(first(group, dtype), mesh))
    assert (outcome.verdict, outcome.reason.startswith(reason)) == (verdict, True)


def test_a_wrong_result_is_noticed(monkeypatch):
    args = np.ones((2, 3), np.float32), np.full((2, 3), 5, np.float32)
    monkeypatch.setattr("harness_verdict._expected", lambda _: (args, args[0]))
    monkeypatch.setattr("harness_verdict._exact", lambda *_: args[0])
    outcome = outcome_of(Job(first("add"), "1x1"))
    assert outcome.verdict == "wrong"
    expected = "6 of 6 elements of float32[2, 3] differ, first 6.0 for 1.0 at [0, 0]"
    assert outcome.reason == f"result 0: {expected}"


def test_an_exception_is_a_crash(monkeypatch):
    name = first("add")

    def fail(x, y):
        raise ZeroDivisionError("nothing")

    monkeypatch.setattr(harnesses()[name], "dyn_fun", fail)
    arguments = np.ones((2, 3), np.float32), np.ones((2, 3), np.float32)
    monkeypatch.setattr("harness_verdict._expected", lambda _: (arguments, 0))
    outcome = outcome_of(Job(name, "1x1"))
    assert outcome.verdict == "crash"
    assert outcome.reason.startswith("ZeroDivisionError: nothing")


def test_a_job_in_a_process_of_its_own():
    jobs = [Job(first("add", "int32"), "1x1"), Job(first("eig"), "1x1")]
    assert [o.verdict for o in outcomes(jobs, 1, 60.0)] == ["right", "excluded"]
    (late,) = outcomes(jobs[:1], 1, 0.0)
    assert (late.verdict, late.reason) == ("timeout", "took longer than the limit")


def test_a_sample_is_spread_over_group_and_dtype():
    every, some = chosen(["dot_general"], [], 0), chosen(["dot_general"], [], 2)
    assert set(some) < set(every) == set(chosen(["dot_general"], [], 10**6))
    dtypes = {np.dtype(harnesses()[name].dtype).name for name in every}
    assert len(some) == 2 * len(dtypes)


def test_the_table_counts():
    sin, cos = first("sin"), first("cos")
    found = [
        Outcome(sin, "1x1", "wse3", "right"),
        Outcome(sin, "2x2", "wse3", "wrong", "so"),
        Outcome(cos, "1x1", "wse3", "excluded", "a reason"),
        Outcome(cos, "2x2", "wse3", "excluded", "a reason"),
    ]
    text = table(found)
    assert "Of a sample of 2 of the 5,594 harnesses:" in text
    assert "- 2x2 PEs: 1 wrong, 1 excluded." in text
    assert "| `cos` | 1 of 4 | 1 |" in text
    assert "| `sin` | 1 of 4 |  | 1 |" in text
    assert "- a reason: 1\n" in text


@pytest.mark.parametrize(
    ("got", "want", "text"),
    [
        (np.float32(np.nan), np.float32(np.nan), ""),
        (np.float32(0.0), np.float32(-0.0), "first 0.0 for -0.0 at []"),
        (np.float32(np.inf), np.float32(3e38), "first inf for"),
        (np.float32(1.00003), np.float32(1), ""),
        (np.float32(1.00005), np.float32(1), "first"),
        (np.float16(1.003), np.float16(1), ""),
        (np.float16(1.005), np.float16(1), "first"),
        (np.int32(3), np.int32(4), "first 3 for 4 at []"),
        (np.int32(3), np.int16(3), "int32[], not int16[]"),
        (np.zeros(2, bool), np.zeros(3, bool), "bool[2], not bool[3]"),
        ([np.int32(1)], [], "1 results, not 0"),
    ],
)
def test_differences(got, want, text):
    assert bool(difference(got, want)) == bool(text)
    assert text in difference(got, want)


def test_as_near_as_jax_to_a_result_of_more_bits():
    want, exact = np.float16([1.0, 2.0]), np.float32([1.01, 2.0])
    assert is_as_near(np.float16([1.0, 2.015]), want, lambda: exact)
    assert not is_as_near(np.float16([1.0, 2.03]), want, lambda: exact)
    assert not is_as_near(np.float16([1.0, np.nan]), want, lambda: exact)
    assert not is_as_near(np.float32([1.0, 2.0]), want, lambda: exact)
    assert not is_as_near(want, want, lambda: None)
    assert not is_as_near(np.int32([1]), np.int32([2]), lambda: np.int32([2]))


def test_only_what_jax_promises_is_compared():
    name = next(n for n in chosen(["sort"], ["int32"], 0) if "num_arrays_2_" in n)
    keys, rest = np.int32([1, 2, 2]), np.float32([5, 7, 6])
    ordered = specified(name, (keys, rest))
    np.testing.assert_array_equal(ordered[1], [5, 6, 7])
    operand = (np.float16([1, 6, 7, 6, 5]),)
    for indices, picked, different in (
        ([2, 1], [6, 7], True),
        ([3, 2], [6, 7], True),
        ([2, 4], [5, 7], True),
        ([2, 2], [7, 7], False),
    ):
        results = np.float16([7, 6]), np.int32(indices)
        best = specified(first("approx_top_k"), results, operand)
        assert [list(column) for column in best[:2]] == [[6, 7], picked]
        assert best[2] == different
    values, whole, squares = specified(
        first("eigh"), (-np.eye(2, dtype=np.float32), np.float32([2, 3]))
    )
    assert list(values) == [2, 3]
    np.testing.assert_array_equal(whole, [[2, 0], [0, 3]])
    np.testing.assert_array_equal(squares, np.eye(2))
    factor = specified(first("cholesky"), np.ones((2, 2)))
    np.testing.assert_array_equal(factor, [[1, 0], [1, 1]])
