import pytest

from lowering.errors import (
    DoesNotFitError,
    LayoutError,
    LoweringError,
    Place,
    SeveralErrors,
    UnsupportedPrimitiveError,
    raise_all,
)


def test_all_five_things():
    error = DoesNotFitError(
        "61,440 bytes per PE do not fit the 49,152 of a WSE-3 PE (grid 4x4)",
        notes=[("largest", "w1 f32[784,256] tile 196x64: 50,176 bytes")],
        place=Place("/home/me/model.py", 14, "h = x @ self.w"),
        rule="a PE has 48 KiB",
        help="grid(5, 5) is the smallest mesh that fits",
    )
    assert str(error) == (
        "61,440 bytes per PE do not fit the 49,152 of a WSE-3 PE (grid 4x4)\n"
        "  largest   w1 f32[784,256] tile 196x64: 50,176 bytes\n"
        "  at        model.py:14  h = x @ self.w\n"
        "  rule      a PE has 48 KiB\n"
        "  help      grid(5, 5) is the smallest mesh that fits"
    )


def test_a_place_without_text():
    assert str(Place("a/b.py", 3)) == "b.py:3"


def test_several_errors_are_listed():
    errors = [LayoutError("one"), UnsupportedPrimitiveError("two", help="three")]
    with pytest.raises(SeveralErrors) as caught:
        raise_all(errors)
    assert str(caught.value) == (
        "the program cannot be compiled: 2 errors\none\ntwo\n  help      three"
    )


def test_one_error_is_itself():
    with pytest.raises(LayoutError, match=r"^one$"):
        raise_all([LayoutError("one")])


def test_the_tree():
    assert issubclass(UnsupportedPrimitiveError, NotImplementedError)
    assert issubclass(LayoutError, ValueError)
    assert issubclass(SeveralErrors, LoweringError)
