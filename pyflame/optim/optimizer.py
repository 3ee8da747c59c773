"""What all optimizers do: groups, one evaluation per step, and their state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from copy import copy
from operator import is_
from typing import Any, ClassVar

import jax.numpy as jnp

from pyflame import node as nodes
from pyflame import staging, tracing
from pyflame.creation import zeros
from pyflame.errors import ArgumentError, ShapeError
from pyflame.grad_mode import enable_grad
from pyflame.gradients import forget_users
from pyflame.held_numbers import Numbers
from pyflame.optim.checks import check_keys, check_lr
from pyflame.optim.fused import Job, Rule
from pyflame.optim.groups import SCHEDULED, Group, checked_groups
from pyflame.tensors import Tensor


class Optimizer(ABC):
    """Updates parameters from their `.grad`.

    `param_groups` is a list of dicts: the parameters under "params" and the options
    by name; options may be changed between steps, and are inputs of the compiled
    step, so that a change compiles nothing. `state` has a dict per parameter.
    """

    _per_param: ClassVar[tuple[str, ...]]  # keys a parameter's state may have

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = self._checked_options(defaults)
        self.param_groups: list[Group] = self._new_groups(params)
        self.state: dict[Tensor, dict[str, Any]] = {}
        self.steps_taken = 0
        self._rules: dict[int, tuple[list[Any], Rule]] = {}  # by id of their group
        self._held: list[Numbers] = []
        # A parameter still pending would make the first step unlike the second.
        staging.evaluate([param._node for param in self._params()])

    @abstractmethod
    def _checked_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options as plain numbers; raises ArgumentError."""

    def _spelled(self, group: Group) -> Group:
        """A group as the user wrote it, with our names for its options."""
        return group

    @abstractmethod
    def _rule(self, group: Group) -> Rule:
        """How the options of a group, apart from their numbers, say to update."""

    @abstractmethod
    def _numbers(self, group: Group, entry: dict[str, Any]) -> tuple[float, ...]:
        """The numbers of the rule for a parameter with this state, before the step."""

    def _new_groups(self, params: Any, taken: Iterable[Tensor] = ()) -> list[Group]:
        return checked_groups(
            type(self).__name__,
            params,
            self.defaults,
            self._checked_options,
            self._spelled,
            taken,
        )

    def add_param_group(self, param_group: Group) -> None:
        """Adds parameters: a dict with "params" and options of their own.

        Raises: ArgumentError, DTypeError, as when the optimizer is made.
        """
        if not isinstance(param_group, dict):
            raise ArgumentError(
                f"{type(self).__name__}.add_param_group: "
                f"{type(param_group).__name__} is no group",
                rule="a group is a dict with 'params'",
            )
        added = self._new_groups([param_group], self._params())
        staging.evaluate([param._node for param in added[0]["params"]])
        self.param_groups += added

    def _params(self) -> Iterable[Tensor]:
        return (param for group in self.param_groups for param in group["params"])

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates every parameter that has a gradient, and the optimizer's state.

        All that is needed for it is computed in one call; if that fails, nothing has
        changed. Parameters without a gradient are left alone. A `closure` is called
        before, to compute loss and gradients, and its result is returned.

        Raises: ArgumentError, if an option of a group makes no sense any more.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._step()
        return loss

    def _step(self) -> None:
        # All options are checked before anything else is done.
        rules = [self._checked_rule(group) for group in self.param_groups]
        jobs = list(map(self._job, self.param_groups, rules))
        jobs = [job for job in jobs if job.params]
        trace = tracing.current()
        if trace is None:
            self._held += [Numbers() for _ in jobs[len(self._held) :]]
            literals = [
                job.literals(held) for job, held in zip(jobs, self._held, strict=False)
            ]
        else:
            literals = trace.optimizer_step(self, jobs)
        results = staging.several(
            [
                (job.node(numbers), [x._aval() for x in job.tensors()])
                for job, numbers in zip(jobs, literals, strict=True)
            ]
        )
        for job, values in zip(jobs, results, strict=True):
            self._apply(job, values)
        self.steps_taken += 1

    def _checked_rule(self, group: Group) -> Rule:
        """The rule of a group, whose options are checked if one has been set.

        Raises: ArgumentError.
        """
        options = [group[key] for key in self.defaults]
        known = self._rules.get(id(group))
        if known is not None and all(map(is_, options, known[0])):
            return known[1]
        group.update(self._checked_options({k: group[k] for k in self.defaults}))
        rule = self._rule(group)
        self._rules[id(group)] = [group[key] for key in self.defaults], rule
        return rule

    def _job(self, group: Group, rule: Rule) -> Job:
        found = [(param, param.grad) for param in group["params"]]
        found = [(param, grad) for param, grad in found if grad is not None]
        params = [param for param, _ in found]
        entries = [self.state.get(param, {}) for param in params]
        return Job(
            rule,
            params,
            [grad for _, grad in found],
            [
                [entry[name] if name in entry else _blank(param) for name in rule.state]
                for param, entry in zip(params, entries, strict=True)
            ],
            [self._numbers(group, entry) for entry in entries],
            group,
        )

    def _apply(self, job: Job, values: list[nodes.Node]) -> None:
        count = len(job.params)
        replaced = [param._node for param in job.params]
        for param, value in zip(job.params, values[:count], strict=True):
            param._become(value)
        for tensor, value in zip(job.kept(), values[count:], strict=True):
            tensor._rebind(value)
        forget_users([param._leaf for param in job.params], replaced)
        for param, state in zip(job.params, job.states, strict=True):
            entry = self.state.setdefault(param, {})
            entry.update(zip(job.rule.state, state, strict=True))
            if "step" in self._per_param:
                entry["step"] = entry.get("step", 0) + 1

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets all gradients; with `set_to_none=False` they become zeros."""
        for param in self._params():
            if set_to_none:
                param.grad = None
            elif param.grad is not None:
                param.grad = zeros(param.shape, dtype=param.dtype)

    def get_lr(self, group: int | None = None) -> float:
        """The learning rate, or that of one group.

        Raises: ArgumentError, if the groups differ and none is named.
        """
        if group is not None:
            return float(self.param_groups[group]["lr"])
        rates = [float(group["lr"]) for group in self.param_groups]
        if len(set(rates)) > 1:
            raise ArgumentError(
                f"get_lr: the parameter groups have different learning rates: {rates}",
                help="pass the number of a group, as in get_lr(0)",
            )
        return rates[0]

    def set_lr(self, new_lr: float, group: int | None = None) -> None:
        """Sets the learning rate of all groups, or of one.

        Raises: ArgumentError, unless it is finite and not negative.
        """
        rate = check_lr(f"{type(self).__name__}.set_lr", new_lr)
        chosen = self.param_groups if group is None else [self.param_groups[group]]
        for one in chosen:
            one["lr"] = rate

    # state

    def state_dict(self) -> dict[str, Any]:
        """A copy of the state and the options, with parameters as their positions.

        The layout is PyTorch's: "state" by position, and "param_groups".
        """
        position = {param: i for i, param in enumerate(self._params())}
        groups = [
            {**group, "params": [position[param] for param in group["params"]]}
            for group in self.param_groups
        ]
        state = {position[p]: _copied(entry) for p, entry in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave, for parameters in the same order.

        Nothing changes if the state does not fit.

        Raises: ArgumentError, ShapeError, naming the keys, sizes or shapes.
        """
        where = f"{type(self).__name__}.load_state_dict"
        check_keys(f"{where}: the state", state, ("state", "param_groups"))
        groups = self._loaded_groups(where, state["param_groups"])
        params = list(self._params())
        entries = self._loaded_entries(where, state["state"], params)
        for group, loaded in zip(self.param_groups, groups, strict=True):
            stale = [key for key in group if key in SCHEDULED and key not in loaded]
            for key in stale:
                del group[key]
            group.update(loaded)
        self.state = {params[i]: entry for i, entry in entries.items()}

    def _loaded_groups(self, where: str, saved: Any) -> list[Group]:
        sizes = [len(group["params"]) for group in self.param_groups]
        if not isinstance(saved, list) or len(saved) != len(sizes):
            count = len(saved) if isinstance(saved, list) else repr(saved)
            raise ArgumentError(
                f"{where}: the state has {count} parameter groups, the optimizer "
                f"{len(sizes)}",
                help="build the optimizer with the same groups as when it was saved",
            )
        return [
            self._loaded_group(f"{where}: group {i}", group, size, sum(sizes[:i]))
            for i, (group, size) in enumerate(zip(saved, sizes, strict=True))
        ]

    def _loaded_group(self, what: str, saved: Any, size: int, start: int) -> Group:
        check_keys(what, saved, ("params", *self.defaults), SCHEDULED)
        if saved["params"] != list(range(start, start + size)):
            raise ArgumentError(
                f"{what} has the parameters {saved['params']!r}",
                rule=f"this group has {size} parameters, from position {start}",
            )
        options = self._checked_options({key: saved[key] for key in self.defaults})
        scheduled = {k: check_lr(what, saved[k]) for k in SCHEDULED if k in saved}
        return {**options, **scheduled}

    def _loaded_entries(
        self, where: str, saved: Any, params: list[Tensor]
    ) -> dict[int, dict[str, Any]]:
        if not isinstance(saved, dict):
            raise ArgumentError(f"{where}: 'state' is {saved!r}, not a dict")
        for key in saved:
            if type(key) is not int or not 0 <= key < len(params):
                raise ArgumentError(
                    f"{where}: 'state' has the unknown {key!r}",
                    rule=f"its keys are positions of parameters, 0 to "
                    f"{len(params) - 1}",
                )
        return {
            i: self._loaded_entry(f"{where}: the state of parameter {i}", e, params[i])
            for i, e in saved.items()
        }

    def _loaded_entry(self, what: str, entry: Any, param: Tensor) -> dict[str, Any]:
        check_keys(what, entry, (), self._per_param)
        for name, value in entry.items():
            if name == "step":
                if type(value) is not int or value < 0:
                    raise ArgumentError(f"{what}: step={value!r} is no count")
                continue
            if not isinstance(value, Tensor):
                raise ArgumentError(f"{what}: {name!r} is no Tensor")
            if (value.shape, value.dtype) != (param.shape, param.dtype):
                raise ShapeError(
                    f"{what}: {name!r} is {value._text()}, the parameter "
                    f"{param._text()}",
                    rule="it has the shape and dtype of its parameter",
                )
        return {k: _known(v) if isinstance(v, Tensor) else v for k, v in entry.items()}

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__}("]
        for i, group in enumerate(self.param_groups):
            options = ", ".join(f"{k}={group[k]!r}" for k in self.defaults)
            lines.append(f"  group {i}: {len(group['params'])} parameters, {options}")
        return "\n".join([*lines, ")"])


def _blank(param: Tensor) -> Tensor:
    """Zeros like a parameter, as data: a first step then looks like all others."""
    aval = param._aval()
    start = jnp.zeros(aval.shape, aval.dtype)
    return Tensor(nodes.constant(start, nodes.aval_of(start)))


def _copied(entry: dict[str, Any]) -> dict[str, Any]:
    """A copy that later steps do not change."""
    return {k: copy(v) for k, v in entry.items()}


def _known(value: Tensor) -> Tensor:
    return value.eval().detach()
