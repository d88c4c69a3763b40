"""Where the database and Redis are said to be is read as it is meant."""

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.sentinel import SentinelConnectionPool, SentinelManagedSSLConnection

from bridge.errors import BadInput
from storage.database_url import database_url, plain_dsn, servers
from storage.redis_client import redis_at


def test_of_several_servers_the_writable_one_is_asked_for() -> None:
    url = database_url("postgresql://atom:p%40ss@db1,db2:6432/atom")

    assert servers(url) == ("db1:5432", "db2:6432")
    assert (
        plain_dsn(url)
        == "postgresql://atom:p%40ss@db1:5432,db2:6432/atom?target_session_attrs=read-write"
    )


def test_what_the_url_says_of_several_servers_counts() -> None:
    url = database_url(
        "postgresql://db1,db2/atom?target_session_attrs=any&sslmode=require"
    )

    assert (
        plain_dsn(url)
        == "postgresql://db1:5432,db2:5432/atom?sslmode=require&target_session_attrs=any"
    )


def test_one_server_is_read_as_ever() -> None:
    url = database_url("postgresql://atom:secret@db.acme.com/atom?sslmode=require")

    assert plain_dsn(url) == "postgresql://atom:secret@db.acme.com/atom?sslmode=require"
    assert servers(url) == ("db.acme.com:5432",)
    assert "secret" not in str(url)


@pytest.mark.parametrize(
    "text",
    [
        "mysql://h/atom",
        "sqlite://",
        "postgresql://h1,/atom",
        "postgresql://h1:x,h2/atom",
        "nonsense",
    ],
)
def test_other_databases_are_refused_without_their_password(text: str) -> None:
    with pytest.raises(BadInput, match="ATOM_DATABASE_URL"):
        database_url(text)


def test_sentinels_are_asked_for_the_master() -> None:
    client = redis_at(
        "rediss+sentinel://atom:p%40ss@s1,s2:26380/main/3"
        "?sentinel_password=other&ssl_ca_certs=/etc/acme.pem",
        socket_timeout=0.25,
    )

    assert isinstance(client, Redis)
    pool = client.connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    assert (pool.service_name, pool.connection_class) == (
        "main",
        SentinelManagedSSLConnection,
    )
    said = pool.connection_kwargs
    assert (said["username"], said["password"], said["db"]) == ("atom", "p@ss", 3)
    assert (said["ssl_ca_certs"], said["socket_timeout"]) == ("/etc/acme.pem", 0.25)
    asked = [
        s.connection_pool.connection_kwargs for s in pool.sentinel_manager.sentinels
    ]
    assert [(one["host"], one["port"]) for one in asked] == [
        ("s1", 26379),
        ("s2", 26380),
    ]
    assert {one["password"] for one in asked} == {"other"}
    assert {one["ssl_ca_certs"] for one in asked} == {"/etc/acme.pem"}


def test_every_node_of_a_cluster_may_be_the_first() -> None:
    client = redis_at("rediss+cluster://:secret@c1,c2:7000", socket_timeout=0.25)

    assert isinstance(client, RedisCluster)
    nodes = client.nodes_manager.startup_nodes.values()
    assert {(one.host, one.port) for one in nodes} == {("c1", 6379), ("c2", 7000)}
    assert client.connection_kwargs["password"] == "secret"
    assert client.connection_kwargs["socket_timeout"] == 0.25


@pytest.mark.parametrize(
    "text",
    [
        "http://h",
        "redis+sentinel://h",
        "redis+sentinel:///main",
        "redis+cluster://h/3",
        "redis+other://h",
        "redis://h?socket_timeout=x",
        "nonsense",
    ],
)
def test_other_redises_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="ATOM_REDIS_URL"):
        redis_at(text)
