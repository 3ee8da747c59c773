"""Normalization as functions."""

from __future__ import annotations

from typing import Any

from jax.core import Tracer

from pyflame.errors import GraphError, ShapeError
from pyflame.grad_mode import no_grad
from pyflame.nn.arguments import normalized_sizes
from pyflame.ops import normalization as ops
from pyflame.recorded import as_tensor
from pyflame.tensors import Tensor, apply, as_node


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: Any = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalizes each channel of [N, C, ...].

    In training by the mean and (biased) variance of the batch, which also move the
    running statistics, the unbiased variance that is, by `momentum`: they are assigned
    and not computed yet. Otherwise by the running statistics. An empty batch is
    nothing to learn from, and moves nothing.

    Raises: ShapeError, for one value per channel in training, or wrong channels;
    GraphError, if statistics that are no Tensors should move.
    """
    _check_channels(input, running_mean if weight is None else weight)
    if not training:
        statistics = map(as_tensor, (running_mean, running_var))
        mean, variance = (each.detach() for each in statistics)
    else:
        _check_several_values(input)
        mean = apply(ops.batch_mean, input)
        variance = apply(ops.batch_variance, input, unbiased=False)
        if running_mean is not None and 0 not in input.shape:
            _update(input, running_mean, running_var, mean, momentum)
    parameters = affine("batch_norm", weight, bias)
    return apply(ops.batch_norm, input, mean, variance, float(eps), *parameters)


def layer_norm(
    input: Any,
    normalized_shape: Any,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Any:
    """Normalizes over the last dimensions, whose sizes are `normalized_shape`.

    Raises: ShapeError, if they are not.
    """
    sizes = normalized_sizes("layer_norm", normalized_shape)
    parameters = affine("layer_norm", weight, bias)
    return apply(ops.layer_norm, input, float(eps), *parameters, shape=sizes)


def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Normalizes [N, C, ...] over each of `num_groups` groups of channels.

    Raises: ShapeError, if the channels do not divide into the groups.
    """
    parameters = affine("group_norm", weight, bias)
    return apply(
        ops.group_norm, input, float(eps), *parameters, num_groups=int(num_groups)
    )


def affine(op: str, weight: Any, bias: Any) -> tuple[Any, ...]:
    """The operands after the input: nothing, a weight, or a weight and a bias."""
    if bias is None:
        return () if weight is None else (weight,)
    if weight is None:
        raise ShapeError(
            f"{op}: a bias without a weight", rule="pass both, a weight alone, or none"
        )
    return weight, bias


@no_grad()
def _update(
    input: Any, running_mean: Any, running_var: Any, mean: Any, momentum: Any
) -> None:
    _check_tensors(running_mean, running_var)
    _check_outside_of_traces(input, running_mean)
    variance = apply(ops.batch_variance, input, unbiased=True)
    running_mean._assign(apply(ops.running, running_mean, mean, momentum))
    running_var._assign(apply(ops.running, running_var, variance, momentum))


def _check_tensors(*running: Any) -> None:
    others = [type(x).__name__ for x in running if not isinstance(x, Tensor)]
    if others:
        raise GraphError(
            f"batch_norm: running statistics of type {others[0]} cannot move",
            rule="in training the statistics are Tensors, which are assigned to",
            help="pass Tensors, or None and move the statistics yourself",
        )


def _check_outside_of_traces(input: Any, running: Any) -> None:
    inside = isinstance(as_node(input).value, Tracer)
    if inside and not isinstance(as_node(running).value, Tracer):
        raise GraphError(
            "batch_norm: running statistics cannot move inside jax.jit, grad or vmap",
            rule="a tensor outside of a trace cannot take a value from inside",
            help="call model.eval(), pass track_running_stats=False, or pass the "
            "buffers in with pf.nn.functional_call(..., mutable=True)",
        )


def _check_channels(input: Any, channels: Any) -> None:
    if channels is None:
        return
    shape = list(input.shape)
    if len(shape) < 2 or shape[1] != channels.shape[0]:
        raise ShapeError(
            f"batch_norm of {shape}: there are not {channels.shape[0]} channels",
            rule="the input is [N, C, ...] with C = num_features",
        )


def _check_several_values(input: Any) -> None:
    shape = list(input.shape)
    count = shape[0]
    for size in shape[2:]:
        count *= size
    if count == 1:
        raise ShapeError(
            f"batch_norm of {shape}: 1 value per channel has no variance",
            rule="training needs more than one value per channel",
            help="use a larger batch, or call eval() first",
        )
