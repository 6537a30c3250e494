"""Ties a process to the one that started it: when the parent ends, however it ends, the child gets SIGTERM.

https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html

Run as a program (`python -I -S tether.py PARENT PROGRAM ARGUMENT...`) it ties itself and becomes PROGRAM. That is safe
in a parent with threads, where code between fork and exec is not. The parent is, to the kernel, the *thread* that
started the child: start it from a thread that lives as long as the child shall.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def tether(parent: int) -> None:
    """Let this process get SIGTERM when its parent ends; exit at once where process `parent` already has."""
    if sys.platform != "linux":  # elsewhere only an orderly stop ends the child
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        raise SystemExit(143)


if __name__ == "__main__":
    tether(int(sys.argv[1]))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command comes from mongod.py
