"""The classes of `cerebras.sdk.client`, served by the simulator on this machine.

Scripts written for an appliance compile with SdkCompiler, keep the artifact's name,
and run it with SdkRuntime or SdkLauncher. Here the cluster is this process: a run
must ask for the simulator.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.errors import HostError
from pyflame.wse.sdk import artifact as artifacts
from pyflame.wse.sdk import exec as tools
from pyflame.wse.sdk.command_stream import Task
from pyflame.wse.sdk.host_data import get_output_name_from_compile_options
from pyflame.wse.sdk.runtime import SdkRuntime as LocalRuntime


class _InFolder:
    """A context that owns a temporary folder."""

    def __init__(self) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="pyflame-client-")
        self.folder = Path(self._temporary.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(failed=error is not None)
        self._temporary.cleanup()

    def close(self, failed: bool) -> None:
        """What there is to do before the folder goes away."""


class SdkCompiler(_InFolder):
    """Compiles programs into artifacts.

    Args:
        options: cluster settings (resources, namespace, image); they have no meaning
            on this machine and are accepted for the sake of the script.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options

    def compile(
        self, app_path: str, csl_main: str, options: str, out_path: str = "."
    ) -> str:
        """The path of the artifact of a program.

        Args:
            app_path: folder with the sources; csl_main is relative to it.
            options: of cslc, in one string.
            out_path: folder for the artifact.
        Raises:
            HostError: the compiler refused; its messages are in the error.
        """
        name = get_output_name_from_compile_options(options)
        if Path(name).name != name:
            raise HostError(f"-o {name}: an artifact takes a name without folders")
        build = self.folder / name
        shutil.rmtree(build, ignore_errors=True)
        line = ["cslc", csl_main, *options.split(), "-o", str(build)]
        done = _run_tool(line, Path(app_path))
        if done.returncode:
            raise HostError(f"compiling '{csl_main}' failed:\n{done.stdout}")
        artifact = Path(out_path) / f"cs_{_digest(build)}.tar"
        artifact.parent.mkdir(parents=True, exist_ok=True)
        artifacts.pack(self.folder, name, artifact)
        return str(artifact)


def _digest(build: Path) -> str:
    """A name for the program: the same for the same sources and options."""
    program = (build / "bin" / "program.json").read_bytes()
    return hashlib.sha256(program).hexdigest()[:32]


def _run_tool(line: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command with cslc and cs_python on its path; stderr joins stdout."""
    with tempfile.TemporaryDirectory(prefix="pyflame-exec-") as folder:
        tools.write_tools(Path(folder))
        return subprocess.run(
            line,
            cwd=cwd,
            env=tools.environment(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def _check_simulator(simulator: bool, what: str) -> None:
    if not simulator:
        raise HostError(
            f"{what} with simulator=False wants a system, and there is none here; "
            "pass simulator=True"
        )


class ClientTask:
    """A nonblocking operation."""

    def __init__(self, runtime: LocalRuntime, task: Task) -> None:
        self._runtime = runtime
        self._task = task

    def wait(self) -> None:
        """Returns when the operation is done."""
        self._runtime.task_wait(self._task)

    def done(self) -> bool:
        """Whether the operation is done."""
        return self._runtime.is_task_done(self._task)


class SdkRuntime(_InFolder):
    """Runs an artifact: `with` starts it and stops it.

    Blocking operations give None, nonblocking ones a task with wait() and done().
    """

    def __init__(
        self, artifact_path: str, simulator: bool = False, **options: Any
    ) -> None:
        _check_simulator(simulator, "SdkRuntime")
        super().__init__()
        self.options = options
        self.is_simulator = simulator
        self._program = artifacts.unpack(artifact_path, self.folder)
        self._runtime = LocalRuntime(self._program)
        self._stopped = False

    def __enter__(self) -> Self:
        self._runtime.load()
        self._runtime.run()
        return self

    def close(self, failed: bool) -> None:
        if not failed and not self._stopped:
            self.stop()

    def stop(self) -> None:
        """Waits for all operations and ends the run."""
        self._runtime.stop()
        self._stopped = True

    def get_id(self, name: str) -> int | None:
        """The id of an exported symbol, None if there is none."""
        return self._runtime.get_id(name)

    def memcpy_h2d(
        self, dest: int, src: NDArray[Any], *place: int, **options: Any
    ) -> ClientTask | None:
        """As the local runtime's; all four options must be given."""
        task = self._runtime.memcpy_h2d(dest, src, *place, **options)
        return self._result(task, options)

    def memcpy_d2h(
        self, dest: NDArray[Any], src: int, *place: int, **options: Any
    ) -> ClientTask | None:
        """As the local runtime's; all four options must be given."""
        task = self._runtime.memcpy_d2h(dest, src, *place, **options)
        return self._result(task, options)

    def launch(self, name: str, *args: Any, nonblock: bool) -> ClientTask | None:
        """As the local runtime's."""
        task = self._runtime.launch(name, *args, nonblock=nonblock)
        return self._result(task, {"nonblock": nonblock})

    def call(
        self, name: str, args: list[int | np.uint32], nonblock: bool
    ) -> ClientTask | None:
        """As the local runtime's."""
        task = self._runtime.call(name, args, nonblock)
        return self._result(task, {"nonblock": nonblock})

    def _result(self, task: Task, options: dict[str, Any]) -> ClientTask | None:
        return ClientTask(self._runtime, task) if options["nonblock"] else None

    def task_wait(self, task: ClientTask) -> None:
        """Returns when a task is done."""
        task.wait()

    def is_task_done(self, task: ClientTask) -> bool:
        """Whether a task is done."""
        return task.done()

    def download_artifact(self, name: str, out_path: str) -> None:
        """Copies a file of the program folder; only after stop()."""
        if not self._stopped:
            raise HostError("download_artifact: call stop() first")
        _copy_out(self._program, name, out_path)


class SdkLauncher(_InFolder):
    """Runs shell commands beside an unpacked artifact, such as `cs_python run.py`."""

    def __init__(
        self, artifact_path: str, simulator: bool = False, **options: Any
    ) -> None:
        _check_simulator(simulator, "SdkLauncher")
        super().__init__()
        self.options = options
        artifacts.unpack(artifact_path, self.folder)

    def stage(self, *paths: str) -> None:
        """Copies files or folders beside the program."""
        for path in map(Path, paths):
            if path.is_dir():
                shutil.copytree(path, self.folder / path.name, dirs_exist_ok=True)
            else:
                shutil.copy(path, self.folder / path.name)

    def run(self, *commands: str) -> str:
        """Runs shell commands in the artifact's folder; gives their output.

        Raises:
            HostError: a command asks for a system's address.
            RuntimeError: a command fails.
        """
        outputs: list[str] = []
        for command in commands:
            if "%CMADDR%" in command:
                raise HostError("%CMADDR% has no meaning with simulator=True")
            done = _run_tool(["sh", "-c", command], self.folder)
            outputs.append(done.stdout)
            if done.returncode:
                raise RuntimeError(
                    f"'{command}' failed with status {done.returncode}:\n{done.stdout}"
                )
        return "".join(outputs)

    def download_artifact(self, name: str, out_path: str) -> None:
        """Copies a file out of the artifact's folder."""
        _copy_out(self.folder, name, out_path)


def _copy_out(folder: Path, name: str, out_path: str) -> None:
    source = (folder / name).resolve()
    if not source.is_relative_to(folder.resolve()):
        raise HostError(f"download_artifact: '{name}' is outside the artifact")
    if not source.is_file():
        raise HostError(f"download_artifact: there is no file '{name}'")
    shutil.copy(source, os.fspath(out_path))
