"""The table of builtins: name, argument count, contexts, handler.

Contexts are the codes of the language reference: L layout evaluation, T top-level
comptime of PE code, K any comptime evaluation, R run time. A row without a handler
is known and refused, with the reason.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from pyflame.wse.language import builtins_arrays as arrays
from pyflame.wse.language import builtins_dsd as dsd
from pyflame.wse.language import builtins_dsr as dsr
from pyflame.wse.language import builtins_fifos as fifos
from pyflame.wse.language import builtins_ids as ids
from pyflame.wse.language import builtins_layout as layout
from pyflame.wse.language import builtins_machine as machine
from pyflame.wse.language import builtins_operations as operations
from pyflame.wse.language import builtins_private as private
from pyflame.wse.language import builtins_rotation as rotation
from pyflame.wse.language import builtins_symbols as symbols
from pyflame.wse.language import builtins_tasks as tasks
from pyflame.wse.language import builtins_types as general
from pyflame.wse.language import code, tree
from pyflame.wse.language.diagnostics import fail, wrong_count
from pyflame.wse.language.dispatch import evaluates
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.state import Frame
from pyflame.wse.language.types import Type

Handler = Callable[[Invocation], code.Expression]

ANY = 1 << 16
_CONTEXT_NAMES = {
    "L": "in the layout block",
    "T": "in top-level comptime code of a PE program",
    "K": "at comptime",
    "R": "at run time",
}


@dataclass(frozen=True, slots=True)
class Builtin:
    """One builtin.

    Args:
        low, high: fewest and most arguments.
        contexts: where it may be evaluated.
        reason: why it is refused, for rows without a handler.
        library_only: private to the shipped library.
        lowered: machines need no code for it.
    """

    name: str
    low: int
    high: int
    contexts: str
    handler: Handler | None = None
    reason: str = ""
    library_only: bool = False
    lowered: bool = False

    @property
    def supported(self) -> bool:
        return self.handler is not None


def _row(name: str, low: int, high: int, contexts: str, handler: Handler) -> Builtin:
    return Builtin(f"@{name}", low, high, contexts, handler)


def _lowered(name: str, low: int, high: int, handler: Handler) -> Builtin:
    """A run-time builtin that the front end expresses in other code."""
    return Builtin(f"@{name}", low, high, "R", handler, lowered=True)


def _refused(name: str, contexts: str, reason: str) -> Builtin:
    return Builtin(f"@{name}", 0, ANY, contexts, None, reason)


_ROWS = (
    # types, values, comptime
    _row("as", 2, 2, "KR", general.as_),
    _row("bitcast", 2, 2, "KR", general.bitcast),
    _lowered("ptrcast", 2, 2, general.ptrcast),
    _row("type_of", 1, 1, "KR", general.type_of),
    _row("is_same_type", 2, 2, "KR", general.is_same_type),
    _row("is_comptime", 0, 0, "KR", general.is_comptime),
    _row("is_arch", 1, 1, "KR", general.is_arch),
    _row("fp16", 0, 0, "KR", general.fp16),
    _row("get_int", 1, 1, "KR", general.get_int),
    _row("field", 2, 2, "KR", general.field),
    _row("has_field", 2, 2, "KR", general.has_field),
    _row("concat_structs", 2, 2, "KR", general.concat_structs),
    _row("comptime_assert", 1, 2, "KR", general.comptime_assert),
    _row("comptime_print", 0, ANY, "KR", general.comptime_print),
    _row("assert", 1, 1, "KR", general.assert_),
    _row("import_module", 1, 2, "KR", general.import_module),
    _row("import_comptime_value", 2, 2, "K", general.import_comptime_value),
    # strings
    _row("strcat", 0, ANY, "KR", general.strcat),
    _row("strlen", 1, 1, "KR", general.strlen),
    _row("get_array", 1, 1, "KR", general.get_array),
    _row("get_string_from_byte", 1, 1, "KR", general.get_string_from_byte),
    # arrays and ranges
    _row("zeros", 1, 1, "KR", arrays.zeros),
    _row("constants", 2, 2, "KR", arrays.constants),
    _row("dimensions", 1, 1, "KR", arrays.dimensions),
    _row("element_count", 1, 1, "KR", arrays.element_count),
    _row("rank", 1, 1, "KR", arrays.rank),
    _row("element_type", 1, 1, "KR", arrays.element_type),
    _row("range", 2, 4, "KR", arrays.range_),
    _row("range_start", 1, 1, "KR", arrays.range_start),
    _row("range_stop", 1, 1, "KR", arrays.range_stop),
    _row("range_step", 1, 1, "KR", arrays.range_step),
    # identifiers
    _row("get_color", 1, 1, "KR", ids.get_color),
    _row("get_data_task_id", 1, 1, "KR", ids.get_data_task_id),
    _row("get_local_task_id", 1, 1, "KR", ids.get_local_task_id),
    _row("get_control_task_id", 1, 1, "KR", ids.get_control_task_id),
    _row("get_input_queue", 1, 1, "KR", ids.get_input_queue),
    _row("get_output_queue", 1, 1, "KR", ids.get_output_queue),
    _row("get_ut_id", 1, 1, "KR", ids.get_ut_id),
    _row("get_dsr", 2, 2, "K", ids.get_dsr),
    _row("get_xdsr", 1, 1, "K", ids.get_xdsr),
    _row("get_sr", 1, 1, "K", ids.get_sr),
    _row("get_filter_id", 1, 1, "KR", ids.get_filter_id),
    # tasks
    _row("bind_data_task", 2, 2, "T", tasks.bind_data_task),
    _row("bind_local_task", 2, 2, "T", tasks.bind_local_task),
    _row("bind_control_task", 2, 2, "T", tasks.bind_control_task),
    _row("activate", 1, 1, "TR", tasks.activate),
    _row("block", 1, 1, "TR", tasks.block),
    _row("unblock", 1, 1, "TR", tasks.unblock),
    _row("set_teardown_handler", 2, 2, "T", tasks.set_teardown_handler),
    _row("set_empty_queue_handler", 2, 2, "T", tasks.set_empty_queue_handler),
    _lowered("queue_flush", 1, 1, tasks.queue_flush),
    _row("set_control_task_table", 0, 1, "T", tasks.set_control_task_table),
    _row("bind_rotating_tasks", 4, 4, "T", rotation.bind_rotating_tasks),
    _row("rpc", 1, 1, "T", tasks.rpc),
    # fabric and layout
    _row("set_rectangle", 2, 2, "L", layout.set_rectangle),
    _row("get_rectangle", 0, 0, "KR", layout.get_rectangle),
    _row("set_tile_code", 2, 4, "L", layout.set_tile_code),
    _row("set_color_config", 4, 4, "L", layout.set_color_config),
    _row("set_local_color_config", 2, 2, "T", layout.set_local_color_config),
    _row("initialize_queue", 1, 2, "T", tasks.initialize_queue),
    _row("get_config", 1, 2, "TR", machine.get_config),
    _row("set_config", 2, 3, "TR", machine.set_config),
    _row("get_config_unchecked", 1, 1, "R", machine.get_config),
    _row("set_config_unchecked", 2, 2, "R", machine.set_config),
    # DSDs and DSRs
    _row("get_dsd", 2, 2, "KR", dsd.get_dsd),
    _row("set_dsd_base_addr", 2, 2, "KR", dsd.set_dsd_base_addr),
    _row("increment_dsd_offset", 3, 3, "KR", dsd.increment_dsd_offset),
    _row("set_dsd_length", 2, 2, "KR", dsd.set_dsd_length),
    _row("set_dsd_stride", 2, 2, "KR", dsd.set_dsd_stride),
    _row("allocate_fifo", 1, 2, "K", fifos.allocate_fifo),
    _row("set_fifo_read_length", 2, 2, "R", fifos.set_fifo_length),
    _row("set_fifo_write_length", 2, 2, "R", fifos.set_fifo_length),
    _row("load_to_dsr", 2, 3, "TR", dsr.load_to_dsr),
    _row("load_to_dsr_xdsr", 3, 4, "TR", dsr.load_to_dsr_xdsr),
    _row("load_to_dsr_xdsr_sr", 4, 5, "TR", dsr.load_to_dsr_xdsr_sr),
    _row("set_dsr_length", 2, 2, "R", dsr.set_dsr_length),
    _row("set_dsr_base_addr", 2, 2, "R", dsr.set_dsr_base_addr),
    _row("map", 2, ANY, "R", operations.map_),
    _row("dfilt", 2, 2, "R", operations.dfilt),
    *(
        Builtin(name, 2, 5, "R", operations.dsd_operation)
        for name in operations.SIGNATURES
    ),
    # host symbols
    _row("export_name", 2, 3, "L", layout.export_name),
    _row("export_symbol", 1, 2, "T", layout.export_symbol),
    _row("get_symbol_id", 1, 1, "KR", layout.get_symbol_id),
    _lowered("get_symbol_value", 2, 2, symbols.get_symbol_value),
    _lowered("get_tensor_ptr", 1, 1, symbols.get_tensor_ptr),
    _row("has_exported_tensors", 0, 0, "KR", layout.has_exported_tensors),
    _refused("__internal_rpc", "R", "it is undocumented"),
    # random numbers
    _row("random16", 0, 0, "R", machine.random16),
    _lowered("set_active_prng", 1, 1, machine.set_active_prng),
    # private
    Builtin("@__native", 2, ANY, "KR", private.native, "", True),
    Builtin("@__host_stream", 2, 2, "L", private.host_stream, "", True),
)

BUILTINS: dict[str, Builtin] = {row.name: row for row in _ROWS}


@evaluates(tree.BuiltinCall)
def _call(
    frame: Frame, node: tree.BuiltinCall, expected: Type | None
) -> code.Expression:
    row = BUILTINS.get(node.name)
    if row is None or (row.library_only and not frame.module.file.source.library):
        fail(f"there is no builtin '{node.name}'", node.span, help=_similar(node.name))
    if row.handler is None:
        fail(
            f"'{node.name}' is not supported",
            node.span,
            note=row.reason,
        )
    _check_context(frame, row, node)
    _check_arguments(row, node)
    return row.handler(Invocation(frame, node, expected))


def _similar(name: str) -> str:
    public = [n for n, row in BUILTINS.items() if not row.library_only]
    close = difflib.get_close_matches(name, public, 1, 0.75)
    return f"did you mean '{close[0]}'?" if close else ""


def _check_context(frame: Frame, row: Builtin, node: tree.BuiltinCall) -> None:
    allowed = row.contexts
    if frame.mode in allowed or (frame.comptime and "K" in allowed):
        return
    places = " or ".join(_CONTEXT_NAMES[c] for c in allowed)
    fail(
        f"'{node.name}' is only allowed {places}",
        node.span,
        note=f"here it is evaluated {_CONTEXT_NAMES[frame.mode]}",
    )


def _check_arguments(row: Builtin, node: tree.BuiltinCall) -> None:
    count = len(node.arguments)
    if row.low <= count <= row.high:
        return
    if row.low == row.high:
        wanted = str(row.low)
    elif row.high == ANY:
        wanted = f"at least {row.low}"
    else:
        wanted = f"{row.low} to {row.high}"
    fail(wrong_count(f"'{node.name}'", wanted, count), node.span)
