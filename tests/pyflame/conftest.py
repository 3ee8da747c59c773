"""The frontend's tests compile without most of XLA's optimizations, unless asked to.

Compiling is what takes their time: a few elements are computed once per program. With
`--optimize`, as in the slow tests, programs are compiled as for users.
"""

from collections.abc import Iterator

import jax
import pytest

NO_OPTIMIZATIONS = "jax_disable_most_optimizations"


@pytest.fixture(autouse=True)
def quick_compilation(request: pytest.FixtureRequest) -> Iterator[None]:
    """Off for tests marked `optimized`, which start without compiled programs."""
    config = request.config
    marked = request.node.get_closest_marker("optimized") is not None
    if marked:
        jax.clear_caches()
    is_quick = config.option.markexpr == "not slow" and not config.option.optimize
    before = jax.config.values[NO_OPTIMIZATIONS]
    jax.config.update(NO_OPTIMIZATIONS, is_quick and not marked)
    yield
    jax.config.update(NO_OPTIMIZATIONS, before)
