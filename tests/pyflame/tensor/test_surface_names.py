"""What there is: methods and functions in pairs, each with something to say."""

import inspect
from typing import Any

import pytest

import pyflame as pf
from pyflame import functions

# what people write without looking
METHODS = """
abs acos add addcdiv addcmul all allclose amax amin any argmax argmin argsort asin
astype atan bfloat16 bmm bool broadcast_to ceil char chunk clamp clip clone contiguous
copy_ cos count_nonzero cumprod cumsum detach diag diagonal dim div dot eq erf exp
expand expand_as expm1 fill_ flatten flip float floor floor_divide fmod gather ge gt
half index_add index_select int is_floating_point isclose isfinite isinf isnan item le
lerp log log10 log1p log2 logical_and logical_not logical_or logsumexp lt masked_fill
masked_select matmul max maximum mean min minimum mm movedim mul mv narrow ne neg
nonzero norm numpy outer permute pow prod ravel reciprocal relu remainder repeat
repeat_interleave reshape roll round rsqrt scatter scatter_add short sigmoid sign sin
sinh size softmax sort split sqrt square squeeze std sub sum swapaxes t take_along_dim
tan tanh to tolist topk transpose tril triu trunc type_as unbind unflatten unsqueeze
var view view_as where zero_
""".split()
FUNCTIONS = """
arange bernoulli cat concat einsum empty equal eye from_numpy full full_like hstack
linspace manual_seed meshgrid ones ones_like rand rand_like randint randn randn_like
randperm stack tensor vstack where zeros zeros_like
""".split()


@pytest.mark.parametrize("name", METHODS)
def test_methods(name: str) -> None:
    assert callable(getattr(pf.Tensor, name))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    assert callable(getattr(pf, name))


def test_every_function_and_method_says_what_it_does() -> None:
    methods = {
        f"Tensor.{name}": method
        for name, method in vars(pf.Tensor).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }
    found = {name: getattr(functions, name) for name in functions.__all__}
    silent = [name for name, one in {**found, **methods}.items() if not one.__doc__]
    assert silent == []
    assert len(methods) > 200


def test_a_method_is_the_function_of_its_name() -> None:
    for name in functions.__all__:
        method: Any = vars(pf.Tensor).get(name)
        if method is not None and name != "where":
            assert method is getattr(functions, name)


def test_all_functions_are_names_of_the_package() -> None:
    assert set(functions.__all__) <= set(pf.__all__)
