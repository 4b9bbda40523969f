"""How laws are fitted: a method is a module of this package, found by its name.

It has ``refuses(law)``, which says in words why it cannot fit a law, or None; and
``fit(curves, law, *, level, **options)``, which returns a `results.Fit` a curve and notes. The options are
those of `api.fit_table` that a method may follow (`pool`, `residual`, `fix_d`); it leaves out the others.
"""

from __future__ import annotations

from types import ModuleType

from syn2real.errors import InputError
from syn2real.laws.forms.base import Law
from syn2real.laws.forms.schema import method_of
from syn2real.plugins import load, names, require_name

DEFAULT = "default"
"""What a user writes for the method that the law's own module names as `METHOD`."""


def find_method(name: str, law: Law) -> ModuleType:
    """Return a method's module by its name.

    Parameters
    ----------
    name : str
        `DEFAULT`, or a module of `laws.methods`.
    law : Law

    Raises
    ------
    InputError
        The name is not a method's, or the method refuses the law.
    """
    if name == DEFAULT:
        name = method_of(law.name)
    require_name(name, names("laws.methods"), key="--method")
    method = load("laws.methods", name)
    refusal = method.refuses(law)
    if refusal:
        raise InputError(refusal, key=f"--method {name}")
    return method


def check_fix_d(value: float | None, method: ModuleType, law: Law) -> None:
    """Refuse a D to hold that is no number above 0, or that a method or its law does not have.

    Parameters
    ----------
    value : float or None
        The D; None holds none, which every method can.
    method : module
        A module of `laws.methods`; one that can hold D names those laws as `HOLDS`.
    law : Law
    """
    if value is None:
        return
    if not (value > 0 and value < float("inf")):
        raise InputError(f"{value} is not a number above 0, such as 0.48", key="--fix-D")
    if law.name not in getattr(method, "HOLDS", ()):
        raise InputError("only --method paper holds D, and only for the laws simple and size", key="--fix-D")
