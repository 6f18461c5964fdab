"""Serving the dashboard: this process becomes gunicorn."""

import os
import sys


def become(host: str, port: int) -> None:
    """Replace this process by gunicorn, which then has our process id and signals. Only returns by raising."""
    import gunicorn  # noqa: F401  # a missing package is told while there is somebody to tell

    sys.stdout.flush()
    sys.stderr.flush()
    os.environ["ATTENDANCE_DASHBOARD_HOST"], os.environ["ATTENDANCE_DASHBOARD_PORT"] = host, str(port)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    options = ["--config", "python:deploy.gunicorn_config", "--bind", address]
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *options, "dashboard.app:create_app()"])
