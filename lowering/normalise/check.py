"""What a program may be made of; everything it may not is reported at once."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lowering import jaxprs
from lowering.dtypes import DTYPES
from lowering.errors import (
    LayoutError,
    LoweringError,
    Place,
    UnsupportedDtypeError,
    UnsupportedPrimitiveError,
    raise_all,
)
from lowering.normalise import all_rewrites
from lowering.normalise.complex_pairs import COMPLEX_RULES, is_complex, takes_complex
from lowering.normalise.core_set import CONTROL_FLOW, CORE, MAPPED, OF_KEYS
from lowering.normalise.empty import touches_empty
from lowering.normalise.registry import REWRITES

# Importing it registers every rewrite.
REGISTERED = all_rewrites

_SHOWN = {"mesh_map": "shard_map"}  # what the user calls it
_HELP = "write it with supported primitives, or compute it with JAX on the host"
_DTYPE_HELP = "convert with x.astype(jnp.float32) or x.astype(jnp.int32)"


def supported_primitives() -> list[str]:
    """Names of all primitives that a program may contain, sorted."""
    return sorted(CORE | CONTROL_FLOW | OF_KEYS | {*REWRITES, *COMPLEX_RULES})


def _is_known(name: str) -> bool:
    return name in CORE | CONTROL_FLOW | MAPPED or name in REWRITES


@dataclass(frozen=True, slots=True)
class _Found:
    """An equation, and the user's line that it or its caller stands in."""

    eqn: jaxprs.JaxprEqn
    place: Place | None


def check_supported(closed: jaxprs.ClosedJaxpr) -> None:
    """Raises: UnsupportedPrimitiveError, UnsupportedDtypeError, LayoutError (values
    without elements) or SeveralErrors, naming all that has no rule in the program."""
    equations = list(_leaf_equations(closed, None))
    errors: list[LoweringError] = []
    unknown = [found for found in equations if _reason(found.eqn)]
    if unknown:
        errors.append(_primitive_error(unknown))
    known = [found for found in equations if not _reason(found.eqn)]
    errors += _dtype_errors(closed, known)
    errors += _empty_errors(known)
    if errors:
        raise_all(errors)


def can_inline(closed: jaxprs.ClosedJaxpr) -> bool:
    """Whether every equation can be staged again as it is.

    One that carries a jaxpr of its own, and is neither a call nor control flow, may
    need its surroundings (a device mesh, say).
    """
    return not any(
        jaxprs.sub_jaxprs(found.eqn) and not _is_known(found.eqn.primitive.name)
        for found in _leaf_equations(closed, None)
    )


def _leaf_equations(
    closed: jaxprs.ClosedJaxpr, caller: Place | None
) -> Iterator[_Found]:
    """All equations but calls, those of called and nested jaxprs included."""
    for eqn in closed.jaxpr.eqns:
        place = jaxprs.place_of(eqn) or caller
        called = jaxprs.called_jaxpr(eqn)
        if called is not None:
            yield from _leaf_equations(called, place)
            continue
        yield _Found(eqn, place)
        for nested in jaxprs.sub_jaxprs(eqn):
            yield from _leaf_equations(nested, place)


def _reason(eqn: jaxprs.JaxprEqn) -> str:
    """Why the equation has no rule, as a label for the report; empty if it has one."""
    name = eqn.primitive.name
    if not takes_complex(eqn):
        return "" if _is_known(name) else name
    if name in COMPLEX_RULES.keys() | CONTROL_FLOW:
        return ""
    return f"{_SHOWN.get(name, name)} of complex numbers"


def _primitive_error(found: list[_Found]) -> UnsupportedPrimitiveError:
    reasons = sorted({_reason(each.eqn) for each in found})
    has = "1 primitive has" if len(reasons) == 1 else f"{len(reasons)} primitives have"
    return UnsupportedPrimitiveError(
        f"{has} no rule: {', '.join(reasons)}",
        notes=_distinct(map(_note, found)),
        rule=f"supported are {', '.join(supported_primitives())}",
        help=_HELP,
    )


def _dtype_errors(
    closed: jaxprs.ClosedJaxpr, found: list[_Found]
) -> list[LoweringError]:
    inputs = [
        (number, var)
        for number, var in enumerate(closed.jaxpr.invars)
        if not _has_known_dtype(var)
    ]
    equations = [
        each for each in found if not all(map(_is_known_inside, each.eqn.outvars))
    ]
    if not inputs and not equations:
        return []
    variables = [var for _, var in inputs]
    variables += [var for each in equations for var in each.eqn.outvars]
    unknown = {str(jaxprs.dtype_of(v)) for v in variables if not _has_known_dtype(v)}
    notes = [(f"input {number}", jaxprs.type_of(var)) for number, var in inputs]
    return [
        UnsupportedDtypeError(
            f"the wafer has no arithmetic for {', '.join(sorted(unknown))}",
            notes=_distinct([*notes, *map(_note, equations)]),
            rule=f"supported are {', '.join(sorted(DTYPES))}",
            help=_DTYPE_HELP,
        )
    ]


def _empty_errors(found: list[_Found]) -> list[LoweringError]:
    """What is left of values without elements where most have fallen away."""
    left = [each for each in found if each.eqn.primitive.name not in REWRITES]
    notes = [_note(each) for each in left if touches_empty(each.eqn)]
    if not notes:
        return []
    return [
        LayoutError(
            "the program keeps values without elements",
            notes=_distinct(notes),
            rule="every value on the wafer has at least one element",
            help="leave such values out, or compute them with JAX on the host",
        )
    ]


def _note(found: _Found) -> tuple[str, str]:
    operands = ", ".join(jaxprs.type_of(atom) for atom in found.eqn.invars)
    results = ", ".join(jaxprs.type_of(var) for var in found.eqn.outvars)
    where = f"  at {found.place}" if found.place else ""
    name = found.eqn.primitive.name
    return _SHOWN.get(name, name), f"({operands}) -> {results}{where}"


def _distinct(notes: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(notes))


def _has_known_dtype(var: Any) -> bool:
    return str(jaxprs.dtype_of(var)) in DTYPES


def _is_known_inside(var: Any) -> bool:
    """Whether a program may have it between its ends: as a pair, if it is complex."""
    return _has_known_dtype(var) or is_complex(var)
