"""The order of the program: phases, loops and branches.

What runs without waiting is one phase, a function. An exchange ends a phase; the next
one starts when the exchange is over. Loops and branches around an exchange are jumps:
they set the number of the next phase. All others are written as CSL's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lowering.emit.dsds import Dsds
from lowering.emit.indexing import scalar_text
from lowering.emit.registry import step_comment, step_lines
from lowering.plan.control import (
    Branch,
    BranchCase,
    BranchEnd,
    BranchStart,
    ControlStep,
    LoopEnd,
    LoopStart,
    LoopTest,
)
from lowering.plan.steps import MoveStep, Step
from lowering.plan.values import Loop
from lowering.target import Target

UNBLOCK = "  memcpy.unblock_cmd_stream();"
_MAX_I16 = 32_767


@dataclass(slots=True)
class Machine:
    """The phases of a program, and the counters that its jumps use."""

    phases: list[str]
    counters: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


def machine(steps: Sequence[Step], dsds: Dsds, target: Target) -> Machine:
    """All steps as text."""
    writer = _Writer(dsds, target, _waiting(steps))
    for step in steps:
        writer.write(step)
    writer.lines.append(UNBLOCK)
    return Machine(writer.finished(), writer.counters)


def counter_type(loop: Loop) -> str:
    """What holds the number of a pass."""
    return "i16" if (loop.trips or 0) <= _MAX_I16 else "i32"


def _waiting(steps: Sequence[Step]) -> set[Loop | Branch]:
    """The loops and branches with an exchange inside."""
    around: list[Loop | Branch] = []
    found: set[Loop | Branch] = set()
    for step in steps:
        match step:
            case LoopStart():
                around.append(step.loop)
            case BranchStart():
                around.append(step.branch)
            case LoopEnd() | BranchEnd():
                around.pop()
            case MoveStep():
                found.update(around)
            case _:
                pass
    return found


class _Writer:
    """Writes one step after the other into the current phase.

    Numbers of phases that come later stand in the text as labels until the end.
    """

    def __init__(self, dsds: Dsds, target: Target, waiting: set[Loop | Branch]) -> None:
        self._dsds = dsds
        self._target = target
        self._waiting = waiting
        self._phases: list[list[str]] = [[]]
        self._depth = 0
        self._heading: list[str] = []
        self._labels: dict[str, int] = {}
        self._names: dict[tuple[int, str], str] = {}
        self.counters: list[tuple[str, str]] = []

    @property
    def lines(self) -> list[str]:
        return self._phases[-1]

    def finished(self) -> list[str]:
        texts = ["\n".join(lines) for lines in self._phases]
        for label in sorted(self._labels, reverse=True):
            texts = [text.replace(label, str(self._labels[label])) for text in texts]
        return texts

    def write(self, step: Step) -> None:
        if not isinstance(step, ControlStep):
            self._add_step(step)
            if isinstance(step, MoveStep):
                self._phases.append([])
            return
        owner = step.loop if isinstance(step, _LOOP) else step.branch
        if owner in self._waiting:
            self._jump(step)
        else:
            self._structure(step)
        self._heading = []

    def _add_step(self, step: Step) -> None:
        lines = step_lines(step, self._dsds, self._target)
        if not lines:
            return
        heading = step_comment(step)
        self._add(*([] if heading == self._heading else heading), *lines)
        self._heading = heading

    def _add(self, *lines: str) -> None:
        indent = "  " * self._depth
        self.lines.extend(
            f"{indent}{line}" for text in lines for line in text.split("\n")
        )

    def _structure(self, step: ControlStep) -> None:
        """A loop or branch in CSL's own words."""
        match step:
            case LoopStart() if step.loop.trips is None:
                self._open(step, "while (true) {")
            case LoopStart():
                bounds = f"{counter_type(step.loop)}, {step.loop.trips}"
                self._open(step, f"for (@range({bounds})) |{step.loop.name}| {{")
            case LoopTest():
                self._add(f"  if ({self._is_false(step)}) {{", "    break;", "  }")
            case BranchStart():
                self._open(step, f"if ({self._selects(step, 0)}) {{")
                self._names[id(step.branch), "selector"] = self._selector(step)
            case BranchCase():
                self._close(self._case_head(step))
                self._depth += 1
            case LoopEnd() | BranchEnd():
                self._close("}")

    def _open(self, step: ControlStep, head: str) -> None:
        self._add(*step_comment(step), f"  {head}")
        self._depth += 1

    def _close(self, text: str) -> None:
        self._depth -= 1
        self._add(f"  {text}")

    def _case_head(self, step: BranchCase) -> str:
        if step.number == step.branch.cases - 1:
            return "} else {"
        selector = self._names[id(step.branch), "selector"]
        return f"}} else if ({selector} == {step.number}) {{"

    def _jump(self, step: ControlStep) -> None:
        """A loop or branch as numbers of phases."""
        match step:
            case LoopStart():
                self._begin_loop(step)
            case LoopTest():
                self._leave_if(self._is_false(step), self._label(step.loop, "end"))
            case LoopEnd():
                self._end_loop(step)
            case BranchStart():
                self._add(*step_comment(step))
                for number in range(1, step.branch.cases):
                    label = self._label(step.branch, f"case {number}")
                    self._leave_if(self._selects(step, number), label)
            case BranchCase():
                self._go_to(self._label(step.branch, "end"))
                self._phases.append([])
                self._define(step.branch, f"case {step.number}")
            case BranchEnd():
                self._fall_through()
                self._define(step.branch, "end")

    def _begin_loop(self, step: LoopStart) -> None:
        self._add(*step_comment(step))
        if step.loop.trips is not None:
            self.counters.append((step.loop.name, counter_type(step.loop)))
            self._add(f"  {step.loop.name} = 0;")
        self._fall_through()
        self._define(step.loop, "start")

    def _end_loop(self, step: LoopEnd) -> None:
        start = self._label(step.loop, "start")
        if step.loop.trips is None:
            self._go_to(start)
        else:
            name = step.loop.name
            self._add(
                f"  {name} += 1;",
                f"  if ({name} < {step.loop.trips}) {{",
                f"    phase = {start};",
                "  }",
                "  @activate(resume_id);",
            )
        self._phases.append([])
        self._define(step.loop, "end")

    def _fall_through(self) -> None:
        """Ends the phase; the next one follows."""
        self._add("  @activate(resume_id);")
        self._phases.append([])

    def _go_to(self, label: str) -> None:
        self._add(f"  phase = {label};", "  @activate(resume_id);")

    def _leave_if(self, condition: str, label: str) -> None:
        self._add(
            f"  if ({condition}) {{",
            f"    phase = {label};",
            "    @activate(resume_id);",
            "    return;",
            "  }",
        )

    def _label(self, owner: Loop | Branch, what: str) -> str:
        """Stands for a number of a phase that is not known yet."""
        key = (id(owner), what)
        if key not in self._names:
            self._names[key] = f"<label {len(self._names):04}>"
        return self._names[key]

    def _define(self, owner: Loop | Branch, what: str) -> None:
        self._labels[self._label(owner, what)] = len(self._phases) - 1

    def _is_false(self, step: LoopTest) -> str:
        return f"{scalar_text(step.predicate, self._dsds)} == 0"

    def _selector(self, step: BranchStart) -> str:
        return scalar_text(step.selector, self._dsds)

    def _selects(self, step: BranchStart, number: int) -> str:
        return f"{self._selector(step)} == {number}"


_LOOP = (LoopStart, LoopTest, LoopEnd)
