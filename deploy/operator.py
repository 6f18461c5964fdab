"""The site's Redis as its operator sees it: for the commands that look after a running site."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import redis

from deploy.errors import Problem, hide_passwords, settings_from
from deploy.secret_store import running_urls
from worker.protocol.connection import Client, connect
from worker.protocol.plain import plain
from worker.protocol.settings import CommonSettings

__all__ = ["USER", "SiteClients", "plain", "site_clients"]

USER = "operator"


@dataclass
class SiteClients:
    live: Client
    ledger: Client
    shard: str


@contextmanager
def site_clients(name: str, every_shard: bool = False) -> Iterator[list[SiteClients]]:
    """Clients of our shard, or of all that the site has.

    By the environment's URLs, else those of the `attendance up` that runs in the same home. Raises Problem when there is
    neither, and when Redis is away or refuses meanwhile; passwords are never shown.
    """
    settings: CommonSettings = settings_from(CommonSettings)
    if not every_shard:
        try:
            settings.require_shard()
        except ValueError as error:
            raise Problem(str(error)) from None
    try:
        settings.url("live"), settings.url("ledger")
    except ValueError as error:
        urls = running_urls(settings.home, USER) or running_urls(settings.home)
        if not urls:
            raise Problem(str(error)) from None
        settings = settings.model_copy(update={"live_url": urls["live"], "ledger_url": urls["ledger"]})
    clients: list[Client] = []
    sites = []
    try:
        for shard in settings.all_shards if every_shard else (settings.shard,):
            for role in ("live", "ledger"):
                clients.append(connect(settings.url(role, shard), name=name))
                clients[-1].ping()
            sites.append(SiteClients(clients[-2], clients[-1], shard))
        yield sites
    except redis.exceptions.NoPermissionError as error:
        raise Problem(
            f"this Redis user may not do that ({error}); the user needs what deploy/acl.py gives {USER}"
        ) from None
    except (redis.exceptions.RedisError, OSError, ValueError) as error:
        raise Problem(hide_passwords(f"Redis doesn't answer as it should: {error}")) from None
    finally:
        for client in clients:
            client.close()
