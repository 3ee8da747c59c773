"""SdkRuntime: loads a compiled program onto a simulated wafer and drives it.

runtime = SdkRuntime("out")      compile what the folder holds
runtime.load()                   place it on the wafer
runtime.run()                    release the PEs
runtime.memcpy_h2d / launch / memcpy_d2h ...
runtime.stop()                   wait for everything, then end; memory stays
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.errors import HostError
from pyflame.wse.language.image import ExportedName, Image
from pyflame.wse.language.types import Function
from pyflame.wse.machine.engine import MachineConfig, Wafer
from pyflame.wse.sdk import (
    arguments,
    finished_runs,
    memcpy,
    port_streams,
    read_log,
    runtime_checks,
    saved,
    transfers,
)
from pyflame.wse.sdk.command_stream import CommandStream, LaunchTask, Task
from pyflame.wse.sdk.layout.artifacts import SdkCompileArtifacts
from pyflame.wse.sdk.layout.platform import SdkExecutionPlatform
from pyflame.wse.sdk.machine_settings import RecordFiles, machine_config
from pyflame.wse.sdk.memcpy import Region
from pyflame.wse.sdk.records import Records
from pyflame.wse.sdk.transfers import Transfer

_LOG_FILE = Path("sim.log")


class SdkRuntime:
    """One program on one simulated wafer.

    Args:
        bindir: a folder that cslc wrote, or what SdkLayout.compile gave.
        platform: from get_platform(), or None for the simulator.
        cmaddr: address of a system; None or "" select the simulator.
        suppress_simfab_trace: accepted; no trace files are written either way.
        simfab_numthreads: 1 to 64; accepted, the simulation has one thread.
        msg_level: DEBUG, INFO, WARNING or ERROR.
        memcpy_required: False for programs without host channels.
        config: parameters of the simulated machine. By default what PEs print goes
            to sim.log in the working directory, and environment variables can ask
            for strict mode and records of the run (`machine_settings`).

    Raises:
        HostError: no program in the folder, or an option that cannot be served.
        CslError: the program does not compile.
    """

    def __init__(
        self,
        bindir: str | os.PathLike[str] | SdkCompileArtifacts,
        platform: SdkExecutionPlatform | None = None,
        *,
        cmaddr: str | None = None,
        suppress_simfab_trace: bool = False,
        simfab_numthreads: int = 5,
        msg_level: str = "WARNING",
        memcpy_required: bool = True,
        config: MachineConfig | None = None,
    ) -> None:
        runtime_checks.check_simulator(platform, cmaddr)
        runtime_checks.check_message_level(msg_level)
        runtime_checks.check_threads(simfab_numthreads)
        is_artifacts = isinstance(bindir, SdkCompileArtifacts)
        self._folder = bindir.path if is_artifacts else Path(bindir)
        program = saved.load(self._folder)
        self._image = program.compile()
        runtime_checks.check_platform(platform, self._image, self._folder)
        if memcpy_required:
            placed = program.placement is not None
            runtime_checks.check_channels(self._image, self._folder, placed)
        self._config, self._record_files = config, RecordFiles()
        if self._config is None:
            self._config, self._record_files = machine_config(self._log_line)
        self._wafer: Wafer | None = None
        self._records: Records | None = None
        self._commands: CommandStream | None = None
        self._state = "created"
        self._ids = {e.name: i for i, e in enumerate(self._image.exports)}

    # --- life cycle ---------------------------------------------------------------

    def load(self) -> None:
        """Places the program on the wafer. Raises HostError on a second call."""
        self._check_state("load", "created")
        self._wafer = Wafer(self._image, self._config)
        self._wafer.load()
        self._records = Records(self._wafer, self._record_files, _LOG_FILE)
        self._state = "loaded"

    def run(self) -> None:
        """Releases the PEs. Raises HostError unless loaded and not yet running."""
        self._check_state("run", "loaded")
        _LOG_FILE.unlink(missing_ok=True)
        self.wafer.start()
        self._commands = CommandStream(self.wafer)
        self._state = "running"
        finished_runs.remember(self._folder, self)

    def stop(self) -> None:
        """Waits for all operations and ends the run; PE memory stays readable.

        Raises:
            HostError: the program is not running.
            Deadlock: an operation never completes.
        """
        self._check_state("stop", "running")
        self._running("stop").wait_for_all()
        if not self._image.options.memcpy:  # nothing else tells when it is done
            self.wafer.run_until_quiet()
        self._state = "stopped"
        if self._records is not None:
            self._records.write()

    def _check_state(self, what: str, wanted: str) -> None:
        if self._state != wanted:
            raise HostError(
                f"{what}() of a program that is {self._state}: the order is load(), "
                "run(), operations, stop()"
            )

    def _running(self, what: str) -> CommandStream:
        if self._state != "running" or self._commands is None:
            raise HostError(
                "SdkRuntime must be running to accept memcpy commands: "
                f"{what} of a program that is {self._state}"
            )
        return self._commands

    @property
    def wafer(self) -> Wafer:
        """The simulated machine. Raises HostError before load()."""
        if self._wafer is None:
            raise HostError("the program is not loaded: call load() first")
        return self._wafer

    @property
    def image(self) -> Image:
        """The compiled program."""
        return self._image

    # --- names --------------------------------------------------------------------

    def get_id(self, name: str) -> int | None:
        """The id of an exported variable or function; None if there is none."""
        return self._ids.get(name)

    def _exported(self, identifier: object, what: str) -> ExportedName:
        return runtime_checks.exported_tensor(self._image, identifier, what)

    # --- transfers ----------------------------------------------------------------

    def memcpy_h2d(
        self,
        dest: int,
        src: NDArray[Any],
        px: int,
        py: int,
        w: int,
        h: int,
        elem_per_pe: int,
        *,
        streaming: bool,
        data_type: object,
        order: object,
        nonblock: bool,
    ) -> Task:
        """Copies src, logically [h, w, elem_per_pe], to the PEs of a region.

        Args:
            dest: a symbol id, or a color when streaming.
        Raises:
            HostError: an argument that cannot be served.
            Deadlock: a blocking call that never completes.
        """
        transfer = self._transfer(
            "h2d", Region(px, py, w, h), elem_per_pe, data_type, order
        )
        return self._to_wafer(dest, src, transfer, transfer.shape, streaming, nonblock)

    def memcpy_h2d_rowbcast(
        self,
        dest: int,
        src: NDArray[Any],
        px: int,
        py: int,
        w: int,
        h: int,
        elem_per_pe: int,
        *,
        streaming: bool,
        data_type: object,
        order: object,
        nonblock: bool,
    ) -> Task:
        """Copies src, logically [h, 1, elem_per_pe], to every column of a region."""
        transfer = self._transfer(
            "h2d", Region(px, py, w, h), elem_per_pe, data_type, order
        )
        shape = (h, 1, elem_per_pe)
        return self._to_wafer(dest, src, transfer, shape, streaming, nonblock)

    def memcpy_h2d_colbcast(
        self,
        dest: int,
        src: NDArray[Any],
        px: int,
        py: int,
        w: int,
        h: int,
        elem_per_pe: int,
        *,
        streaming: bool,
        data_type: object,
        order: object,
        nonblock: bool,
    ) -> Task:
        """Copies src, logically [1, w, elem_per_pe], to every row of a region."""
        transfer = self._transfer(
            "h2d", Region(px, py, w, h), elem_per_pe, data_type, order
        )
        shape = (1, w, elem_per_pe)
        return self._to_wafer(dest, src, transfer, shape, streaming, nonblock)

    def memcpy_h2d_stride(
        self,
        dest: int,
        src: NDArray[Any],
        px: int,
        py: int,
        w: int,
        h: int,
        elem_per_pe: int,
        row_stride: int,
        col_stride: int,
        *,
        streaming: bool,
        data_type: object,
        order: object,
        nonblock: bool,
    ) -> Task:
        """Copies to every `row_stride`-th column and `col_stride`-th row of a region.

        src is logically [rows that take part, columns that take part, elem_per_pe].
        """
        region = Region(px, py, w, h, row_stride, col_stride)
        transfer = self._transfer("h2d", region, elem_per_pe, data_type, order)
        return self._to_wafer(dest, src, transfer, transfer.shape, streaming, nonblock)

    def memcpy_d2h(
        self,
        dest: NDArray[Any],
        src: int,
        px: int,
        py: int,
        w: int,
        h: int,
        elem_per_pe: int,
        *,
        streaming: bool,
        data_type: object,
        order: object,
        nonblock: bool,
    ) -> Task:
        """Copies from the PEs of a region to dest, logically [h, w, elem_per_pe].

        Args:
            src: a symbol id, or a color when streaming.
        Raises:
            HostError: an argument that cannot be served.
            Deadlock: a blocking call that never completes.
        """
        transfer = self._transfer(
            "d2h", Region(px, py, w, h), elem_per_pe, data_type, order
        )
        commands = self._running("memcpy_d2h")
        if streaming:
            color = self._stream_color(src, "d2h")
            received = self._received(f"color {color}")
            task = transfers.receive_task(self.wafer, color, transfer, dest, received)
            return commands.add_receive(task, nonblock)
        name = self._exported(src, "memcpy_d2h").name
        received = self._received(name)
        copy = transfers.read_task(self.wafer, name, transfer, dest, received)
        return commands.add(copy, nonblock)

    def _received(self, source: str) -> read_log.Received:
        return read_log.received(self._record_files.reads, source)

    def _transfer(
        self,
        what: str,
        region: Region,
        elements: int,
        data_type: object,
        order: object,
    ) -> Transfer:
        self._running(f"memcpy_{what}")
        memcpy.check_options(data_type, order)
        memcpy.check_region(region, self._image.width, self._image.height, what)
        if elements < 1:
            raise HostError(f"memcpy_{what}: elem_per_pe must be positive: {elements}")
        assert isinstance(data_type, memcpy.MemcpyDataType)
        assert isinstance(order, memcpy.MemcpyOrder)
        return Transfer(region, elements, data_type, order)

    def _to_wafer(
        self,
        dest: int,
        src: NDArray[Any],
        transfer: Transfer,
        shape: tuple[int, int, int],
        streaming: bool,
        nonblock: bool,
    ) -> Task:
        commands = self._running("memcpy_h2d")
        tiles = transfers.tiles_of_host(src, transfer, shape, "memcpy_h2d")
        if streaming:
            color = self._stream_color(dest, "h2d")
            stream = transfers.send_task(self.wafer, color, transfer, tiles)
            return commands.add_send(stream, nonblock)
        exported = self._exported(dest, "memcpy_h2d")
        if not exported.mutable:
            raise HostError(
                f"memcpy_h2d: '{exported.name}' is exported as immutable; export it "
                f'with @export_name("{exported.name}", {exported.type}, true)'
            )
        copy = transfers.write_task(self.wafer, exported.name, transfer, tiles)
        return commands.add(copy, nonblock)

    def _stream_color(self, color: object, direction: str) -> int:
        streams = self._image.host_streams
        if isinstance(color, int) and streams.get(color) == direction:
            return color
        known = sorted(c for c, d in streams.items() if d == direction)
        name = "MEMCPYH2D" if direction == "h2d" else "MEMCPYD2H"
        raise HostError(
            f"memcpy_{direction}: {color!r} is no streaming color of this program; "
            f"the layout gave <memcpy/get_params> {name} colors {known}"
        )

    # --- ports --------------------------------------------------------------------

    def send(
        self,
        port: str | int,
        src: NDArray[Any],
        n_wavelets: int | None = None,
        *,
        nonblock: bool = False,
    ) -> Task:
        """Sends 32-bit elements to an input stream of an SdkLayout program.

        Args:
            port: the name that create_input_stream gave, or its id.
            n_wavelets: how many elements; all of them by default.
        Raises:
            HostError: no such stream, or an array that cannot be served.
        """
        commands = self._running("send")
        task = port_streams.send_task(self.wafer, self._image, port, src, n_wavelets)
        return commands.add_send(task, nonblock)

    def receive(
        self,
        port: str | int,
        dest: NDArray[Any],
        n_wavelets: int,
        *,
        nonblock: bool = False,
    ) -> Task:
        """Receives wavelets from an output stream into dest, in place.

        With `nonblock` the elements are there after task_wait or stop().

        Raises:
            HostError: no such stream, or an array that cannot be served.
            Deadlock: a blocking call that never completes.
        """
        commands = self._running("receive")
        received = self._received(f"stream {port}")
        task = port_streams.receive_task(
            self.wafer, self._image, port, dest, n_wavelets, received
        )
        return commands.add_receive(task, nonblock)

    def receive_tofile(self, port: str | int, path: str, nonblock: bool) -> None:
        """Refused: the documentation does not say how many wavelets it takes."""
        raise HostError(
            f"receive_tofile({port!r}, '{path}') is not supported: receive() into an "
            "array and write it with numpy.tofile"
        )

    def get_port_id(self, name: str) -> int:
        """The id of a stream. Raises HostError if there is none of that name."""
        return port_streams.port_id(self._image, name)

    def report_port_infos(self) -> None:
        """Prints one line per stream: id, name, direction, PE and color."""
        for line in port_streams.report_lines(self._image):
            print(line)

    # --- functions ----------------------------------------------------------------

    def launch(self, name: str, *args: Any, nonblock: bool) -> Task:
        """Runs an exported function on every PE, with arguments checked and cast.

        Raises:
            HostError: no such function, or arguments that do not fit it.
            Deadlock: a blocking launch that some PE never unblocks.
        """
        commands = self._running("launch")
        words = arguments.launch_words(name, self._signature(name), args)
        return commands.add(LaunchTask(name, words), nonblock)

    def call(self, name: str, args: list[Any], nonblock: bool) -> Task:
        """Runs an exported function with arguments that are 32-bit words already."""
        commands = self._running("call")
        words = arguments.call_words(name, self._signature(name), args)
        return commands.add(LaunchTask(name, words), nonblock)

    def _signature(self, name: str) -> Function:
        number = self._ids.get(name)
        if number is not None:
            exported = self._image.exports[number]
            if isinstance(exported.type, Function):
                return exported.type
        functions = [
            e.name for e in self._image.exports if isinstance(e.type, Function)
        ]
        known = ", ".join(functions) or "none"
        raise HostError(
            f"Cannot find exported function with name {name}; exported: {known}"
        )

    # --- tasks --------------------------------------------------------------------

    def task_wait(self, task: Task) -> None:
        """Returns when a nonblocking operation is done. Raises Deadlock if never."""
        self._running("task_wait").wait(task)

    def is_task_done(self, task: Task) -> bool:
        """Whether an operation is done; lets the wafer work on it first."""
        return task.finished or self._running("is_task_done").try_finish(task)

    # --- debugging ----------------------------------------------------------------

    def read_symbol(
        self, x: int, y: int, name: str, dtype: Any = "uint8"
    ) -> NDArray[Any]:
        """The bytes of a global symbol of a PE, viewed as dtype. Allowed after stop().

        Raises:
            HostError: no such PE or symbol, or a size that dtype does not divide.
        """
        self._check_pe(x, y)
        address, type_ = self.wafer.linker_symbol(x, y, name)
        data = self.wafer.read_memory(
            x, y, address, runtime_checks.symbol_size_bytes(name, type_)
        )
        wanted = np.dtype(dtype)
        if len(data) % wanted.itemsize:
            raise HostError(
                f"read_symbol: '{name}' has {len(data)} bytes, no multiple of the "
                f"{wanted.itemsize} of {wanted}"
            )
        return np.frombuffer(data, wanted).copy()

    def _check_pe(self, x: int, y: int) -> None:
        if not (0 <= x < self._image.width and 0 <= y < self._image.height):
            raise HostError(
                f"PE({x},{y}) is outside the {self._image.width}x"
                f"{self._image.height} PEs of the program"
            )

    def coord_logical_to_physical(self, coord: tuple[int, int]) -> tuple[int, int]:
        """Fabric coordinates of a PE of the program rectangle."""
        x, y = self._image.options.fabric_offsets or (0, 0)
        return x + coord[0], y + coord[1]

    def _log_line(self, _x: int, _y: int, text: str) -> None:
        """Appends what a PE printed to sim.log in the working directory: its lines
        come with `@CYCLE `, and name the PE only if the program does."""
        with _LOG_FILE.open("a", encoding="utf-8") as log:
            log.write(f"{text}\n")

    def dump_core(self, path: str) -> None:
        """Refused: memory of a run is read in its own process."""
        raise HostError(
            f"dump_core('{path}'): core files are not written; read_symbol and "
            "debug_util read PE memory in the same process, also after stop()"
        )

    def dump_elf_core(self, path: str) -> None:
        """Refused: memory of a run is read in its own process."""
        self.dump_core(path)
