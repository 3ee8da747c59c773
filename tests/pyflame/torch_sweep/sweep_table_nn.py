"""Rows for pyflame.nn.functional."""

from __future__ import annotations

from sweep_entry import Entry

from pyflame.nn import functional as F


def _nn(name: str, **more: object) -> Entry:
    return Entry(name=f"nn.functional.{name}", call=getattr(F, name), **more)  # pyright: ignore[reportArgumentType]


NN = [
    _nn("relu"),
    _nn("gelu"),
    _nn("silu"),
    _nn("linear"),
    _nn("embedding"),
    Entry(name="flatten", call=F.flatten),
    _nn("conv1d"),
    _nn("conv2d"),
    _nn("batch_norm"),
    _nn("layer_norm"),
    _nn("group_norm"),
    _nn("max_pool2d", every=24),
    _nn("avg_pool2d"),
    _nn("adaptive_avg_pool2d"),
    _nn("mse_loss"),
    _nn("l1_loss"),
    _nn("smooth_l1_loss"),
    _nn("binary_cross_entropy"),
    _nn("binary_cross_entropy_with_logits"),
    _nn("nll_loss"),
    _nn("cross_entropy"),
    _nn("kl_div"),
]
