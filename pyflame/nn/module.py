"""Module: named parameters, buffers and submodules, and what is done to all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeVar

from pyflame import tracing
from pyflame.creation import zeros
from pyflame.dtypes import as_dtype
from pyflame.errors import ArgumentError, DTypeError, PyFlameError
from pyflame.nn.parameter import check_leaf
from pyflame.nn.state import LoadedKeys, load
from pyflame.parameter_names import remember
from pyflame.tensors import Tensor

T = TypeVar("T")


class Module:
    """Base class of every layer; subclasses define `forward`.

    A Tensor set as an attribute is a parameter, a Module a submodule; state that is not
    trained goes through `register_buffer`. Results of ops are refused as attributes,
    because they would be parameters that no training reaches: wrap them in `Parameter`.
    """

    training = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`forward`, with the module named in the errors that it raises."""
        try:
            return self.forward(*args, **kwargs)
        except PyFlameError as error:
            _name_module(error, self)
            raise

    # registration

    def __setattr__(self, name: str, value: Any) -> None:
        tracing.module_changes += 1
        kinds = self._kinds()
        if isinstance(value, Module):
            kinds[name] = "module"
        elif isinstance(value, Tensor):
            if kinds.get(name) != "buffer":
                check_leaf(f"{type(self).__name__}.{name}", value)
                kinds[name] = "parameter"
                remember(value._own_leaf(), name, value._node.traceback)
        elif value is not None:
            kinds.pop(name, None)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        tracing.module_changes += 1
        self._kinds().pop(name, None)
        object.__delattr__(self, name)

    def register_buffer(
        self, name: str, tensor: Tensor | None, persistent: bool = True
    ) -> None:
        """State that belongs to the module and is not trained.

        It is part of `state_dict` if it is `persistent`.
        """
        self._check_name(name)
        self._kinds()[name] = "buffer"
        passing = vars(self).setdefault("_passing_buffers", set())
        (passing.discard if persistent else passing.add)(name)
        setattr(self, name, tensor)

    def register_parameter(self, name: str, tensor: Tensor | None) -> None:
        """A parameter; None keeps the name for one that this module does without."""
        self._check_name(name)
        self._kinds()[name] = "parameter"
        setattr(self, name, tensor)

    def register_module(self, name: str, module: Module | None) -> None:
        """A submodule; None keeps the name for one that this module does without.

        Raises: ArgumentError, for what is no module, or a name with a dot.
        """
        if module is not None and not isinstance(module, Module):
            raise ArgumentError(
                f"{type(self).__name__}: {type(module).__name__} is no module",
                rule="every element is a pf.nn.Module",
            )
        self._check_name(name)
        self._kinds()[name] = "module"
        setattr(self, name, module)

    add_module = register_module

    def _check_name(self, name: Any) -> None:
        if not isinstance(name, str) or not name or "." in name:
            raise ArgumentError(
                f"{type(self).__name__}: {name!r} is no name",
                rule="a name is a string that is not empty and has no dot",
            )
        if hasattr(type(self), name):
            raise ArgumentError(
                f"{type(self).__name__}: {name!r} is an attribute of the class",
                help="take another name",
            )

    def _kinds(self) -> dict[str, str]:
        """Attribute name to "parameter", "buffer" or "module", in order of setting."""
        return vars(self).setdefault("_kind_of", {})

    def _own(self, kind: str) -> Iterator[tuple[str, Any]]:
        for name, found in self._kinds().items():
            value = vars(self).get(name)
            if found == kind and value is not None:
                yield name, value

    # views

    def named_children(self) -> list[tuple[str, Module]]:
        """The direct submodules with their names; a shared one once."""
        return _once(self._own("module"))

    def children(self) -> list[Module]:
        """The direct submodules."""
        return [module for _, module in self.named_children()]

    def named_modules(self, prefix: str = "") -> list[tuple[str, Module]]:
        """This module and all below, with dotted names; a shared one once."""
        return _once(self._walk(prefix))

    def modules(self) -> list[Module]:
        """This module and all below."""
        return [module for _, module in self.named_modules()]

    def named_parameters(
        self, prefix: str = "", recurse: bool = True
    ) -> list[tuple[str, Tensor]]:
        """Every parameter with its dotted name; a shared one once.

        Without `recurse` those of this module alone.
        """
        return _once(self._named("parameter", prefix, recurse))

    def parameters(self, recurse: bool = True) -> list[Tensor]:
        """Every parameter, as optimizers take them."""
        return [tensor for _, tensor in self.named_parameters(recurse=recurse)]

    def named_buffers(
        self, prefix: str = "", recurse: bool = True
    ) -> list[tuple[str, Tensor]]:
        """Every buffer with its dotted name; a shared one once."""
        return _once(self._named("buffer", prefix, recurse))

    def buffers(self, recurse: bool = True) -> list[Tensor]:
        """Every buffer."""
        return [tensor for _, tensor in self.named_buffers(recurse=recurse)]

    def get_submodule(self, target: str) -> Module:
        """The module of a dotted name; "" is this one.

        Raises: ArgumentError, if there is none.
        """
        module = self
        for name in target.split(".") if target else ():
            module = module._member("module", target, name)
        return module

    def get_parameter(self, target: str) -> Tensor:
        """The parameter of a dotted name.

        Raises: ArgumentError, if there is none.
        """
        path, _, name = target.rpartition(".")
        return self.get_submodule(path)._member("parameter", target, name)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer of a dotted name.

        Raises: ArgumentError, if there is none.
        """
        path, _, name = target.rpartition(".")
        return self.get_submodule(path)._member("buffer", target, name)

    def _member(self, kind: str, target: str, name: str) -> Any:
        found = dict(self._own(kind))
        if name not in found:
            raise ArgumentError(
                f"{type(self).__name__} has no {kind} {name!r}, of {target!r}",
                rule=f"it has {', '.join(map(repr, found)) or 'none'}",
            )
        return found[name]

    def _walk(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        yield prefix, self
        for name, child in self._own("module"):
            yield from child._walk(_join(prefix, name))

    def _named(
        self, kind: str, prefix: str = "", recurse: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        for path, module in self._walk(prefix) if recurse else [(prefix, self)]:
            for name, tensor in module._own(kind):
                yield _join(path, name), tensor

    # modes

    def train(self, mode: bool = True) -> Self:
        """Training mode (dropout drops, batch statistics) for all modules below."""
        if not isinstance(mode, bool):
            raise ArgumentError(
                f"train: {mode!r} is no mode", rule="mode is True or False"
            )
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Inference mode for all modules below."""
        return self.train(False)

    def is_training(self) -> bool:
        """Whether the module is in training mode."""
        return self.training

    # changes of all tensors

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Calls `fn` with every module below, then with this one, as to initialise."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freezes all floating parameters (False), or lets them be trained again."""
        for parameter in self.parameters():
            if parameter.dtype.is_floating:
                parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients of every parameter, or makes them zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = zeros(parameter.shape, dtype=parameter.dtype)

    def to(self, dtype: object) -> Self:
        """Casts floating parameters, their gradients and buffers to `dtype`, in place.

        Raises: DTypeError, unless `dtype` is floating.
        """
        target = as_dtype(dtype)
        if not target.is_floating:
            raise DTypeError(
                f"{type(self).__name__}.to: {target.name} is not floating",
                rule="parameters are float32, float16 or bfloat16",
            )
        for tensor in [*self.parameters(), *self.buffers()]:
            if tensor.dtype.is_floating and tensor.dtype != target:
                _cast(tensor, target)
        return self

    def float(self) -> Self:
        """`to(float32)`."""
        return self.to("float32")

    def half(self) -> Self:
        """`to(float16)`."""
        return self.to("float16")

    def bfloat16(self) -> Self:
        """`to(bfloat16)`."""
        return self.to("bfloat16")

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and persistent buffers by dotted name, as they are now.

        Later training steps do not change the result.
        """
        return {name: tensor.__copy__() for name, tensor in self._state()}

    def load_state_dict(
        self, state_dict: dict[str, Any], strict: bool = True
    ) -> LoadedKeys:
        """Takes over values by name: Tensors, arrays, or tensors of PyTorch.

        Values are cast to the dtype of what they replace. Returns the missing and the
        unexpected keys.

        Raises: ArgumentError, that lists all missing and unexpected keys (if `strict`)
        and all wrong shapes; then nothing is loaded.
        """
        return load(type(self).__name__, dict(self._state()), state_dict, strict)

    def _state(self) -> Iterator[tuple[str, Tensor]]:
        for path, module in self._walk():
            for kind in ("parameter", "buffer"):
                for name, tensor in module._own(kind):
                    if name not in vars(module).get("_passing_buffers", ()):
                        yield _join(path, name), tensor

    # text

    def extra_repr(self) -> str:
        """The arguments, for `repr`."""
        return ""

    def __repr__(self) -> str:
        head, children = type(self).__name__, list(self._own("module"))
        if not children:
            return f"{head}({self.extra_repr()})"
        lines = [self.extra_repr()] if self.extra_repr() else []
        lines += [f"({name}): {child!r}" for name, child in children]
        inner = "\n".join(lines).replace("\n", "\n  ")
        return f"{head}(\n  {inner}\n)"


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _once(named: Iterable[tuple[str, T]]) -> list[tuple[str, T]]:
    """Each thing under its first name."""
    found: dict[int, tuple[str, T]] = {}
    for name, thing in named:
        found.setdefault(id(thing), (name, thing))
    return list(found.values())


def _cast(tensor: Tensor, dtype: object) -> None:
    grad = tensor.grad
    tensor._assign(tensor.to(dtype))
    tensor.grad = None if grad is None else grad.to(dtype)


def _name_module(error: PyFlameError, module: Module) -> None:
    """Puts the innermost module before the message, once."""
    if "module" not in vars(error):
        vars(error)["module"] = module
        text = f"{type(module).__name__}({module.extra_repr()})"
        error.message = f"{text}: {error.message}"
