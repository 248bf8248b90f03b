"""Programs that many processes run at once, whatever store they share."""

from __future__ import annotations

import subprocess

from support.programs import hear, say

#: Eight threads that ask at once; for each line with a URL and a backend a ``Pricing`` of their own.
CROWD = """
import json, sys, threading
from openrouter_pricing import Pricing, Settings
for line in sys.stdin:
    url, backend = line.split()
    pricing = Pricing(Settings(base_url=url, backend=backend))
    start, told = threading.Barrier(9), []
    def ask():
        start.wait()
        cost = pricing.cost("openai/gpt-4o-mini", 1)
        told.append([cost.source, str(cost.raw)])
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    print(json.dumps("ready"), flush=True)
    sys.stdin.readline()
    start.wait()
    for thread in threads:
        thread.join()
    stats = pricing.stats()
    print(json.dumps([told, stats.backend_errors, stats.last_error]), flush=True)
    pricing.close()
"""

#: Forks children while two threads refresh. Arguments: URL, backend, how many, and how: "hooks", "raw" (as uWSGI forks)
#: or "object" (the backend is handed in). Prints what each child saw, how many hung, the parent's refreshes and errors.
FORKS = """
import ctypes, faulthandler, json, os, select, signal, sys, threading, time
from openrouter_pricing import Pricing, PricingError, Settings, open_backend
url, backend, forks, how = sys.argv[1:]
libc, after = ctypes.PyDLL(None), ctypes.pythonapi.PyOS_AfterFork_Child
if how == "raw":
    sys.setswitchinterval(60)  # nothing may run between those two, and uWSGI is written in C
def fork():
    if how != "raw":
        return os.fork()
    pid = libc.fork()  # with the GIL held and without a hook before it, as uWSGI does
    if pid == 0:
        after()  # as uWSGI does; without it not even the GIL works
    return pid
settings = Settings(base_url=url, backend=backend, l1_ttl=0, deadline=2, attempts=1, breaker_threshold=10**6)
pricing = Pricing(settings, backend=open_backend(backend) if how == "object" else None)
pricing.refresh()
stop = threading.Event()
def refresh():
    while not stop.is_set():
        try:
            pricing.refresh()
        except PricingError:
            pass
threads = [threading.Thread(target=refresh, daemon=True) for _ in range(2)]
for thread in threads:
    thread.start()

def child(number, pipe):
    faulthandler.dump_traceback_later(10)  # says where it hangs, if it does
    began = time.monotonic()
    cost = pricing.cost("a/model-0", 1)
    seconds = time.monotonic() - began
    prices = {model.rates.prompt for model in pricing.catalog().values()}
    if number % 10 == 0:
        try:
            pricing.refresh()  # writes, too
        except PricingError:
            pass
    told = [seconds, cost.source, len(prices), pricing.stats().backend_errors]
    os.write(pipe, json.dumps(told).encode())

answers, hung = [], 0
for first in range(0, int(forks), 4):
    family = []
    for number in range(first, first + 4):
        reader, writer = os.pipe()
        pid = fork()
        if pid == 0:
            try:
                child(number, writer)
            finally:
                os._exit(0)
        os.close(writer)
        family.append((pid, reader))
    for pid, reader in family:
        if select.select([reader], [], [], 20)[0]:
            answers.append(json.loads(os.read(reader, 4096) or "null"))
        else:
            hung += 1
            os.kill(pid, signal.SIGKILL)
        os.close(reader)
        os.waitpid(pid, 0)
stop.set()
for thread in threads:
    thread.join(10)
stats = pricing.stats()
pricing.close()
print(json.dumps([answers, hung, stats.refreshes, stats.backend_errors]), flush=True)
"""


def ask_at_once(crowd: list[subprocess.Popen[str]], line: str) -> list[str]:
    """Let processes that run ``CROWD`` ask together; every thread has a live answer, and the right one.

    Returns:
        the last error of each process that had any, of its store too.
    """
    for process in crowd:
        say(process, line)
    assert [hear(process) for process in crowd] == ["ready"] * len(crowd)
    for process in crowd:
        say(process, "go")
    told = [hear(process) for process in crowd]
    assert [answers for answers, *_ in told] == [[["live", "1.5E-7"]] * 8] * len(crowd), told
    return [f"{errors} errors of the store, {last}" for _, errors, last in told if errors or last]
