"""Plans take little more memory than must stand there at once."""

import pytest
from memory_models import models, needed_bytes, planned

pytest.importorskip("flax", reason="pip install -e '.[test-models]'")
pytest.importorskip("equinox", reason="pip install -e '.[test-models]'")

QUICK = {"conjugate gradient", "Gauss-Jordan", "Flax, dense: gradient"}


def test_plans_take_little_more_than_they_must():
    ratios = []
    for name, model in models():
        if name in QUICK:
            plan = planned(model)
            ratios.append(plan.cost.data_bytes / needed_bytes(plan))
        if len(ratios) == len(QUICK):
            break
    assert len(ratios) == len(QUICK)
    assert all(1 <= ratio < 1.1 for ratio in ratios)
