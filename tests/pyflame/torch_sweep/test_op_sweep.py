"""Every op beside PyTorch over PyTorch's own sample inputs, with their gradients."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest", reason="torch.testing's sample inputs need it")

from sweep_opinfo import op_infos, sweep  # noqa: E402
from sweep_report import (  # noqa: E402
    OTHERS,
    PAGE,
    comparable,
    load_counts,
    page,
    version,
)
from sweep_table import ENTRIES  # noqa: E402

NAMES = [pytest.param(name, id=name) for name in ENTRIES]
# Each part takes three times as many samples as the plain test run.
PARTS = [
    pytest.param(name, part, id=f"{name}-{part}")
    for name, entry in ENTRIES.items()
    if entry.every > 1
    for part in range(entry.every // 3)
]


@pytest.mark.parametrize("name", NAMES)
def test_op(name: str) -> None:
    entry = ENTRIES[name]
    single = sweep(entry, torch.float32, entry.every)
    whole = sweep(entry, torch.int32, entry.every)
    found = [outcome for outcome in (single, whole) if outcome]
    assert [text for outcome in found for text in outcome.failures] == []
    assert any(outcome.equal for outcome in found), "nothing was compared"
    recorded_version, recorded = load_counts()
    if recorded_version == version():
        for dtype, outcome in ((torch.float32, single), (torch.int32, whole)):
            kept = comparable(recorded.get((name, dtype)))
            assert comparable(outcome) == kept, f"run write_table.py '^{name}$'"


def test_the_page_tells_the_counts() -> None:
    recorded = load_counts()[1]
    assert {name for name, _ in recorded} == set(ENTRIES)
    assert PAGE.read_text("utf-8") == page(recorded)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_op_with_other_dtypes(name: str) -> None:
    found = [sweep(ENTRIES[name], dtype, ENTRIES[name].every) for dtype in OTHERS]
    assert [text for outcome in found if outcome for text in outcome.failures] == []


@pytest.mark.slow
@pytest.mark.parametrize(("name", "part"), PARTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.int32])
def test_op_with_all_samples(name: str, part: int, dtype: torch.dtype) -> None:
    entry = ENTRIES[name]
    outcome = sweep(entry, dtype, entry.every // 3, part)
    assert outcome is None or outcome.failures == []


def test_every_row_names_an_op_of_pytorch() -> None:
    assert set(ENTRIES) <= set(op_infos())


def test_a_difference_is_seen() -> None:
    from sweep_entry import Entry

    import pyflame as pf

    outcome = sweep(
        Entry(name="exp", shown="pf.exp", call=lambda x: pf.exp(x) * (1 + 1e-5)),
        torch.float32,
    )
    assert outcome is not None
    assert outcome.failures
    assert outcome.equal < outcome.samples  # empty samples have no difference


def test_a_wrong_gradient_is_seen() -> None:
    from sweep_entry import Entry

    import pyflame as pf

    call = Entry(name="exp", shown="pf.exp", call=lambda x: pf.exp(x) + x.detach() - x)
    outcome = sweep(call, torch.float32)
    assert outcome is not None
    assert outcome.gradients < outcome.samples


def test_a_wrong_choice_of_equals_is_seen() -> None:
    from sweep_entry import Entry
    from sweep_equals import any_top

    import pyflame as pf

    def same_twice(x: pf.Tensor, k: int, dim: int = -1, *flags: bool) -> Any:
        values, indices = pf.topk(x, k, dim, *flags)
        return values, indices - indices + indices.amin(dim, keepdim=True)

    call = Entry(name="topk", shown="pf.topk", call=same_twice, open_choice=any_top)
    outcome = sweep(call, torch.bfloat16)
    assert outcome is not None
    assert outcome.failures
    assert outcome.equal == 7  # those of a scalar
