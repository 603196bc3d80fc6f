"""Which runs are abandoned: those of this host whose process is gone, or whose process id another has taken."""

from __future__ import annotations

import os
import subprocess
import sys

from spinloom.tracking.process import HOST, PID, STARTED, is_abandoned, process_tags


def test_this_process_lives() -> None:
    assert not is_abandoned(process_tags())


def test_a_process_that_ended_has_left_its_run() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(timeout=30)

    assert is_abandoned(process_tags() | {PID: str(ended.pid)})


def test_a_process_that_ended_unnoticed_by_its_parent_has_left_its_run() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert ended.stdout is not None
    ended.stdout.read()
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)

    assert is_abandoned(process_tags() | {PID: str(ended.pid)})
    ended.wait(timeout=30)


def test_another_process_that_took_the_id_does_not_count() -> None:
    assert is_abandoned(process_tags() | {STARTED: "another boot/12345"})


def test_a_process_of_another_host_is_not_judged() -> None:
    assert not is_abandoned(process_tags() | {HOST: "another host", STARTED: "another boot/12345"})


def test_a_run_that_does_not_say_its_process_is_not_judged() -> None:
    assert not is_abandoned({})
    assert not is_abandoned({HOST: process_tags()[HOST]})
