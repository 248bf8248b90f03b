"""Every way to a Redis or Valkey: the backend does all that the protocol asks for, and with few rights."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.certificate import Authority
from support.figures import Figure
from support.freshness import look
from support.recorded import recorded, recorded_names
from support.servers import Server, at, running
from support.upstream import Answer, Upstream

from openrouter_pricing import Pricing, Settings, open_backend
from openrouter_pricing.testing import backend_checks

pytestmark = pytest.mark.fleet


def conforms(url: str) -> str:
    """How many checks of the suite pass, each under a prefix of its own; all of them must."""
    passed, checks = 0, backend_checks()
    for number, check in enumerate(checks):
        patient = f"prefix=openrouter-pricing:check-{number}:&socket_timeout=30&socket_connect_timeout=30"
        where = f"{url}{'&' if '?' in url else '?'}{patient}"
        check(lambda where=where: open_backend(where))
        passed += 1
    return f"{passed} of {len(checks)} checks passed"


ALL = f"{len(backend_checks())} of {len(backend_checks())} checks passed"


def version(server: Server, **options: Any) -> str:
    """What a server is."""
    with server.client(**options) as client:
        info = client.info("server")
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}"
    return f"Redis {info['redis_version']}"


def test_tcp(valkey: Server, redis: Server, figure: Figure) -> None:
    """Over TCP, with Valkey and with Redis, under either name."""
    for server, scheme in ((valkey, "valkey"), (redis, "redis")):
        told = conforms(f"{scheme}://{at(server)}/1")
        figure(f"conformance: TCP, {version(server)}", told)
        assert told == ALL


def test_unix_socket(valkey: Server, figure: Figure) -> None:
    """Over a socket."""
    told = conforms(f"unix://{valkey.socket}")
    figure(f"conformance: Unix socket, {version(valkey)}", told)
    assert told == ALL


def trusting(authority: Authority) -> str:
    """The options that trust a private authority, and show a certificate of it."""
    return f"ssl_ca_certs={authority.ca}&ssl_certfile={authority.path}&ssl_keyfile={authority.key}"


def test_tls(tls: Server, authority: Authority, figure: Figure) -> None:
    """Over TLS with certificates of a private authority on both sides."""
    options = {"ssl_ca_certs": authority.ca, "ssl_certfile": authority.path, "ssl_keyfile": authority.key}
    name = version(tls, ssl=True, **{name: str(path) for name, path in options.items()})
    told = conforms(f"rediss://{at(tls)}?{trusting(authority)}")
    figure(f"conformance: TLS, a private CA, client certificates, {name}", told)
    assert told == ALL


def test_cluster(nodes: tuple[Server, ...], figure: Figure) -> None:
    """On a cluster, which is found by any of its nodes; keys lie wherever their slot is."""
    told = conforms(f"valkey+cluster://{at(nodes[0])}")
    backend = open_backend(f"valkey+cluster://{at(*nodes)}")
    for number in range(60):
        backend.set(f"key-{number}", b"value")
        assert backend.get(f"key-{number}") == b"value"
    backend.close()
    shares = []
    for node in nodes:
        with node.client() as client:
            shares.append(len(client.keys("*:key-*")))
    assert (all(shares), sum(shares)) == (True, 60)
    figure(f"conformance: a cluster of 3 nodes, {version(nodes[0])}", f"{told}; 60 keys lay on all three")


def test_sentinels(guarded: tuple[list[Server], list[Server]], figure: Figure) -> None:
    """Behind three sentinels, also where one of them is gone."""
    servers, sentinels = guarded
    sentinels[0].kill()
    told = conforms(f"valkey+sentinel://{at(*sentinels)}/prices")
    figure(f"conformance: 3 sentinels, one of them gone, {version(servers[0])}", told)
    assert told == ALL


@pytest.mark.parametrize("locked", [False, True], ids=["open sentinels", "sentinels that want the password"])
def test_passwords_of_sentinels(valkey_program: str, tmp_path: Path, figure: Figure, locked: bool) -> None:
    """The password of the URL is the servers', and the sentinels' where they want one."""
    primary = Server(valkey_program, tmp_path / "primary", "requirepass hunter2")
    watch = f"sentinel monitor prices 127.0.0.1 {primary.port} 1"
    lines = [watch, "sentinel auth-pass prices hunter2", *(["requirepass hunter2"] if locked else [])]
    with running(primary, Server(valkey_program, tmp_path / "sentinel", *lines, sentinel=True)) as (_, sentinel):
        told = conforms(f"valkey+sentinel://:hunter2@{at(sentinel)}/prices")
    row = "sentinels with the password, too" if locked else "sentinels without the password of the servers"
    figure(f"conformance: {row}", told)
    assert told == ALL


#: The lines of the page that give a user its rights: who it is, what it needs, and what it needs in a cluster.
ACL = [
    line.replace("PASSWORD", "pw").split()
    for line in (Path(__file__).parents[3] / "docs/how-to/fleet.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("ACL SETUSER prices ")
]
RIGHTS = " ".join(ACL[1][4:])


def allow(server: Server, *lines: list[str]) -> None:
    """Make the user, with no rights but those of these lines."""
    with server.client() as client:
        for line in lines:
            client.execute_command(*line)


def test_rights(valkey: Server, redis: Server, figure: Figure) -> None:
    """A user made by the lines of the page, for four commands on the keys of the prefix, is enough for one server."""
    assert RIGHTS == "+get +set +del +eval"
    for server in (valkey, redis):
        allow(server, *ACL[:2])
        told = conforms(f"redis://prices:pw@{at(server)}")
        figure(f"rights on one server, {version(server)}: `{RIGHTS}`", told)
        assert told == ALL
        with server.client() as client:
            assert client.acl_log() == [], "it was refused something"


def test_rights_for_more(valkey: Server, figure: Figure) -> None:
    """Another database than 0 and a name of the client take a right more each, and nothing goes without them."""
    allow(valkey, *ACL[:2])
    url = f"redis://prices:pw@{at(valkey)}"
    for more, where, right in (("database 1", "/1", "+select"), ("client_name", "?client_name=me", "+client|setname")):
        with pytest.raises(Exception, match=r"(?i)permissions|error setting client name|invalid"):
            open_backend(url + where).get("key")
        allow(valkey, ["ACL", "SETUSER", "prices", right])
        told = conforms(url + where)
        figure(f"rights for `{more}`: `{right}` more", told)
        assert told == ALL


def test_rights_in_a_cluster(nodes: tuple[Server, ...], figure: Figure) -> None:
    """In a cluster, the user must be allowed to ask where the slots are, and which keys a command has."""
    for node in nodes:
        allow(node, *ACL)
    told = conforms(f"redis+cluster://prices:pw@{at(*nodes)}")
    figure(f"rights in a cluster: `{RIGHTS} {' '.join(ACL[2][3:])}`", told)
    assert told == ALL


def spent(server: Server) -> Counter[str]:
    """How often each command was asked for, of those that a user needs the right to."""
    with server.client() as client:
        stats = client.info("commandstats")
    return Counter({name[1:]: stats.get(f"cmdstat_{name[1:]}", {"calls": 0})["calls"] for name in RIGHTS.split()})


def named(counts: Counter[str]) -> str:
    """Commands for people."""
    return ", ".join(f"{count} {name.upper()}" for name, count in sorted(counts.items()) if count)


def test_sizing(upstream: Upstream, valkey: Server, figure: Figure) -> None:
    """What a list takes in the server, and what a fetch and a look ask of it; all of it expires."""
    names = recorded_names()
    if not names:
        pytest.skip("the recorded data is not at hand")
    upstream.answer = Answer(json.dumps(recorded(names[-1])).encode())
    settings = Settings(base_url=upstream.url, backend=f"valkey://{at(valkey)}", l1_ttl=0)
    pricing, other = Pricing(settings), Pricing(settings)
    before = spent(valkey)
    pricing.refresh()
    pricing.close()
    figure("commands of a fetch", named(spent(valkey) - before))
    before = spent(valkey)
    catalog = other.catalog()
    figure("commands of a process that comes to a warm store", named(spent(valkey) - before))
    before = spent(valkey)
    look(other)
    figure("commands of a look, once in `l1_ttl` and process", named(spent(valkey) - before))
    with valkey.client() as client:
        connections = client.info("clients")["connected_clients"] - 1
    assert connections == 1
    figure("connections of a process", str(connections))
    other.close()
    with valkey.client() as client:
        keys = {key.decode().split(":")[3]: key for key in client.keys("*")}
        assert sorted(keys) == ["catalog", "head"]
        assert {round(client.ttl(key) / 86400) for key in keys.values()} == {30}
        body, head = client.memory_usage(keys["catalog"]), client.memory_usage(keys["head"])
    assert body < len(catalog.body) / 3
    figure(
        f"memory of a list of {len(catalog)} models",
        f"{body / 1000:.0f} kB for {len(catalog.body) / 1000:.0f} kB of prices, and {head} bytes for the head",
    )
