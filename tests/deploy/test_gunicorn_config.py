"""gunicorn's settings for the dashboard."""

import gc

from deploy import gunicorn_config


def test_the_collector_leaves_the_loaded_app_alone() -> None:
    gc.unfreeze()
    try:
        gunicorn_config.post_worker_init(None)
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
