"""Module: named parameters, buffers and submodules, and what is done to all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from pyflame.dtypes import as_dtype
from pyflame.errors import ArgumentError, DTypeError, PyFlameError
from pyflame.nn.parameter import check_leaf
from pyflame.nn.state import LoadedKeys, load
from pyflame.tensors import Tensor


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
        kinds = self._kinds()
        if isinstance(value, Module):
            kinds[name] = "module"
        elif isinstance(value, Tensor):
            if kinds.get(name) != "buffer":
                check_leaf(f"{type(self).__name__}.{name}", value)
                kinds[name] = "parameter"
        elif value is not None:
            kinds.pop(name, None)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self._kinds().pop(name, None)
        object.__delattr__(self, name)

    def register_buffer(self, name: str, tensor: Tensor | None) -> None:
        """State that belongs to the module and is not trained."""
        self._kinds()[name] = "buffer"
        setattr(self, name, tensor)

    def register_parameter(self, name: str, tensor: Tensor | None) -> None:
        """A parameter; None keeps the name for one that this module does without."""
        self._kinds()[name] = "parameter"
        setattr(self, name, tensor)

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
        """The direct submodules with their names."""
        return list(self._own("module"))

    def children(self) -> list[Module]:
        """The direct submodules."""
        return [module for _, module in self.named_children()]

    def named_modules(self, prefix: str = "") -> list[tuple[str, Module]]:
        """This module and all below, with dotted names; a shared one once."""
        found: dict[int, tuple[str, Module]] = {}
        for name, module in self._walk(prefix):
            found.setdefault(id(module), (name, module))
        return list(found.values())

    def modules(self) -> list[Module]:
        """This module and all below."""
        return [module for _, module in self.named_modules()]

    def named_parameters(self, prefix: str = "") -> list[tuple[str, Tensor]]:
        """Every parameter with its dotted name; a shared one once."""
        return _once(self._named("parameter", prefix))

    def parameters(self) -> list[Tensor]:
        """Every parameter, as optimizers take them."""
        return [tensor for _, tensor in self.named_parameters()]

    def named_buffers(self, prefix: str = "") -> list[tuple[str, Tensor]]:
        """Every buffer with its dotted name; a shared one once."""
        return _once(self._named("buffer", prefix))

    def buffers(self) -> list[Tensor]:
        """Every buffer."""
        return [tensor for _, tensor in self.named_buffers()]

    def _walk(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        yield prefix, self
        for name, child in self._own("module"):
            yield from child._walk(_join(prefix, name))

    def _named(self, kind: str, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        for path, module in self._walk(prefix):
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

    def zero_grad(self) -> None:
        """Forgets the gradients of every parameter."""
        for parameter in self.parameters():
            parameter.grad = None

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

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by dotted name, as they are now.

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
                    yield _join(path, name), tensor

    # text

    def extra_repr(self) -> str:
        """The arguments, for `repr`."""
        return ""

    def __repr__(self) -> str:
        head, children = type(self).__name__, self.named_children()
        if not children:
            return f"{head}({self.extra_repr()})"
        lines = [self.extra_repr()] if self.extra_repr() else []
        lines += [f"({name}): {child!r}" for name, child in children]
        inner = "\n".join(lines).replace("\n", "\n  ")
        return f"{head}(\n  {inner}\n)"


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _once(named: Iterator[tuple[str, Tensor]]) -> list[tuple[str, Tensor]]:
    found: dict[int, tuple[str, Tensor]] = {}
    for name, tensor in named:
        found.setdefault(id(tensor), (name, tensor))
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
