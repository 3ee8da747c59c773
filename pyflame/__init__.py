"""PyTorch-like tensors on JAX that compile to CSL and run on a simulated wafer.

Names load when they are first used, so that `import pyflame.wse` (and with it `cslc`
and `cs_python`) starts without JAX.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pyflame import shown

__version__ = "1.0.0-alpha"
__version_info__ = (1, 0, 0, "alpha")
__release_status__ = "Pre-Release Alpha"

_NAMES_BY_MODULE = {
    "pyflame.dtypes": (
        "DType bfloat16 bool_ dtype_name dtype_size float16 float32 int16 int32 int8"
    ),
    "pyflame.layout": "MeshLayout PECoord",
    "pyflame.tensors": "Tensor",
    "pyflame.creation": (
        "arange empty empty_like eye from_numpy full full_like linspace manual_seed "
        "ones ones_like rand randn tensor zeros zeros_like"
    ),
    "pyflame.sampling": "bernoulli rand_like randint randn_like randperm",
    "pyflame.functions": (
        "abs absolute acos acosh add addcdiv addcmul all allclose amax amin any "
        "arccos arcsin arctan arctan2 argmax argmin argsort asin asinh atan atan2 "
        "atanh bitwise_and bitwise_left_shift bitwise_not bitwise_or "
        "bitwise_right_shift bitwise_xor bmm broadcast_to cat ceil chunk clamp clip "
        "clone concat cos cosh count_nonzero cumprod cumsum deg2rad detach diag "
        "diagonal div divide dot einsum eq equal erf erfc erfinv eval exp exp2 expand "
        "expm1 flatten flip floor floor_divide fmod frac gather ge gelu greater "
        "greater_equal gt hstack hypot index_add index_select is_lazy isclose "
        "isfinite isinf isnan le lerp less less_equal log log10 log1p log2 "
        "log_softmax logaddexp logical_and logical_not logical_or logical_xor logit "
        "logsumexp lt masked_fill masked_select matmul max maximum mean meshgrid min "
        "minimum mm moveaxis movedim mul multiply mv nan_to_num narrow ne neg "
        "negative nonzero norm not_equal outer permute pow prod rad2deg ravel "
        "reciprocal relu remainder repeat repeat_interleave reshape roll round rsqrt "
        "scatter scatter_add select sigmoid sign silu sin sinh softmax sort split "
        "sqrt square squeeze stack std sub subtract sum swapaxes swapdims t "
        "take_along_dim tan tanh tile topk transpose tril triu true_divide trunc "
        "unbind unflatten unsqueeze var vstack where"
    ),
    "pyflame.graph": "Graph Node TensorSpec get_graph get_node print_graph",
    "pyflame.jitted.function": "jit",
    "pyflame.keys": "random_from",
    "pyflame.saving": "load save",
    "pyflame.codegen.generator": "CSLCodeGenerator compile_to_csl",
    "pyflame.codegen.options": "CodeGenOptions",
    "pyflame.codegen.result": "CodeGenResult",
    "pyflame.codegen.simulation_run": "SimulationRun",
    "pyflame.errors": (
        "ArgumentError DTypeError GraphError PyFlameError RunError SavedFileError "
        "ShapeError"
    ),
    "lowering.errors": (
        "DivergentCollectiveError DoesNotFitError LayoutError LoweringError "
        "OptionError ResourcesExhaustedError SeveralErrors UnsupportedDtypeError "
        "UnsupportedPrimitiveError"
    ),
}
_MODULE_OF = {n: m for m, names in _NAMES_BY_MODULE.items() for n in names.split()}
_PACKAGES = ("autograd", "nn", "optim", "report")

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll]
    "__release_status__",
    "__version__",
    "__version_info__",
    *sorted(_MODULE_OF),
]


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"pyflame.{name}")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'pyflame' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_PACKAGES})


def _html_of(thing: object) -> str:
    return import_module("pyflame.report").html_of(thing)


shown.reports_come_from(_html_of)
