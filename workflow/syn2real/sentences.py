"""Words of messages: numbers of things, and what pydantic finds wrong with a value, with the fix."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from syn2real.near import did_you_mean

LONGEST = 80
"""Characters of a value that a message shows."""

_BOUNDS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}
_PATTERNS = {
    "^[a-z0-9]": "a name has lower-case letters, digits and single hyphens",
    "^https?://": "an address belongs here that begins with http:// or https://",
    "^[0-9a-f]{64}$": "a SHA-256 belongs here, 64 digits of 0-9 and a-f",
}


def shown(value: Any) -> str:
    """Return a value as a message shows it: as YAML has it on one line, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def counted(number: int, word: str) -> str:
    """Return a number of things in words: 1 run, 2 runs."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def sentence(details: Sequence[Mapping[str, Any]]) -> str:
    """Return the sentence for pydantic's errors at one place; a value of several types has one for each.

    Parameters
    ----------
    details : sequence of mapping
        Of `ValidationError.errors()`.
    """
    details = [detail for detail in details if not _of_another_type(detail)] or details
    # A value of the right type that is refused is nearer to what was meant than another type.
    detail = next((d for d in details if d["type"] in {*_BOUNDS, "value_error"}), details[0])
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "missing":
        return _missing(detail)
    if kind in _BOUNDS:
        word, key = _BOUNDS[kind]
        return f"must be {word} {context[key]:,.12g}; it is {shown(value)}"
    options = dict.fromkeys(_what(d["type"], value, d.get("ctx", {})) for d in details)
    *first, last = options
    what = "".join(f"{option.replace(' belongs here', '')} or " for option in first) + last
    return f"{what}; it is {'empty' if value in (None, '') else shown(value)}{_near(detail)}"


def _of_another_type(detail: Mapping[str, Any]) -> bool:
    """Whether an error is of a list that was tried as text, or whose items are what is wrong."""
    return bool(isinstance(detail["input"], list | tuple) and detail["input"]) and (
        detail["type"] in ("string_type", "too_short")
    )


def _missing(detail: Mapping[str, Any]) -> str:
    """Return the sentence for a key that is not there, or for a value that a list of fixed length lacks."""
    if isinstance(detail["loc"][-1], int):
        return f"one more value belongs in this list; it is {shown(detail['input'])}"
    return "this key is missing; add it"


def _what(kind: str, value: Any, context: Mapping[str, Any]) -> str:
    """Return what belongs where `value` stands, with the fix where one is certain."""
    match kind:
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return "a whole number belongs here" + _number_fix(value, whole=True)
        case "float_type" | "float_parsing":
            return "a number belongs here" + _number_fix(value, whole=False)
        case "finite_number":
            return "a finite number belongs here"
        case "bool_type" | "bool_parsing":
            words = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}
            return f"true or false belongs here; write {words.get(str(value).lower(), 'one of them')}"
        case "string_type":
            quoted = isinstance(value, bool | int | float)
            return f"text belongs here{f', in quotes: {shown(str(value))}' if quoted else ''}"
        case "string_too_short":
            return "text belongs here"
        case "string_pattern_mismatch":
            return _pattern(str(context["pattern"]), str(value))
        case "tuple_type" | "list_type":
            single = isinstance(value, str | int | float) and len(str(value)) < LONGEST
            return f"a list belongs here, in square brackets{f': [{value}]' if single else ''}"
        case "model_type" | "dict_type" | "model_attributes_type":
            return "keys belong here (key: value lines)"
        case "too_short" | "too_long":
            number = context.get("min_length", context.get("max_length"))
            values = "1 value belongs" if number == 1 else f"{number} values belong"
            return f"at {'least' if kind == 'too_short' else 'most'} {values} in this list"
        case "multiple_of":
            return f"a multiple of {context['multiple_of']:g} belongs here"
        case "literal_error":
            return f"one of {', '.join(_names(context))} belongs here"
        case _:
            return "this value does not belong here"


def _number_fix(value: Any, *, whole: bool) -> str:
    """Return the fix for what stands where a number belongs, if there is one."""
    if isinstance(value, float):
        return f", write {value:.0f}" if value.is_integer() and abs(value) < 1e15 else ""
    if not isinstance(value, str):
        return ""
    if re.fullmatch(r"[-+]?\d+", value):
        digits = str(int(value)) if len(value) < LONGEST else value
        return f", without zeros before it: {digits}" if digits != value else ", without quotes"
    if not whole and re.fullmatch(r"[-+]?\d*\.?\d+([eE][-+]?\d+)?", value):
        return ", without quotes"
    return " in decimal digits" if re.match(r"[-+]?\d", value) else ""


def _pattern(pattern: str, value: str) -> str:
    """Return what a text must be like, with a name that would do where a name belongs."""
    words = next((words for start, words in _PATTERNS.items() if pattern.startswith(start)), None)
    if words and pattern.startswith("^[a-z0-9]"):
        near = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")
        return f"{words}{f', such as {near}' if near else ''}"
    return words or f"text of the form {pattern} belongs here"


def _names(context: Mapping[str, Any]) -> list[str]:
    """Return the names that are valid where one of several belongs."""
    return [name.strip("'") for name in re.split(", | or ", context["expected"])]


def _near(detail: Mapping[str, Any]) -> str:
    """Return the nearest name where one of several belongs, if one is near."""
    names = _names(detail["ctx"]) if detail["type"] == "literal_error" else []
    near = did_you_mean(str(detail["input"]), names)
    return f"; {near}" if near else ""
