"""DSD operations: operand forms per builtin, machine reference 8.1."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from pyflame.wse.language import code, types
from pyflame.wse.language.bits import width_bits
from pyflame.wse.language.builtins_ids import is_dsr, is_fifo
from pyflame.wse.language.coercions import coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dsd_configs import operation_config
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.modules import function_type
from pyflame.wse.language.operands import is_comptime_number, need_known
from pyflame.wse.language.operation_registers import check_registers
from pyflame.wse.language.run_time import plain_instance
from pyflame.wse.language.state import FunctionRef
from pyflame.wse.language.types import Type
from pyflame.wse.language.values import DsdValue, PointerValue

# operand kinds of a form, destination first: d descriptor, s scalar, p pointer
_FORMS = {
    "D2": "ddd",
    "DS": "dsd",
    "DT": "dds",
    "P2": "psd",
    "D1": "dd",
    "D1s": "ds",
    "P1": "pd",
    "P1s": "ps",
    "M": "ddds",
    "F": "pss",
}


@dataclass(frozen=True, slots=True)
class Signature:
    """Element types (destination first) and legal forms of one operation.

    A type of 16 or 32 bits without sign takes any integer of that width; fp16 is
    the format that the program was compiled for.
    """

    elements: tuple[str, ...]
    forms: tuple[str, ...]


def _rows(names: str, elements: str, forms: str) -> dict[str, Signature]:
    signature = Signature(tuple(elements.split()), tuple(forms.split()))
    return {f"@{name}": signature for name in names.split()}


SIGNATURES: dict[str, Signature] = {
    **_rows("mov16", "16 16", "D1 P1 D1s"),
    **_rows("mov32", "32 32", "D1 P1 D1s"),
    **_rows("add16 addc16 and16 or16 xor16 sll16 slr16 sar16", "16 16 16", "D2 DS DT"),
    **_rows("sub16", "16 16 16", "D2 DT"),
    **_rows("clz ctz popcnt", "16 16", "D1 D1s"),
    **_rows("fmovh", "fp16 fp16", "D1 P1 D1s"),
    **_rows("fmovs", "f32 f32", "D1 P1 D1s"),
    **_rows("faddh fsubh fmulh fmaxh", "fp16 fp16 fp16", "D2 DS DT P2"),
    **_rows("fadds fsubs fmuls fmaxs", "f32 f32 f32", "D2 DS DT P2"),
    **_rows("faddhs", "f32 fp16 fp16", "D2 DS DT"),
    **_rows("fmach", "fp16 fp16 fp16 fp16", "M"),
    **_rows("fmacs", "f32 f32 f32 f32", "M"),
    **_rows("fmachs", "f32 f32 fp16 fp16", "M"),
    **_rows("fnegh fabsh", "fp16 fp16", "D1 D1s"),
    **_rows("fnegs fabss", "f32 f32", "D1 D1s"),
    **_rows("fh2s", "f32 fp16", "D1 D1s"),
    **_rows("fs2h", "fp16 f32", "D1 D1s"),
    **_rows("fh2xp16", "16 fp16", "D1 D1s P1s"),
    **_rows("fs2xp16", "16 f32", "D1 D1s P1s"),
    **_rows("xp162fh", "fp16 16", "D1 D1s"),
    **_rows("xp162fs", "f32 16", "D1 D1s"),
    **_rows("fnormh", "fp16 fp16", "P1s"),
    **_rows("fnorms", "f32 f32", "P1s"),
    **_rows("fscaleh", "fp16 fp16 16", "F"),
    **_rows("fscales", "f32 f32 16", "F"),
}
# an accumulation of fp16 values into f32
_WIDE_SUM = Signature(("f32", "f32", "fp16"), ("P2",))

_DESCRIPTORS = ("mem1d_dsd", "mem4d_dsd", "fabin_dsd", "fabout_dsd", "fifo_dsd")


def dsd_operation(call: Invocation) -> code.Expression:
    operands = [call.operand(i) for i in range(call.count)]
    config: dict[str, code.Expression] = {}
    if operands and _is_config(operands[-1]):
        config = call.fields(call.count - 1, "the settings of an operation")
        operands.pop()
    _check_fabric(call, operands)
    fitted = _fit(call, operands)
    if call.name == "@faddhs" and _shape(operands) == "dsd":
        fitted[1:] = fitted[:0:-1]  # the machine reads the f32 operand first
    flat = operation_config(call, config)()
    _check_async(call, operands, flat)
    _check_on_control(call, operands[1:], flat)
    _warn_of_constant(call, operands[0])
    return call.emit(types.BOOL, fitted, flat)


def _warn_of_constant(call: Invocation, destination: code.Expression) -> None:
    value = destination.value if isinstance(destination, code.Constant) else None
    address = value.fields.get("base_address") if isinstance(value, DsdValue) else None
    if isinstance(address, PointerValue) and not address.variable.mutable:
        call.program.warn(
            f"'{call.name}' writes to the constant '{address.variable.name}'; what is "
            "computed from its value at comptime does not change",
            destination.span,
        )


def _is_config(operand: code.Expression) -> bool:
    return isinstance(operand.type, types.Struct) and operand.type.identity is None


def _kind(operand: code.Expression) -> str:
    name = str(operand.type)
    if name in _DESCRIPTORS or name in types.DSR_KINDS:
        return "d"
    return "p" if isinstance(operand.type, types.Pointer) else "s"


def _shape(operands: list[code.Expression]) -> str:
    return "".join(_kind(operand) for operand in operands)


def _fit(call: Invocation, operands: list[code.Expression]) -> list[code.Expression]:
    """The operands coerced to the form that they match.

    Raises:
        CslError: they match none; the legal forms are listed.
    """
    _check_directly_usable(call, operands)
    shape = _shape(operands)
    signature = SIGNATURES[call.name]
    if call.name == "@faddhs" and shape == "psd":
        signature = _WIDE_SUM
    if shape not in [_FORMS[f] for f in signature.forms]:
        given = ", ".join(str(o.type) for o in operands)
        fail(
            f"'{call.name}' has no form ({given})",
            call.span,
            note=f"its forms are: {shown_forms(call.name)}",
            help=_form_help(operands),
        )
    return [
        _fit_operand(call, operand, kind, element)
        for operand, kind, element in zip(
            operands, shape, signature.elements, strict=True
        )
    ]


def _check_directly_usable(call: Invocation, operands: list[code.Expression]) -> None:
    """Raises CslError for what operations use through a DSR only."""
    for operand in operands:
        kind = str(operand.type)
        if kind == "circbuf_dsd":
            fail(
                f"'{call.name}' takes a circular buffer in a DSR only",
                operand.span,
                help="load it by @load_to_dsr_xdsr(dsr, xdsr, circbuf); give the DSR",
            )
        if kind in ("xdsr", "sr"):
            fail(
                f"'{call.name}' does not take type '{kind}'",
                operand.span,
                help="give the DSR that was loaded together with it",
            )


def _form_help(operands: list[code.Expression]) -> str:
    pointees = [getattr(o.type, "pointee", o.type) for o in operands]
    if any(isinstance(t, types.Array) for t in pointees):
        return "describe an array with a DSD: @get_dsd(mem1d_dsd, ...)"
    return ""


def shown_forms(name: str) -> str:
    """The forms of an operation as its error messages and the docs list them."""
    signature = SIGNATURES[name]
    shown: list[str] = []
    for form in signature.forms:
        pairs = zip(_FORMS[form], signature.elements, strict=True)
        shown.append(f"({', '.join(_shown_operand(k, e) for k, e in pairs)})")
    return " ".join(shown)


def _shown_operand(kind: str, element: str) -> str:
    if kind == "d":
        return "dsd"
    spelled = {"16": "i16/u16", "32": "i32/u32"}.get(element, element)
    return spelled if kind == "s" else f"*{spelled}"


def _fit_operand(
    call: Invocation, operand: code.Expression, kind: str, element: str
) -> code.Expression:
    wanted = _element_types(call, element)
    if kind == "d":
        if is_fifo(operand):
            _check_fifo_width(call, operand, wanted[0])
        return operand
    found = operand.type
    if kind == "p":
        assert isinstance(found, types.Pointer)
        if found.const:
            fail("the destination is a pointer to const", operand.span)
        found = found.pointee
        if found in wanted and not operand.type.many:  # pyright: ignore
            return operand
    elif found in wanted:
        return operand
    elif is_comptime_number(found):
        return _fit_comptime(operand, wanted)
    shown = " or ".join(f"'{'*' if kind == 'p' else ''}{t}'" for t in wanted)
    message = f"expected type {shown}, got: '{operand.type}'"
    fail(message, operand.span, help=_form_help([operand]))


def _check_fifo_width(call: Invocation, fifo: code.Constant, wanted: Type) -> None:
    """The elements of other descriptors are as wide as the operation wants them."""
    element, bits = fifo.value.element, width_bits(wanted)
    if width_bits(element) != bits:
        fail(
            f"'{call.name}' moves elements of {bits} bits, but those of the FIFO are "
            f"'{element}'",
            fifo.span,
        )


def _fit_comptime(
    operand: code.Expression, wanted: tuple[Type, ...]
) -> code.Expression:
    """A comptime number takes the first type that holds it."""
    if isinstance(operand, code.Constant) and operand.type == types.COMPTIME_INT:
        for type_ in wanted:
            if isinstance(type_, types.Int):
                if type_.minimum <= operand.value <= type_.maximum:
                    return coerce(operand, type_)
    return coerce(operand, wanted[0])


def _element_types(call: Invocation, element: str) -> tuple[Type, ...]:
    if element == "16":
        return (types.U16, types.I16)
    if element == "32":
        return (types.U32, types.I32)
    if element == "fp16":
        return (types.Float(call.program.options.fp16_format),)
    return (types.F32,)


# --- rules about operands ---------------------------------------------------------


def _check_fabric(call: Invocation, operands: list[code.Expression]) -> None:
    dest, sources = operands[:1], operands[1:]
    for operand in dest:
        if str(operand.type) == "fabin_dsd":
            fail("a fabin_dsd cannot be a destination", operand.span)
        if str(operand.type) in ("dsr_src1", "dsr_fifo_src1"):
            fail(f"a {operand.type} cannot be a destination", operand.span)
    for operand in sources:
        if str(operand.type) == "fabout_dsd":
            fail("a fabout_dsd cannot be a source", operand.span)
        if str(operand.type) in ("dsr_dest", "dsr_fifo_dest"):
            fail(f"a {operand.type} cannot be a source", operand.span)
    inputs = [o for o in sources if str(o.type) == "fabin_dsd"]
    if len(inputs) > 1 and call.program.options.arch == "wse3":
        fail("wse3 reads at most one fabin_dsd per operation", inputs[1].span)
    _check_fifos(dest, sources)
    check_registers(call, operands)


def _check_fifos(dest: list[code.Expression], sources: list[code.Expression]) -> None:
    fifos = [o for o in sources if is_fifo(o)]
    if len(fifos) > 1:
        fail("an operation reads at most one FIFO", fifos[1].span)
    filled = [o for o in dest if is_fifo(o)]
    for target, source in product(filled, fifos):
        if target.value is source.value:
            fail(
                "a FIFO cannot be destination and source of one operation",
                source.span,
                help="fill it with one operation and drain it with another",
            )
    descriptors = [o for o in sources if _kind(o) == "d"]
    if fifos and len(descriptors) > 1 and is_fifo(descriptors[0]):
        fail(
            "a FIFO cannot be the first of two sources",
            fifos[0].span,
            help="swap the sources if the operation allows it",
        )


def _check_async(
    call: Invocation,
    operands: list[code.Expression],
    config: dict[str, code.Expression],
) -> None:
    asynchronous = config.get("async")
    if not isinstance(asynchronous, code.Constant) or not asynchronous.value:
        return
    fabric = ("fabin_dsd", "fabout_dsd")
    if any(str(o.type) in fabric or is_dsr(o) for o in operands):
        return
    if "ut_id" in config and any(is_fifo(o) for o in operands):
        return
    if any(_kind(o) == "d" and not isinstance(o, code.Constant) for o in operands):
        if any(str(o.type) in types.DSR_KINDS for o in operands):
            return
    fail(
        f"an asynchronous '{call.name}' needs a fabric operand",
        call.span,
        note="only fabin_dsd and fabout_dsd operands run on a microthread",
        help="drop .async: memory operations finish at once",
    )


def _check_on_control(
    call: Invocation,
    sources: list[code.Expression],
    config: dict[str, code.Expression],
) -> None:
    """Only a source on the fabric brings control wavelets."""
    asked = [name for name in config if name.startswith("on_control")]
    if not asked or any(str(o.type) == "fabin_dsd" or is_dsr(o) for o in sources):
        return
    if not any(str(o.type) in types.DSR_KINDS for o in sources):
        fail(
            f"'on_control' of '{call.name}' waits for a control wavelet, but no source "
            "is a fabin_dsd",
            config[asked[0]].span,
        )


def dfilt(call: Invocation) -> code.Expression:
    source = call.operand(0)
    if str(source.type) not in ("fabin_dsd", "dsr_src1"):
        fail(
            f"'@dfilt' takes a fabin_dsd or dsr_src1, got: '{source.type}'", source.span
        )
    config = call.fields(1, "the settings of '@dfilt'")
    for name in ("on_control", "index"):
        if name in config:
            fail(f"'@dfilt' has no setting '{name}'", config[name].span)
    flat = operation_config(call, config)()
    asynchronous = flat.get("async")
    if not isinstance(asynchronous, code.Constant) or not asynchronous.value:
        fail("'@dfilt' needs the setting '.async = true'", call.span)
    return call.emit(types.BOOL, [source], flat)


# --- @map -------------------------------------------------------------------------


def map_(call: Invocation) -> code.Expression:
    callee = need_known(call.operand(0), "the function of '@map'")
    if not isinstance(callee.value, FunctionRef) or callee.value.declaration.task:
        fail(f"'@map' takes a function, got: '{callee.type}'", callee.span)
    reference = callee.value
    function = plain_instance(call.program, reference, callee.span)
    type_ = function_type(reference)
    _check_map_types(reference, type_)
    operands = [call.operand(i) for i in range(1, call.count)]
    wanted = len(type_.params) + (type_.result != types.VOID)
    if len(operands) != wanted:
        fail(
            f"'@map' of '{type_}' takes {wanted} operands, got {len(operands)}",
            call.span,
            note="one per parameter, and an output if the function has a result",
        )
    inputs = operands[: len(type_.params)]
    _check_map_operands(call, operands, inputs)
    fitted = [
        o if _kind(o) == "d" else coerce(o, t)
        for o, t in zip(inputs, type_.params, strict=True)
    ]
    outputs = operands[len(inputs) :]
    for output in outputs:
        _check_map_output(output, type_.result)
    first = code.FunctionPointer(callee.type, callee.span, function)
    return call.emit(types.VOID, [first, *fitted, *outputs])


def _check_map_types(reference: FunctionRef, type_: types.Function) -> None:
    """Elements of DSDs have 16 or 32 bits."""
    found = [*type_.params, *([type_.result] if type_.result != types.VOID else [])]
    for element in found:
        if width_bits(element) not in (16, 32):
            fail(
                f"'@map' cannot pass values of type '{element}'",
                reference.declaration.span,
                note="DSD operations work on elements of 16 and 32 bits",
            )


def _check_map_operands(
    call: Invocation, operands: list[code.Expression], inputs: list[code.Expression]
) -> None:
    if not any(_kind(o) == "d" for o in operands):
        fail("'@map' needs at least one DSD or DSR operand", call.span)
    for operand in operands:
        if is_fifo(operand):
            fail("a FIFO cannot be an operand of '@map'", operand.span)
    for operand in inputs:
        if str(operand.type) == "fabout_dsd":
            fail("a fabout_dsd cannot be an input of '@map'", operand.span)
        if str(operand.type) in types.DSR_KINDS and str(operand.type) != "dsr_src1":
            fail(
                f"an input of '@map' is a dsr_src1, got a {operand.type}", operand.span
            )


def _check_map_output(output: code.Expression, result: Type) -> None:
    if str(output.type) == "fabin_dsd":
        fail("a fabin_dsd cannot be the output of '@map'", output.span)
    if str(output.type) in types.DSR_KINDS and str(output.type) != "dsr_dest":
        fail(f"the output of '@map' is a dsr_dest, got a {output.type}", output.span)
    if _kind(output) == "d":
        return
    if not isinstance(output.type, types.Pointer) or output.type.pointee != result:
        fail(f"expected type '*{result}', got: '{output.type}'", output.span)
