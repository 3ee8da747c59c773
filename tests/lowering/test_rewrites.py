"""Every case beside every rewrite: its value in core primitives is JAX's."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import jax
import numpy as np
import pytest

from lowering import jaxprs
from lowering.normalise import all_rewrites, random_keys
from lowering.normalise.core_set import CORE, NESTING, OF_KEYS
from lowering.normalise.normalise import normalise
from lowering.normalise.registry import REWRITES

SIZES = {"n": 7, "m": 5, "k": 4}
MODULES = [m for m in vars(all_rewrites).values() if isinstance(m, ModuleType)]
FILES = [module for module in (random_keys, *MODULES) if hasattr(module, "CASES")]
# Names of other versions of JAX, and what needs a mesh of devices.
WITHOUT_CASE = {"copy_p", "reshard"}


def names_in(closed: Any) -> Iterator[str]:
    for eqn in closed.jaxpr.eqns:
        yield eqn.primitive.name
        for nested in jaxprs.sub_jaxprs(eqn):
            yield from names_in(nested)
        called = jaxprs.called_jaxpr(eqn)
        if called is not None:
            yield from names_in(called)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.__name__.split(".")[-1])
def test_cases_equal_jax_in_core_primitives(file: ModuleType) -> None:
    random = np.random.default_rng(0)
    operands = [case.arrays(SIZES, random) for case in file.CASES]

    def program(*groups: Any) -> list[Any]:
        return [
            case.function(*group)
            for case, group in zip(file.CASES, groups, strict=True)
        ]

    normal = normalise(jax.make_jaxpr(program)(*operands))
    assert {eqn.primitive.name for eqn in normal.jaxpr.eqns} <= CORE | NESTING
    got = jax.jit(jaxprs.jaxpr_as_fun(normal))(*jax.tree.leaves(operands))
    expected = jax.tree.leaves(jax.jit(program)(*operands))
    for number, (mine, wanted) in enumerate(zip(got, expected, strict=True)):
        assert mine.dtype == wanted.dtype
        np.testing.assert_allclose(mine, wanted, 2e-5, 2e-5, err_msg=f"{number}")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.__name__.split(".")[-1])
def test_every_rewritten_primitive_has_a_case_beside_it(file: ModuleType) -> None:
    random = np.random.default_rng(0)
    found: set[str] = set()
    for case in file.CASES:
        found |= set(
            names_in(jax.make_jaxpr(case.function)(*case.arrays(SIZES, random)))
        )
    here = {name for name, rule in REWRITES.items() if rule.__module__ == file.__name__}
    here |= OF_KEYS if file is random_keys else set()
    assert here - found <= WITHOUT_CASE


def test_every_module_with_rewrites_has_cases() -> None:
    registering = {rule.__module__ for rule in REWRITES.values()}
    assert registering <= {file.__name__ for file in FILES}
