"""The package: version, lazy names, and what may be loaded when."""

import importlib
import subprocess
import sys

import pytest

import pyflame as pf


def test_version() -> None:
    assert pf.__version__ == "1.0.0-alpha"
    assert pf.__version_info__ == (1, 0, 0, "alpha")
    assert pf.__release_status__ == "Pre-Release Alpha"


def test_every_name_is_there() -> None:
    for name in pf.__all__:
        assert getattr(pf, name) is not None
    assert set(pf.__all__) <= set(dir(pf))


def test_unknown_names() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        pf.nothing  # noqa: B018


def test_names_are_not_hidden_by_modules() -> None:
    for name in pf.__all__:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(f"pyflame.{name}")


def test_the_compilers_errors_are_reexported() -> None:
    assert issubclass(pf.UnsupportedPrimitiveError, NotImplementedError)


def test_the_simulator_starts_without_jax() -> None:
    code = "import pyflame.wse, pyflame.cli, sys; print('jax' in sys.modules)"
    run = [sys.executable, "-c", code]
    assert subprocess.check_output(run, text=True).strip() == "False"
