"""debug_util without a run to inspect."""

import pytest

from pyflame.wse.errors import HostError
from pyflame.wse.sdk.debug import debug_util


def test_unknown_runs(tmp_path):
    with pytest.raises(HostError) as caught:
        debug_util(tmp_path)
    assert str(caught.value) == (
        f"no run of the program in '{tmp_path}' is known in this process; load and "
        "run it with SdkRuntime first"
    )


def test_systems_are_refused(tmp_path):
    with pytest.raises(HostError) as caught:
        debug_util(tmp_path, cmaddr="1.2.3.4:9000")
    assert str(caught.value) == (
        "debug_util: cmaddr '1.2.3.4:9000' names a system; only simulated runs can be "
        "inspected"
    )
