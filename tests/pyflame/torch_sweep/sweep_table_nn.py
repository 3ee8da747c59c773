"""Rows for pyflame.nn.functional."""

from __future__ import annotations

from typing import Any

from sweep_entry import Call, Entry, Excluded

from pyflame.nn import functional as F


def _nn(name: str, **more: Any) -> Entry:
    ours = name.partition(".")[0]
    call = more.pop("call", None) or getattr(F, ours)
    shown = f"nn.functional.{ours}"
    return Entry(name=f"nn.functional.{name}", call=call, shown=shown, **more)


def _certain(dropout: Call) -> Call:
    def call(x: Any, p: float = 0.5, training: bool = True, **kwargs: Any) -> Any:
        if training and 0 < p < 1:
            raise Excluded("random numbers")
        return dropout(x, p, training, **kwargs)

    return call


def _embedding(weight: Any, index: Any, **kwargs: Any) -> Any:
    return F.embedding(index, weight, **kwargs)


def _certain_attention(*args: Any, dropout_p: float = 0.0, **kwargs: Any) -> Any:
    if 0 < dropout_p < 1:
        raise Excluded("random numbers")
    return F.scaled_dot_product_attention(*args, dropout_p=dropout_p, **kwargs)


_PADS = {"neither is negative": "negative padding outside mode 'constant'"}
_SUMS = "sums of products, in another order"

NN = [
    *[_nn(name) for name in "relu gelu silu leaky_relu prelu relu6 hardtanh".split()],
    *[_nn(name) for name in "elu celu selu softplus hardswish hardsigmoid".split()],
    *[_nn(name) for name in "hardshrink softshrink tanhshrink softsign".split()],
    *[_nn(name) for name in "logsigmoid mish threshold glu softmin".split()],
    _nn("linear"),
    _nn("embedding", call=_embedding),
    _nn("conv1d", rounding=_SUMS),
    _nn("conv2d", rounding=_SUMS),
    _nn(
        "batch_norm",
        refusals={r"batch_norm of \[0\]": "a batch of no shape: [N, C, ...] has two"},
    ),
    _nn("layer_norm", rounding="of one element, PyTorch's mean is not quite itself"),
    _nn("group_norm"),
    _nn("pad.constant"),
    *[_nn(f"pad.{m}", refusals=_PADS) for m in "reflect replicate circular".split()],
    _nn(
        "normalize",
        refusals={"p is above 0": "p of 0 or less", "a scalar has no": "scalars"},
    ),
    _nn("one_hot", refusals={"num_classes=-1": "a size that hangs on values"}),
    _nn("scaled_dot_product_attention", call=_certain_attention, rounding=_SUMS),
    _nn("dropout", call=_certain(F.dropout)),
    _nn("dropout2d", call=_certain(F.dropout2d)),
    _nn("max_pool2d", every=72),
    _nn("avg_pool2d"),
    _nn("adaptive_avg_pool2d"),
    _nn("mse_loss"),
    _nn("l1_loss"),
    _nn("smooth_l1_loss"),
    _nn("huber_loss"),
    _nn("binary_cross_entropy"),
    _nn("binary_cross_entropy_with_logits"),
    _nn("nll_loss"),
    _nn("cross_entropy"),
    _nn("kl_div"),
]
