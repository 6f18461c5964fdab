"""The site's database, for commands that change what the whole site does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deploy.errors import Problem, hide_passwords, settings_from


@contextmanager
def site_database() -> Iterator[Any]:
    """Sessions of the site's database, which must be there and have this version's schema; raises Problem."""
    from sqlalchemy.exc import SQLAlchemyError

    from dashboard.database import BadDatabase, engine_for, require_current, session_factory
    from dashboard.settings import DashboardSettings

    settings: DashboardSettings = settings_from(DashboardSettings)
    file = settings.home / "attendance.db"
    if settings.database_url is None and not file.exists():
        raise Problem(f"{file} is not there: set ATTENDANCE_HOME or ATTENDANCE_DATABASE_URL to the site's")
    try:
        engine = engine_for(settings.database)
    except BadDatabase as error:
        raise Problem(hide_passwords(str(error))) from None
    try:
        require_current(engine)
        yield session_factory(engine)
    except BadDatabase as error:
        raise Problem(hide_passwords(str(error))) from None
    except SQLAlchemyError as error:
        raise Problem(hide_passwords(f"the database can't be used: {str(error).splitlines()[0]}")) from None
    finally:
        engine.dispose()
