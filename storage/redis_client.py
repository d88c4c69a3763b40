"""
Reaching Redis as it is run: one server, a group that Sentinel watches, or a Cluster.

    redis://HOST:6379/0
    redis+sentinel://HOST:26379,HOST:26379,HOST:26379/SERVICE/0
    redis+cluster://HOST:6379,HOST:6379

`rediss` instead of `redis` encrypts, towards the Sentinels as well. USER:PASSWORD@ is for
Redis; what the Sentinels ask for goes into `?sentinel_username=…&sentinel_password=…`.
Every other option is redis-py's, such as `ssl_ca_certs=/etc/ssl/acme.pem`.
"""

from typing import Any
from urllib.parse import SplitResult, urlsplit

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import parse_url
from redis.asyncio.sentinel import Sentinel

from bridge.errors import BadInput

Client = Redis | RedisCluster

_PLAIN = {"redis": False, "rediss": True}
_PORTS = {"sentinel": 26379, "cluster": 6379}
_HINT = (
    "ATOM_REDIS_URL must be redis://HOST:PORT/0, "
    "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE or redis+cluster://HOST:PORT,HOST:PORT"
)


class _Watched(Redis):
    """The master that Sentinels name. It is asked for at every new connection."""

    watchers: Sentinel

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: FBT001 - redis-py's own
        await super().aclose(close_connection_pool)
        await self.watchers.aclose()


class _Cluster(RedisCluster):
    """A cluster whose connections are closed also if it was lost in between."""

    async def aclose(self) -> None:
        # After an error, and until the next answer, redis-py takes itself for closed.
        await super().aclose()
        await self.nodes_manager.aclose()
        await self.nodes_manager.aclose("startup_nodes")


def redis_at(url: str, **options: Any) -> Client:
    """
    Make a client; nothing is connected yet. Raises `BadInput` on a wrong URL.

    `options` are redis-py's, and come before what the URL says.
    """
    try:
        scheme, _, kind = urlsplit(url).scheme.partition("+")
        encrypted = _PLAIN[scheme]
        match kind:
            case "":
                return Redis.from_url(url, **options)
            case "sentinel":
                return _watched(urlsplit(url), _tls(encrypted) | options)
            case "cluster":
                return _cluster(urlsplit(url), _tls(encrypted) | options)
    except (KeyError, ValueError) as error:
        raise BadInput(_HINT) from error
    raise BadInput(_HINT)


def _tls(encrypted: object) -> dict[str, Any]:
    return {"ssl": True} if encrypted else {}


def _watched(url: SplitResult, options: dict[str, Any]) -> Redis:
    service, _, number = url.path.strip("/").partition("/")
    if not service:
        raise ValueError("no service")
    said = _said(url, number) | options
    asking = {
        name.removeprefix("sentinel_"): said.pop(name)
        for name in ("sentinel_username", "sentinel_password")
        if name in said
    }
    alike = {n: v for n, v in said.items() if n.startswith(("socket_", "ssl", "retry"))}
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        _hosts(url, "sentinel"), sentinel_kwargs=asking | alike
    )
    client: _Watched = sentinel.master_for(service, _Watched, **said)
    client.watchers = sentinel
    return client


def _cluster(url: SplitResult, options: dict[str, Any]) -> RedisCluster:
    if url.path.strip("/") not in {"", "0"}:
        raise ValueError("a cluster has no databases")
    said = _said(url, "") | options
    nodes = [ClusterNode(host, port) for host, port in _hosts(url, "cluster")]
    return _Cluster(startup_nodes=nodes, **said)


def _hosts(url: SplitResult, kind: str) -> list[tuple[str, int]]:
    hosts = []
    for part in url.netloc.rpartition("@")[2].split(","):
        one = urlsplit(f"//{part}")
        if not one.hostname:
            raise ValueError("no host")
        hosts.append((one.hostname, one.port or _PORTS[kind]))
    return hosts


def _said(url: SplitResult, number: str) -> dict[str, Any]:
    """Return what the URL says beside where to go, as redis-py reads it."""
    credentials, at, _ = url.netloc.rpartition("@")
    plain = f"redis://{credentials}{at}_/{number}?{url.query}"
    said: dict[str, Any] = dict(parse_url(plain))
    del said["host"]
    return said
