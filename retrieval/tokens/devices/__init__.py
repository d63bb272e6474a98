"""Token search and training on devices, in torch: the same code runs on a GPU and, for tests, on a CPU."""

from retrieval.tokens.devices.codes import ResidentCodes
from retrieval.tokens.devices.search import Held, search_held
from retrieval.tokens.devices.training import DeviceTrainer
from retrieval.tokens.devices.vectors import ResidentVectors

__all__ = ["DeviceTrainer", "Held", "ResidentCodes", "ResidentVectors", "search_held"]
