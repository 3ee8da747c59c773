"""The order of host commands, on a wafer that does what the test says."""

import pytest

from pyflame.wse.errors import Deadlock
from pyflame.wse.sdk.command_stream import (
    CommandStream,
    CopyTask,
    LaunchTask,
    StreamTask,
)


class ScriptedWafer:
    """Tickets are done once run until, unless they are in `stuck`."""

    def __init__(self):
        self.log = []
        self.finished = set()
        self.stuck = set()

    def launch(self, name, args):
        self.log.append(f"launch {name}")
        return name

    def done(self, ticket):
        return ticket in self.finished

    def run_until(self, ticket):
        if ticket in self.stuck:
            raise Deadlock(f"{ticket} is stuck")
        self.log.append(f"run {ticket}")
        self.finished.add(ticket)

    def run_until_quiet(self):
        self.log.append("rest")


@pytest.fixture
def wafer():
    return ScriptedWafer()


@pytest.fixture
def stream(wafer):
    return CommandStream(wafer)


def copy(wafer, name):
    return CopyTask(lambda: wafer.log.append(f"copy {name}"))


def send(name):
    return StreamTask(lambda: [name])


def receive(name, received=None):
    return StreamTask(lambda: [name], (received if received is not None else []).extend)


def test_blocking_commands_happen_at_once(wafer, stream):
    stream.add(copy(wafer, "in"), nonblock=False)
    stream.add(LaunchTask("f", []), nonblock=False)
    stream.add(copy(wafer, "out"), nonblock=False)
    assert wafer.log == ["copy in", "launch f", "run f", "copy out"]


def test_nonblocking_launches_are_handed_over_without_running(wafer, stream):
    first = stream.add(LaunchTask("f", []), nonblock=True)
    stream.add(LaunchTask("g", []), nonblock=True)
    assert wafer.log == ["launch f", "launch g"]
    assert not first.finished
    stream.wait(first)
    assert wafer.log == ["launch f", "launch g", "run f"]


def test_a_copy_waits_for_the_launches_before_it(wafer, stream):
    stream.add(LaunchTask("f", []), nonblock=True)
    task = stream.add(copy(wafer, "out"), nonblock=True)
    assert wafer.log == ["launch f", "run f", "copy out"]
    assert task.finished


def test_a_copy_that_cannot_happen_yet_is_put_off(wafer, stream):
    wafer.stuck.add("f")
    stream.add(LaunchTask("f", []), nonblock=True)
    task = stream.add(copy(wafer, "out"), nonblock=True)
    late = stream.add(LaunchTask("g", []), nonblock=True)
    assert wafer.log == ["launch f"]
    assert not stream.try_finish(task)
    wafer.stuck.clear()
    stream.wait(late)
    assert wafer.log == ["launch f", "run f", "copy out", "launch g", "run g"]
    assert task.finished


def test_a_blocking_command_that_never_completes_is_a_deadlock(wafer, stream):
    wafer.stuck.add("f")
    with pytest.raises(Deadlock, match="f is stuck"):
        stream.add(LaunchTask("f", []), nonblock=False)


def test_streams_overlap_with_the_ordered_stream(wafer, stream):
    received = []
    wafer.stuck.add("f")
    stream.add(LaunchTask("f", []), nonblock=True)
    stream.add_send(send("s"), nonblock=True)
    task = receive("r", received)
    stream.add_receive(task, nonblock=False)
    assert received == ["r"]
    assert wafer.log == ["launch f", "run r"]


def test_the_fabric_takes_a_send_in_before_the_next_command(wafer, stream):
    stream.add_send(send("s"), nonblock=True)
    assert wafer.log == []
    stream.add_send(send("t"), nonblock=True)
    stream.add(LaunchTask("f", []), nonblock=True)
    assert wafer.log == ["rest", "rest", "launch f"]


def test_receives_overlap_with_sends(wafer, stream):
    stream.add_send(send("s"), nonblock=True)
    stream.add_receive(receive("r"), nonblock=False)
    assert wafer.log == ["run r"]


def test_a_blocking_send_that_does_not_fit_waits_in_the_host(wafer, stream):
    wafer.stuck.add("s")
    task = stream.add_send(send("s"), nonblock=False)
    assert not task.finished
    with pytest.raises(Deadlock, match="s is stuck"):
        stream.wait_for_all()
    wafer.stuck.clear()
    stream.wait_for_all()
    assert task.finished


def test_a_finished_receive_is_collected_by_any_later_wait(wafer, stream):
    received = []
    stream.add_receive(receive("r", received), nonblock=True)
    wafer.finished.add("r")
    stream.add(copy(wafer, "out"), nonblock=False)
    assert received == ["r"]


def test_everything_is_done_in_the_end(wafer, stream):
    tasks = [
        stream.add(LaunchTask("f", []), nonblock=True),
        stream.add_receive(receive("r"), nonblock=True),
        stream.add_send(send("s"), nonblock=True),
    ]
    stream.wait_for_all()
    assert all(task.finished for task in tasks)
