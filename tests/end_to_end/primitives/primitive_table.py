"""The table of docs/primitives.md: a row per primitive."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from primitive_programs import DTYPES
from primitive_support import (
    Support,
    cases_by_primitive,
    first_sentence,
    kind,
    listed,
    rule_of,
    support,
)

PAGE = Path(__file__).parents[3] / "docs" / "primitives.md"
_TABLE = re.compile(
    r"(<!-- primitives -->\n).*?(<!-- end of primitives -->)", flags=re.DOTALL
)
_SHOWN_CASES = 3
_NAMES = {
    "all": tuple(DTYPES),
    "numbers": tuple(d for d in DTYPES if d != "bool"),
    "floats": ("f32", "f16", "bf16"),
    "integers": ("i32", "i16", "i8", "u32", "u16", "u8"),
}


def with_table(text: str) -> str:
    """The page with its table made anew."""
    assert _TABLE.search(text), f"{PAGE} has no place for the table"
    made = table()
    return _TABLE.sub(lambda match: match[1] + made + match[2], text)


def table() -> str:
    """Markdown: what there is for every primitive, and what is refused."""
    header = ("primitive", "dtypes", "refused", "how", "steps", "cases")
    body = [_row(support(name)) for name in listed()]
    lines = [header, ["---"] * len(header), *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(found: Support) -> Sequence[str]:
    name = found.primitive
    sentence = first_sentence(rule_of(name)).replace("|", "\\|")
    how = ": ".join(filter(None, (kind(name), sentence)))
    steps = ", ".join(step.removesuffix("Step") for step in found.steps)
    cases = _cases(cases_by_primitive().get(name, []))
    dtypes, refused = dtypes_text(found.dtypes), dtypes_text(found.refused)
    return f"`{name}`", dtypes, refused, how, steps, cases


def _cases(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN_CASES])
    more = len(names) - _SHOWN_CASES
    return f"{shown} and {more} more" if more > 0 else shown


def dtypes_text(dtypes: Iterable[str]) -> str:
    """Short names of dtypes, those of a kind together where all of it is there."""
    left = tuple(dtypes)
    for name, members in _NAMES.items():
        if set(left) == set(members):
            return name
    return ", ".join(left)


def dtypes_of(text: str) -> list[str]:
    """The dtypes that `dtypes_text` writes so."""
    return list(_NAMES.get(text, [name for name in text.split(", ") if name]))
