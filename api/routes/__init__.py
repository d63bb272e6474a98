"""The addresses of the service."""

from api.routes.chat import CHAT
from api.routes.collections import COLLECTIONS
from api.routes.documents import DOCUMENTS
from api.routes.jobs import JOBS
from api.routes.keys import KEYS
from api.routes.methods import METHODS
from api.routes.models import PROFILE
from api.routes.prompts import PROMPTS
from api.routes.queries import QUERIES
from api.routes.sources import SOURCES
from api.routes.stages import STAGES
from api.routes.system import SYSTEM
from api.routes.uploads import UPLOADS

__all__ = [
    "CHAT",
    "COLLECTIONS",
    "DOCUMENTS",
    "JOBS",
    "KEYS",
    "METHODS",
    "PROFILE",
    "PROMPTS",
    "QUERIES",
    "SOURCES",
    "STAGES",
    "SYSTEM",
    "UPLOADS",
]
