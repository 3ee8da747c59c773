"""Activation functions beyond the basic ones, as modules."""

from __future__ import annotations

from typing import Any

from pyflame.creation import full
from pyflame.nn import functional as F
from pyflame.nn.activation import InPlace, Softmax
from pyflame.nn.arguments import check_positive
from pyflame.nn.module import Module


class SELU(InPlace):
    """elu, scaled so that layers keep mean 0 and variance 1."""

    def forward(self, input: Any) -> Any:
        return F.selu(input, self.inplace)


class ReLU6(InPlace):
    """min(max(x, 0), 6)."""

    def forward(self, input: Any) -> Any:
        return F.relu6(input, self.inplace)


class Hardswish(InPlace):
    """x * relu6(x + 3) / 6."""

    def forward(self, input: Any) -> Any:
        return F.hardswish(input, self.inplace)


class Hardsigmoid(InPlace):
    """relu6(x + 3) / 6."""

    def forward(self, input: Any) -> Any:
        return F.hardsigmoid(input, self.inplace)


class Mish(InPlace):
    """x * tanh(softplus(x))."""

    def forward(self, input: Any) -> Any:
        return F.mish(input, self.inplace)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input: Any) -> Any:
        return F.softsign(input)


class LogSigmoid(Module):
    """log(sigmoid(x)), stable for any x."""

    def forward(self, input: Any) -> Any:
        return F.logsigmoid(input)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, input: Any) -> Any:
        return F.tanhshrink(input)


class Softmin(Softmax):
    """softmax(-x) along `dim`."""

    def forward(self, input: Any) -> Any:
        return F.softmin(input, self.dim)


class LeakyReLU(InPlace):
    """x above 0, negative_slope * x elsewhere."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Any) -> Any:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return _joined(f"negative_slope={self.negative_slope}", super().extra_repr())


class PReLU(Module):
    """LeakyReLU whose slopes are learned: one, or one per channel of [N, C, ...]."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        check_positive("PReLU", num_parameters=num_parameters)
        self.num_parameters = num_parameters
        self.weight = full([num_parameters], init)

    def forward(self, input: Any) -> Any:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class ELU(InPlace):
    """x above 0, alpha (exp(x) - 1) elsewhere."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Any) -> Any:
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return _joined(f"alpha={self.alpha}", super().extra_repr())


class CELU(ELU):
    """x above 0, alpha (exp(x / alpha) - 1) elsewhere."""

    def forward(self, input: Any) -> Any:
        return F.celu(input, self.alpha, self.inplace)


class Hardtanh(InPlace):
    """x, held between `min_val` and `max_val`."""

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
    ) -> None:
        super().__init__(inplace)
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, input: Any) -> Any:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        bounds = f"min_val={self.min_val}, max_val={self.max_val}"
        return _joined(bounds, super().extra_repr())


class Softplus(Module):
    """log(1 + exp(beta x)) / beta; x itself where beta x is above `threshold`."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Any) -> Any:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Hardshrink(Module):
    """0 from -lambd to lambd, x elsewhere."""

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = lambd

    def forward(self, input: Any) -> Any:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"lambd={self.lambd}"


class Softshrink(Hardshrink):
    """x moved towards 0 by `lambd`, no further than 0."""

    def forward(self, input: Any) -> Any:
        return F.softshrink(input, self.lambd)


class Threshold(InPlace):
    """x above `threshold`, `value` elsewhere."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Any) -> Any:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        text = f"threshold={self.threshold}, value={self.value}"
        return _joined(text, super().extra_repr())


class GLU(Module):
    """The first half along `dim` times the sigmoid of the second."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


def _joined(*texts: str) -> str:
    return ", ".join(filter(None, texts))
