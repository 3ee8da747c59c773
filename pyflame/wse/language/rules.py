"""All rules of evaluation: importing this module registers them."""

from __future__ import annotations

from pyflame.wse.language import (
    builtins,
    calls,
    elaborate_loops,
    elaborate_statements,
    evaluate_control,
    evaluate_names,
    evaluate_types,
    places,
    tensor_access,
)

MODULES = (
    builtins,
    calls,
    elaborate_loops,
    elaborate_statements,
    evaluate_control,
    evaluate_names,
    evaluate_types,
    places,
    tensor_access,
)
