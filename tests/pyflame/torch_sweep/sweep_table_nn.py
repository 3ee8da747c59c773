"""Rows for pyflame.nn.functional."""

from __future__ import annotations

from typing import Any

from sweep_entry import Entry

from pyflame.nn import functional as F


def _nn(name: str, **more: Any) -> Entry:
    call = more.pop("call", None) or getattr(F, name)
    return Entry(
        name=f"nn.functional.{name}", call=call, shown=f"nn.functional.{name}", **more
    )


def _embedding(weight: Any, index: Any, **kwargs: Any) -> Any:
    return F.embedding(index, weight, **kwargs)


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
