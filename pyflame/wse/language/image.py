"""What the front end makes of a program: tiles, routes, exports, and PE programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyflame.wse.language.code import Function, GlobalVariable
from pyflame.wse.language.source import Source
from pyflame.wse.language.types import Type
from pyflame.wse.language.values import DsdValue, DsrValue, FifoValue

DIRECTIONS = ("NORTH", "SOUTH", "EAST", "WEST", "RAMP")

# in `Image.tiles`: a place without a program, whose PE does nothing
NO_PROGRAM = -1


# most iterations of an inline loop, unless the command line says otherwise
INLINED_ITERATIONS = 1_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """Everything beside the text that decides what a program means.

    `params` and `colors` bind top-level params by name. `fabric_dims` and
    `fabric_offsets` are in PEs, None when not given (no memcpy, SdkLayout).
    """

    arch: str = "wse2"
    params: dict[str, int] = field(default_factory=dict[str, int])
    colors: dict[str, int] = field(default_factory=dict[str, int])
    fabric_dims: tuple[int, int] | None = None
    fabric_offsets: tuple[int, int] | None = None
    memcpy: bool = False
    channels: int = 0
    width_west_buf: int = 0
    width_east_buf: int = 0
    import_paths: tuple[str, ...] = ()
    fp16_format: str = "f16"
    max_inlined_iterations: int = INLINED_ITERATIONS


@dataclass(frozen=True, slots=True)
class SwitchPosition:
    """Overrides of position k: `rx`/`tx` None keep the side of the position before.

    `valid` False: the position is never entered.
    """

    rx: tuple[str, ...] | None = None
    tx: tuple[str, ...] | None = None
    valid: bool = False


@dataclass(frozen=True, slots=True)
class Switches:
    positions: tuple[SwitchPosition, SwitchPosition, SwitchPosition]
    ring_mode: bool = False
    pop_mode: str = "no_pop"  # always_pop, pop_on_advance, pop_on_advance_nop
    current: int = 0


@dataclass(frozen=True, slots=True)
class Filter:
    """`kind` is range, counter or sparse_counter; `fields` as CSL spells them."""

    kind: str
    fields: dict[str, int | bool] = field(hash=False)


@dataclass(frozen=True, slots=True)
class ColorConfig:
    """The router's treatment of one color on one PE; directions by name."""

    rx: tuple[str, ...]
    tx: tuple[str, ...]
    switches: Switches | None = None
    filter: Filter | None = None
    teardown: bool = False
    color_swap_x: bool = False
    color_swap_y: bool = False


@dataclass(frozen=True, slots=True)
class RouterSide:
    """One side of one color's router: what enters or leaves there."""

    x: int
    y: int
    color: int
    direction: str


@dataclass(frozen=True, slots=True)
class Pipe:
    """Wavelets that leave at `source` enter at `target`, wherever that is."""

    source: RouterSide
    target: RouterSide


@dataclass(frozen=True, slots=True)
class HostPort:
    """A router side where the host sends ("in") or receives ("out") wavelets.

    `hops` is how far away from the router the host's buffer stands.
    """

    name: str
    direction: str
    side: RouterSide
    buffer_wavelets: int
    hops: int = 1


@dataclass(frozen=True, slots=True)
class InitialData:
    """Bytes of a global symbol of one PE that replace its initial value."""

    x: int
    y: int
    symbol: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a layout built in Python adds to the PEs' programs and routes."""

    pipes: tuple[Pipe, ...] = ()
    host_ports: tuple[HostPort, ...] = ()
    initial_data: tuple[InitialData, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskBinding:
    """`kind` is data, local or control. For data tasks on WSE-2 `id` is the color,
    on WSE-3 the input queue."""

    kind: str
    id: int
    function: Function


@dataclass(frozen=True, slots=True)
class TaskRotation:
    """`@bind_rotating_tasks`: data task `data_id`, then after `limit` starts of it,
    and again, control task `control_id`; the first round counts from `init` on."""

    data_id: int
    control_id: int
    limit: int
    init: int


@dataclass(frozen=True, slots=True)
class QueueInit:
    """`@initialize_queue`: `direction` is "in" or "out"; color None if not given."""

    direction: str
    queue: int
    color: int | None
    priority: str | None = None
    ctrl_table_id: int | None = None


@dataclass(frozen=True, slots=True)
class TaskState:
    """A comptime `@activate`, `@block` or `@unblock`, in program order.

    `kind` is the id's type: color, data_task_id, local_task_id, input_queue, ut_id.
    """

    action: str
    kind: str
    id: int


@dataclass(frozen=True, slots=True)
class DsrLoad:
    """A comptime `@load_to_dsr`; `extended` are its XDSR and stride registers."""

    dsr: DsrValue
    dsd: DsdValue
    config: dict[str, Any] = field(hash=False)
    extended: tuple[DsrValue, ...] = ()


@dataclass(eq=False, slots=True)
class PeProgram:
    """The code shared by all PEs with the same file and parameter values."""

    file: str
    functions: list[Function] = field(default_factory=list[Function])
    globals: list[GlobalVariable] = field(default_factory=list[GlobalVariable])
    bindings: list[TaskBinding] = field(default_factory=list[TaskBinding])
    rotations: list[TaskRotation] = field(default_factory=list[TaskRotation])
    states: list[TaskState] = field(default_factory=list[TaskState])
    queues: list[QueueInit] = field(default_factory=list[QueueInit])
    local_colors: dict[int, ColorConfig] = field(default_factory=dict[int, ColorConfig])
    fifos: list[FifoValue] = field(default_factory=list[FifoValue])
    dsr_loads: list[DsrLoad] = field(default_factory=list[DsrLoad])
    teardown_handlers: dict[int, Function] = field(default_factory=dict[int, Function])
    # by kind (input_queue or output_queue) and number
    empty_queue_handlers: dict[tuple[str, int], Function] = field(
        default_factory=dict[tuple[str, int], Function]
    )
    control_task_table: dict[str, int] | None = None
    config_writes: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    # exported name -> the function, or the pointer (or scalar) variable behind it
    exports: dict[str, Function | GlobalVariable] = field(
        default_factory=dict[str, Function | GlobalVariable]
    )


@dataclass(frozen=True, slots=True)
class ExportedName:
    """A line of `out_rpc.json`; its place in `Image.exports` is its id."""

    name: str
    type: Type  # Function type for functions
    mutable: bool | None  # None for functions


@dataclass(eq=False, slots=True)
class Image:
    """A compiled program. `tiles[y][x]` indexes `programs`, or is NO_PROGRAM.

    `color_configs[(x, y)][color]` has the layout's and the PE code's own settings.
    `host_streams` maps memcpy's streaming colors to "h2d" or "d2h".
    `sources` are all files that were read: enough to compile the program again.
    """

    options: Options
    width: int
    height: int
    programs: list[PeProgram]
    tiles: list[list[int]]
    color_configs: dict[tuple[int, int], dict[int, ColorConfig]]
    exports: list[ExportedName]
    host_streams: dict[int, str] = field(default_factory=dict[int, str])
    sources: dict[str, Source] = field(default_factory=dict[str, Source])
    # params that the layout file declares and their resolved integer values
    resolved_params: dict[str, int] = field(default_factory=dict[str, int])
    # rendered remarks on the program, for the person who compiles it
    warnings: list[str] = field(default_factory=list[str])
    wiring: Wiring = field(default_factory=Wiring)
