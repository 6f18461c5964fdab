"""What the site's living workers say about models, for the commands (dashboard/gallery/worker_models.py reads it)."""

from collections.abc import Iterable

from dashboard.gallery import worker_models
from dashboard.gallery.worker_models import WorkerModels
from deploy.operator import SiteClients

__all__ = ["WorkerModels", "living"]


def living(sites: Iterable[SiteClients]) -> list[WorkerModels]:
    """All workers of all shards, by shard and name. Raises redis' errors."""
    return worker_models.living({site.shard: site.live for site in sites})
