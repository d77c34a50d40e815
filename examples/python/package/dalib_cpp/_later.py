"""Modules that are imported when they are first used: numpy is two thirds of what importing this package takes."""

from __future__ import annotations

import importlib
from typing import Any


class Later:
    """Stands for a module; what is asked of it is kept here, so that the next time costs nothing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, found)
        return found
