"""The service inside another process, for `Client.local`."""

from __future__ import annotations

from pathlib import Path

from litestar import Litestar

from api.access.browsers import ANY
from api.app import create_app
from api.commands.shadowed import refuse_shadows
from api.settings import Settings
from api.telemetry.metrics import leave_logging_to_host


def open_local(path: str, profile: str | None = None) -> Litestar:
    """The application over the data directory `path`; it is opened by its lifespan.

    Models are loaded when they are first needed. Settings come from the environment, save the data
    directory, its database, the role and the keys: one process is all there is.
    """
    refuse_shadows()
    leave_logging_to_host()
    return create_app(
        Settings.from_env(
            data_dir=Path(path).expanduser(),
            profile=profile,
            allowed_hosts=(ANY,),  # no socket, so no browser
            api_keys=(),  # whoever calls is this process
            database_url="",
            redis_url="",
            role="all",
            warm=False,
        )
    )
