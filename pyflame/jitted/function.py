"""`pf.jit` itself: programs of a function by what its arguments are."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any

from pyflame import staging, tracing
from pyflame.errors import ArgumentError
from pyflame.grad_mode import switch as grad_switch
from pyflame.jitted.inputs import Inputs, Static, unflat, unmarked
from pyflame.jitted.placeholder import Argument, Placeholder, number
from pyflame.jitted.plan import plan
from pyflame.jitted.program import Program
from pyflame.jitted.recording import InsideTransformation, Recording
from pyflame.jitted.results import results_of
from pyflame.jitted.survey import Survey
from pyflame.node import aval_of
from pyflame.tensors import Tensor

MAX_PROGRAMS = 64
MAX_PROGRAMS_ALIKE = 8  # for the same arguments
MANY_RECORDINGS = 16


class Jitted:
    """A function that runs once per structure of its arguments, to be recorded."""

    def __init__(self, function: Callable[..., Any], static: Static) -> None:
        self._function = function
        self._static = static
        self._programs: dict[Any, list[Program]] = {}
        self._unused = 0
        self._reason = ""
        self.__name__ = type(function).__name__
        update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if tracing.running and tracing.current() is not None:
            return self._function(*args, **kwargs)
        inputs = Inputs(*self._static.marked(args, kwargs))
        if inputs.traced:
            return self._function(*args, **kwargs)
        key = (grad_switch.enabled, inputs.key)
        try:
            reasons = []
            for program in self._programs.get(key, ()):
                reason = program.mismatch(inputs)
                if not reason:
                    self._unused = 0
                    return program.call(inputs)
                reasons.append(reason)
            self._reason = reasons[0] if reasons else ""
            return self._record(key, inputs)
        except InsideTransformation:
            return self._function(*args, **kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method: one function per instance, because each has state of its own."""
        if instance is None:
            return self
        bound = Jitted(self._function.__get__(instance, owner), self._static)
        try:
            vars(instance)[self._function.__name__] = bound
        except TypeError:
            raise ArgumentError(
                f"pf.jit of a method of {type(instance).__name__}, which has __slots__",
                rule="the compiled method is kept in the object",
            ) from None
        return bound

    def __getattr__(self, name: str) -> Any:
        """What else the function has, such as the parameters of a module."""
        if name == "_function":
            raise AttributeError(name)
        return getattr(self._function, name)

    def __repr__(self) -> str:
        return f"pf.jit({self._function!r})"

    def _record(self, key: Any, inputs: Inputs) -> Any:
        """Runs the function to record it; does the first call of the program."""
        self._warn_of_many()
        roots = [self._function, *map(unmarked, inputs.static)]
        survey = Survey(*roots)
        staging.evaluate([tensor._node for tensor in survey.tensors.values()])
        guards, options = survey.guards(), survey.options()
        recording, mode = Recording(), grad_switch.enabled
        same = [
            (i, leaf)
            for i, leaf in enumerate(inputs.leaves)
            if id(leaf) in survey.tensors
        ]
        try:
            value = self._traced(recording, inputs, same)
            recording.settle()
            also = list(Survey(*roots).tensors.values())
            results = results_of(value, recording, also)
            made = plan(self.__name__, recording, inputs, results, same)
            program = Program(made, guards)
            staging.counts.recordings += 1
            value = program.run(inputs, recording.numbers, first=results)
        except BaseException:
            recording.undo()
            grad_switch.enabled = mode
            raise
        made.results = made.results.without_first()
        unchanged = options == survey.options() and mode == grad_switch.enabled
        if made.reusable and (unchanged or recording.schedules):
            self._keep(key, program)
        return value

    def _traced(
        self, recording: Recording, inputs: Inputs, same: list[tuple[int, Tensor]]
    ) -> Any:
        """The result of the function for stand-ins."""
        with tracing.tracing(recording):
            try:
                args, kwargs = _stand_ins(recording, inputs, same)
                args = tuple(map(unmarked, args))
                kwargs = {k: unmarked(v) for k, v in kwargs.items()}
                return self._function(*args, **kwargs)
            finally:
                recording.release()

    def _keep(self, key: Any, program: Program) -> None:
        """The newest first; the oldest are given up."""
        programs = self._programs.pop(key, [])
        self._programs[key] = [program, *programs[: MAX_PROGRAMS_ALIKE - 1]]
        if len(self._programs) > MAX_PROGRAMS:
            del self._programs[next(iter(self._programs))]

    def _warn_of_many(self) -> None:
        self._unused += 1
        many = MANY_RECORDINGS if self._reason else MAX_PROGRAMS
        if self._unused == many:
            reason = self._reason or "its arguments are always new"
            warnings.warn(
                f"pf.jit: {self.__name__} was run by Python {many} times in "
                f"a row, because {reason}; what changes at every call is best passed "
                "as a tensor or a float",
                UserWarning,
                stacklevel=4,
            )


def _stand_ins(
    recording: Recording, inputs: Inputs, same: list[tuple[int, Tensor]]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of the traced run."""
    captured = {position for position, _ in same}

    def stand_in(position: int, leaf: Any) -> Any:
        if position in captured:
            return leaf
        source = Argument(position)
        if type(leaf) is float:
            return Tensor(number(leaf, source))
        if not isinstance(leaf, Tensor):
            aval = aval_of(inputs.values[position])
            return Tensor(Placeholder(aval, source, None))
        if id(leaf) not in recording.used:
            recording.lift(leaf, source)
        return leaf

    return unflat(inputs.tree, inputs.with_values(stand_in))


def jit(
    function: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
) -> Any:
    """The function as one compiled call per structure of its arguments.

    The Python function runs once to be recorded, then the program runs: with the
    arguments, with what captured tensors, gradients, learning rates, step counts and
    the seed are at the time; parameters, statistics, gradients and optimizer state
    change as they would without. Tensors, arrays and floats are inputs; integers,
    booleans, strings and other objects are compared by value, and so are arguments
    named as static. If anything else changed that the function can reach, it is
    recorded again.

    Args:
        function: without it, a decorator is returned.
        static_argnums, static_argnames: arguments to compare by value.

    Raises: GraphError, if the function reads values, as `item` and `print` do.
    """
    numbers = (static_argnums,) if isinstance(static_argnums, int) else static_argnums
    names = (static_argnames,) if isinstance(static_argnames, str) else static_argnames
    static = Static(_checked(numbers, int), _checked(names, str))
    if function is None:
        return lambda f: jit(f, static_argnums=numbers, static_argnames=names)
    if not callable(function):
        raise ArgumentError(
            f"pf.jit: {type(function).__name__} is no function",
            rule="pf.jit takes a function, a method or a module",
        )
    return Jitted(function, static)


def _checked(values: Any, kind: type) -> tuple[Any, ...]:
    values = tuple(values)
    for value in values:
        if type(value) is not kind:
            raise ArgumentError(
                f"pf.jit: a static argument is named by {value!r}",
                rule="static_argnums are integers, static_argnames strings",
            )
    return values
