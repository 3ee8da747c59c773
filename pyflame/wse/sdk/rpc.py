"""The tables a compiled program shows to the host: out_rpc.json and out.json."""

from __future__ import annotations

from typing import Any

from pyflame.wse.language.code import Function, GlobalVariable
from pyflame.wse.language.image import ExportedName, Image
from pyflame.wse.language.types import Function as FunctionType


def rpc_table(image: Image) -> dict[str, Any]:
    """Contents of out_rpc.json: one entry per exported name, its place is its id."""
    symbols = [_entry(image, number, e) for number, e in enumerate(image.exports)]
    return {"rpc_symbols": symbols}


def parameter_table(image: Image) -> dict[str, Any]:
    """Contents of out.json: parameters and colors by name."""
    colors = image.options.colors
    resolved = {n: v for n, v in image.resolved_params.items() if n not in colors}
    return {"params": {**resolved, **image.options.params}, "colors": dict(colors)}


def _entry(image: Image, number: int, exported: ExportedName) -> dict[str, Any]:
    definition = _definition(image, exported.name)
    entry: dict[str, Any] = {
        "id": number,
        "kind": "Var",
        "name": exported.name,
        "sym_name": definition.symbol if definition else exported.name,
        "type": str(exported.type),
    }
    if not isinstance(exported.type, FunctionType):
        return {**entry, "immutable": 0 if exported.mutable else 1}
    entry |= {"kind": "Func", "type": str(exported.type.result)}
    inputs = _inputs(exported.type, definition)
    return {**entry, "inputs": inputs} if inputs else entry


def _definition(image: Image, name: str) -> Function | GlobalVariable | None:
    """What the first PE program that exports the name means by it."""
    for program in image.programs:
        if name in program.exports:
            return program.exports[name]
    return None


def _inputs(
    signature: FunctionType, definition: Function | GlobalVariable | None
) -> list[dict[str, str]]:
    types = [str(param) for param in signature.params]
    if isinstance(definition, Function):
        names = [param.name for param in definition.params]
    else:
        names = [f"arg{number}" for number in range(len(types))]
    return [{"name": n, "type": t} for n, t in zip(names, types, strict=True)]
