"""What becomes of one program text: compiled, loaded, and run for a few cycles.

Whatever the text, the only exceptions are `CslError` and `MachineFault`; anything
else, and anything that takes too long or too much memory, is an escape.
"""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Generator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO

from pyflame.wse.errors import CslError, Deadlock, MachineFault
from pyflame.wse.language import state
from pyflame.wse.language.code import Function
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Image, Options
from pyflame.wse.language.reader import LIBRARY_FOLDER, SavedReader
from pyflame.wse.language.source import Source
from pyflame.wse.machine.engine import MachineConfig, Wafer

SECONDS_PER_INPUT = 30
CYCLES_PER_INPUT = 20_000
COMPTIME_STEPS = 20_000
EXPANSIONS = 5_000
OPTIONS = Options(fabric_dims=(16, 8), fabric_offsets=(4, 1), memcpy=True)


@dataclass(frozen=True)
class Program:
    """Files by name, the layout's file first, and the options to compile them with."""

    files: dict[str, str]
    options: Options = OPTIONS

    def show(self) -> str:
        return "\n".join(f"// --- {n} ---\n{t}" for n, t in self.files.items())


@dataclass
class Outcome:
    """`kind`: refused, fault, deadlock, finished, or escape."""

    kind: str
    detail: str = ""
    seconds: float = 0.0


class TooSlow(Exception):
    pass


def _library() -> dict[str, Source]:
    sources: dict[str, Source] = {}
    for path in sorted(LIBRARY_FOLDER.rglob("*.csl")):
        name = f"<{path.relative_to(LIBRARY_FOLDER).with_suffix('').as_posix()}>"
        sources[name] = Source(name, path.read_text(encoding="utf-8"), library=True)
    return sources


# parsed once for all inputs
LIBRARY = _library()


@contextmanager
def time_limit(seconds: int) -> Generator[None]:
    """Raises TooSlow after so many seconds of this process's own time."""

    def stop(*_: object) -> None:
        raise TooSlow(f"no end after {seconds} seconds")

    earlier = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, earlier)


def outcome_of(program: Program) -> Outcome:
    """Compiles and runs a program with small budgets."""
    start = time.process_time()
    kind, detail = _judge(program)
    return Outcome(kind, detail, time.process_time() - start)


def _judge(program: Program) -> tuple[str, str]:
    try:
        with time_limit(SECONDS_PER_INPUT), redirect_stderr(StringIO()):
            _run(_compile(program))
    except CslError as error:
        error.render()
        return "refused", error.message
    except Deadlock as error:
        return "deadlock", str(error)
    except MachineFault as error:
        return "fault", str(error)
    except (Exception, SystemExit):
        return "escape", traceback.format_exc()
    return "finished", ""


def _compile(program: Program) -> Image:
    sources = {n: Source(n, t) for n, t in program.files.items()}
    top = next(iter(program.files))
    budgets = state.MAX_COMPTIME_STEPS, state.MAX_EXPANSIONS
    state.MAX_COMPTIME_STEPS, state.MAX_EXPANSIONS = COMPTIME_STEPS, EXPANSIONS
    try:
        return compile_program(top, program.options, SavedReader(LIBRARY | sources))
    finally:
        state.MAX_COMPTIME_STEPS, state.MAX_EXPANSIONS = budgets


def _run(image: Image) -> None:
    strict = sum(len(s.text) for s in image.sources.values()) % 2 == 1
    config = MachineConfig(max_cycles=CYCLES_PER_INPUT, strict=strict)
    wafer = Wafer(image, config)
    wafer.load()
    wafer.start()
    wafer.run_until_quiet()
    for exported in image.exports:
        everywhere = all(exported.name in p.exports for p in image.programs)
        if exported.mutable is None and everywhere and _fits(image, exported.name):
            wafer.run_until(wafer.launch(exported.name, []))


def _fits(image: Image, name: str) -> bool:
    """Whether the function can be launched without arguments on all PEs."""
    found = [program.exports[name] for program in image.programs]
    return all(isinstance(f, Function) and not f.params for f in found)
