"""An InputError is one short line, whatever the input holds."""

import pytest

from syn2real.errors import InputError


@pytest.mark.parametrize(
    ("problem", "key", "message"),
    [
        ("is not\n  a number", "n", "f.csv: n: is not a number"),
        ("'\x1b[31m' is odd", "a\nb", r"f.csv: a b: '\x1b[31m' is odd"),
        ("'\ud800' is odd", None, r"f.csv: '\ud800' is odd"),
        ("'Grüße, 画像' are not", None, "f.csv: 'Grüße, 画像' are not"),
        (f"'{'x' * 5000}' is odd", None, f"f.csv: '{'x' * 249} … {'x' * 242}' is odd"),
    ],
)
def test_a_message_is_one_short_line(problem, key, message) -> None:
    assert str(InputError(problem, file="f.csv", key=key)) == message
