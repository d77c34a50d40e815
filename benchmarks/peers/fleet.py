"""The contestants' processes. Each waits in a read while another one works, so only one is ever busy."""
import json
import os
import select
import subprocess
import tempfile
from pathlib import Path


class ContestantError(Exception):
    """A contestant answered with an error, took too long or died."""


class Process:
    """A persistent worker: one line in, one line of JSON out."""

    def __init__(self, command, threads):
        # Idle OpenMP threads are left to each runtime's default (they spin for some milliseconds, then sleep; include/dalib/threads.md), unless the caller's
        # environment says otherwise: that is what users have, and every runtime is at its fastest with it.
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1, env=environment
        )

    def ask(self, line, timeout):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise ContestantError(self.last_words()) from None
        ready, _, _ = select.select([self.process.stdout], [], [], timeout)
        if not ready:
            self.process.kill()
            raise ContestantError(f"no answer within {timeout:g} s")
        answer = self.process.stdout.readline()
        if not answer:
            raise ContestantError(self.last_words())
        reply = json.loads(answer)
        if "error" in reply:
            raise ContestantError(reply["error"])
        return reply

    def last_words(self):
        code = self.process.wait()
        self.log.seek(0)
        lines = self.log.read().strip().splitlines()
        return f"ended with code {code}" + (f": {lines[-1]}" if lines else "")

    def close(self):
        if self.process.poll() is None:
            try:
                self.process.stdin.write("quit\n")
                self.process.stdin.close()
                self.process.wait(10)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.log.close()


class Fleet:
    """Our worker and the peers' workers, started together and fresh for each size, so that one size's memory is not another's."""

    def __init__(self, ours, python, workers, threads):
        self.commands = {"ours": [str(ours)]}
        script = str(Path(__file__).with_name("worker.py"))
        for name in workers:
            self.commands[name] = [str(python), script, name]
        self.threads = threads
        self.processes = {}

    def __enter__(self):
        self.processes = {name: Process(command, self.threads) for name, command in self.commands.items()}
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.close()

    def ask(self, name, line, timeout=1800):
        return self.processes[name].ask(line, timeout)
