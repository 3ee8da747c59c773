"""The examples of docs/jit.md run, and do what the page says."""

import re
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

import pyflame as pf

PAGE = Path(__file__).parents[3] / "docs" / "jit.md"


def test_the_examples_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, Any] = {}
    exec(blocks[0], names)
    x = pf.tensor(np.ones((4, 784), np.float32)).detach()
    y = pf.tensor(np.arange(4))
    losses = [names["step"](x, y).item() for _ in range(3)]
    assert losses[2] < losses[0]
    exec(blocks[1], names)
    state = {k: jnp.asarray(v) for k, v in names["model"].state_dict().items()}
    gradients = names["gradients"](state, x, y)
    names["step"](x, y)
    for name, parameter in names["model"].named_parameters():
        np.testing.assert_allclose(
            gradients[name], parameter.grad.numpy(), rtol=1e-4, atol=1e-6
        )
