"""Processes under measurement: started on a core of their own, and read through /proc."""

import os
import subprocess
import time

GATEWAY_CORE, LOAD_CORE = 0, 1
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Process:
    """One running program. Its figures are those of its whole process tree."""

    def __init__(self, command, core, log, env=None):
        self.output = open(log, "ab")
        self.started = time.perf_counter()
        self.child = subprocess.Popen(
            ["taskset", "-c", str(core), *map(str, command)],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output, env={**os.environ, **(env or {})},
        )

    def cpu_seconds(self):
        """User and system time so far."""
        fields = (_stat(pid) for pid in _tree(self.child.pid))
        return sum((int(stat[11]) + int(stat[12])) / TICKS for stat in fields if stat)

    def rss_bytes(self):
        fields = (_stat(pid) for pid in _tree(self.child.pid))
        return sum(int(stat[21]) * PAGE for stat in fields if stat)

    def alive(self):
        return self.child.poll() is None

    def stop(self):
        self.child.terminate()
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.output.close()


def _stat(pid):
    """The fields of /proc/<pid>/stat behind the name, so that index 0 is the state; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def _tree(root):
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (stat := _stat(name)):
            parents.setdefault(int(stat[1]), []).append(int(name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += parents.get(pid, [])
    return found
