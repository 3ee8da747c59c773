"""The official examples' own scripts, unmodified, judged by their own run.py."""

import pytest
from published_examples import EXAMPLES, NO_CHECKOUT, checkout, run_example


def cases():
    for example in EXAMPLES:
        for arch in example.arches:
            name = f"{example.group}-{example.name}-wse{arch}"
            yield pytest.param(example, arch, id=name)


@pytest.mark.skipif(checkout() is None, reason=NO_CHECKOUT)
@pytest.mark.parametrize(("example", "arch"), list(cases()))
def test_script_passes(example, arch, tmp_path):
    for module in example.needs:
        pytest.importorskip(module)
    outcome = run_example(checkout(), example, arch, tmp_path)
    assert outcome.status == 0, outcome.output
    assert example.line in outcome.output
