import pytest

from pyflame.wse.errors import MachineFault
from pyflame.wse.machine import natives


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(natives, "_registry", {})


def _sqrt(pe, x):
    return x


def test_a_registered_native_is_found_with_its_cost(registry):
    assert natives.register("sqrt_f32", cost="sqrt_f32_cycles")(_sqrt) is _sqrt
    native = natives.lookup("sqrt_f32")
    assert native == natives.Native("sqrt_f32", _sqrt, "sqrt_f32_cycles")
    assert natives.names() == ["sqrt_f32"]


def test_one_name_cannot_have_two_functions(registry):
    natives.register("sqrt_f32")(_sqrt)
    natives.register("sqrt_f32")(_sqrt)
    with pytest.raises(ValueError, match=r"^native 'sqrt_f32' is registered twice$"):
        natives.register("sqrt_f32")(lambda pe, x: x)


def test_an_unknown_name_is_a_fault_that_names_close_ones(registry):
    natives.register("sqrt_f32")(_sqrt)
    with pytest.raises(MachineFault) as fault:
        natives.lookup("sqrt_f16")
    text = "no native is called 'sqrt_f16'; did you mean 'sqrt_f32'?"
    assert str(fault.value) == text
    with pytest.raises(MachineFault) as fault:
        natives.lookup("zzz")
    assert str(fault.value) == "no native is called 'zzz'"
