"""Utility functions and version information."""

import importlib.metadata

import pyflame as pf


def test_is_lazy(documented) -> None:
    documented(pf.is_lazy, tensor=...)
    x = pf.randn([12])
    assert pf.is_lazy(x) is True
    pf.eval(x)
    assert pf.is_lazy(x) is False


def test_eval() -> None:
    a = pf.randn([12])
    b = pf.randn([12])
    c = a + b
    assert pf.eval(c) is c
    assert c.is_evaluated()
    assert a.is_evaluated()  # it has a name, and lies on the way
    result = pf.eval(a, b, c)
    assert isinstance(result, tuple)
    assert [x is y for x, y in zip(result, (a, b, c), strict=True)] == [True] * 3
    assert not any(map(pf.is_lazy, (a, b, c)))


def test_version_information() -> None:
    assert pf.__version__ == "1.0.0-alpha"
    assert pf.__version_info__ == (1, 0, 0, "alpha")
    assert pf.__release_status__ == "Pre-Release Alpha"
    assert importlib.metadata.version("pyflame-wse").startswith("1.0.0a")
