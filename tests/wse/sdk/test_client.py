"""The appliance mode's classes on this machine."""

import io
import tarfile

import numpy as np
import pytest

from pyflame.wse.errors import HostError
from pyflame.wse.sdk import artifact
from pyflame.wse.sdk.client import SdkCompiler, SdkLauncher, SdkRuntime
from pyflame.wse.sdk.enums import MemcpyDataType, MemcpyOrder

LAYOUT = """\
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 1, .height = 1 });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
  @export_name("y", [*]i32, true);
  @export_name("double", fn() void);
}
"""
PE = """\
param memcpy_params;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
var y = @zeros([2]i32);
var y_ptr: [*]i32 = &y;
fn double() void { y[0] *= 2; y[1] *= 2; sys.unblock_cmd_stream(); }
comptime { @export_symbol(y_ptr, "y"); @export_symbol(double); }
"""
OPTIONS = "--fabric-dims=8,3 --fabric-offsets=4,1 --memcpy --channels=1 -o latest"
COPY = {
    "streaming": False,
    "order": MemcpyOrder.ROW_MAJOR,
    "data_type": MemcpyDataType.MEMCPY_32BIT,
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    (folder / "layout.csl").write_text(LAYOUT)
    (folder / "pe.csl").write_text(PE)
    with SdkCompiler(resource_cpu=1) as compiler:
        return compiler.compile(str(folder), "layout.csl", OPTIONS, str(folder))


def test_runtime_starts_and_stops_with_the_context(compiled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with SdkRuntime(compiled, simulator=True) as runner:
        y = runner.get_id("y")
        data = np.array([3, 4], np.int32)
        assert runner.memcpy_h2d(y, data, 0, 0, 1, 1, 2, nonblock=False, **COPY) is None
        assert runner.call("double", [], nonblock=False) is None
        task = runner.launch("double", nonblock=True)
        task.wait()
        assert runner.is_task_done(task)
        runner.memcpy_d2h(data, y, 0, 0, 1, 1, 2, nonblock=False, **COPY)
        assert data.tolist() == [12, 16]
        with pytest.raises(HostError, match=r"call stop\(\) first"):
            runner.download_artifact("out.json", "copy.json")
        runner.stop()
        runner.download_artifact("out.json", "copy.json")
    assert (tmp_path / "copy.json").read_text().startswith("{")


def test_launcher_runs_commands_beside_the_program(compiled, tmp_path):
    script = tmp_path / "run.py"
    script.write_text("import json; print(sorted(json.load(open('latest/out.json'))))")
    with SdkLauncher(compiled, simulator=True) as launcher:
        launcher.stage(str(script))
        out = launcher.run("cs_python run.py", "echo done > result.txt")
        assert out == "['colors', 'params']\n"
        launcher.download_artifact("result.txt", str(tmp_path / "result.txt"))
        with pytest.raises(RuntimeError) as caught:
            launcher.run("echo no; exit 3")
        assert str(caught.value) == "'echo no; exit 3' failed with status 3:\nno\n"
        with pytest.raises(HostError) as refused:
            launcher.run("cs_python run.py --cmaddr %CMADDR%")
        assert str(refused.value) == "%CMADDR% has no meaning with simulator=True"
        with pytest.raises(HostError) as refused:
            launcher.download_artifact("../x", "x")
        assert str(refused.value) == (
            "download_artifact: '../x' is outside the artifact"
        )
        with pytest.raises(HostError) as refused:
            launcher.download_artifact("none", "x")
        assert str(refused.value) == "download_artifact: there is no file 'none'"
    assert (tmp_path / "result.txt").read_text() == "done\n"


@pytest.mark.parametrize("kind", [SdkRuntime, SdkLauncher])
def test_systems_are_refused(kind, compiled):
    with pytest.raises(HostError) as caught:
        kind(compiled)
    assert str(caught.value) == (
        f"{kind.__name__} with simulator=False wants a system, and there is none "
        "here; pass simulator=True"
    )


def test_errors_of_the_compiler(tmp_path):
    (tmp_path / "layout.csl").write_text("layout {")
    with SdkCompiler() as compiler:
        with pytest.raises(HostError) as caught:
            compiler.compile(str(tmp_path), "layout.csl", "-o x", str(tmp_path))
        assert str(caught.value).startswith(
            "compiling 'layout.csl' failed:\nlayout.csl:1:9: error: expected '}'"
        )
        with pytest.raises(HostError) as caught:
            compiler.compile(str(tmp_path), "layout.csl", "-o ../x", str(tmp_path))
        assert str(caught.value) == "-o ../x: an artifact takes a name without folders"


def test_the_same_program_gives_the_same_artifact(compiled, tmp_path):
    app = tmp_path / "app"
    app.mkdir()
    (app / "layout.csl").write_text(LAYOUT)
    (app / "pe.csl").write_text(PE)
    with SdkCompiler() as compiler:
        again = compiler.compile(str(app), "layout.csl", OPTIONS, str(tmp_path))
    with open(compiled, "rb") as one, open(again, "rb") as other:
        assert one.read() == other.read()


@pytest.mark.parametrize("name", ["../escape", "/tmp/escape"])
def test_hostile_archives_stay_inside(tmp_path, name):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    with pytest.raises(HostError, match="is no compile artifact"):
        artifact.unpack(path, tmp_path / "inside")
    assert not (tmp_path / "escape").exists()


@pytest.mark.parametrize("name", ["..", "a/b", "."])
def test_hostile_names_stay_inside(tmp_path, name):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        entry = tarfile.TarInfo(".csl_bin_name")
        entry.size = len(name)
        tar.addfile(entry, io.BytesIO(name.encode()))
    with pytest.raises(HostError) as caught:
        artifact.unpack(path, tmp_path / "inside")
    assert str(caught.value) == f"'{path}' is no compile artifact: bad name '{name}'"
