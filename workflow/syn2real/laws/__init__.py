"""Scaling laws of measured errors: fit them, and ask them for advice.

What `NAMES` lists is imported when it is first asked for: a job that needs one module of this package imports
no other.
"""

from importlib import import_module
from typing import Any

NAMES = {
    "read_csv": ("reading", "read_csv"),
    "fit": ("api", "fit_table"),
    "advise": ("advice", "advise_table"),
    "parameter_table": ("api", "parameter_table"),
    "find_law": ("forms.base", "find_law"),
}
"""What `from syn2real.laws import …` gives: the module and the name there."""


def __getattr__(name: str) -> Any:
    """Import one of `NAMES`."""
    if name not in NAMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    module, found = NAMES[name]
    return getattr(import_module(f"{__name__}.{module}"), found)


def __dir__() -> list[str]:
    """Return the names that there are, for completion."""
    return sorted([*globals(), *NAMES])
