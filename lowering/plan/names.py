"""Names for generated text: the user's own where CSL allows them, unique always."""

from __future__ import annotations

import re
import unicodedata

# Keywords and predeclared names of CSL, 1.4 and 2.x (vendor's language pages and the
# syntax file shipped with the SDK).
_RESERVED = frozenset(
    """
    align and anytype asm break comptime const continue else enum export extern false
    fn for handler if inline layout linkname linksection noinline or packed param return
    struct switch task true union var volatile while anyopaque sr circbuf_dsd
    void bool type color direction range imported_module comptime_int comptime_float
    comptime_string comptime_struct f16 cb16 bf16 f32 f64 i8 i16 i32 i64 u8 u16 u32 u64
    mem1d_dsd mem4d_dsd fabin_dsd fabout_dsd dsd dsr_dest dsr_src0 dsr_src1 fifo_handle
    dsr_fifo_dest dsr_fifo_src1 xdsr data_task_id local_task_id control_task_id
    input_queue output_queue ut_id NORTH SOUTH EAST WEST RAMP undefined unreachable
    """.split()
)
# Names that the templates use for themselves.
_TAKEN = frozenset(
    """
    i j k l m n p q r s t main resume resume_id next_phase phase result total
    memcpy memcpy_params places place math geometry linalg tiles extremes saturate
    bfloat16 words functions rows_line cols_line width height
    best best_at element seen run slot left left_end right right_end takes_right
    left_index right_index inner_1 inner_2 inner_3 inner_4
    """.split()
)
_LONGEST = 40


class Names:
    """Hands out each name once."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._counts: dict[str, int] = {}

    def unique(self, wanted: str) -> str:
        """`wanted` as an identifier, with `_2`, `_3`, ... if it is taken.

        A family of names may hang on it: `NAME_vec`, `NAME_ptr`, `phase_NAME`.
        """
        base = identifier(wanted)
        name, count = base, self._counts.get(base, 1)
        while name in self._used:
            count += 1
            name = f"{base}_{count}"
        self._counts[base] = count
        self._used.add(name)
        return name


def identifier(wanted: str) -> str:
    """An identifier that reads like `wanted` and is neither a keyword nor ours."""
    plain = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")[:_LONGEST].rstrip("_")
    if not name:
        return "value"
    if name[0].isdigit():
        name = f"v{name}"
    if name in _RESERVED or name in _TAKEN or re.fullmatch(r"phase_\d+", name):
        return f"{name}_value"
    return name
