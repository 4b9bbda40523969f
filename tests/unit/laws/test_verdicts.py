"""One file has every threshold and sentence of the advice."""

import re
import string

from syn2real.laws.verdicts import CLASSES, LIKELY, RULES, SURE, say, verdict

FORMATS = re.compile(r"|,\.0f|\.0f|\.2f|\.4g|g|\.1%")
"""What the page's script can write."""


def test_sentences_take_formats_that_both_languages_have():
    for text in [*RULES["verdicts"].values(), *RULES["sentences"].values()]:
        for _, name, form, conversion in string.Formatter().parse(text):
            assert name is None or (name.isidentifier() and FORMATS.fullmatch(form) and not conversion), text


def test_numbers_stand_in_their_sentences():
    assert verdict("measure", n=128000.0) == "undetermined: measure n = 128000 next"
    assert (
        say("out_maybe", limit=1e6, chance=0.416) == "Reached within 1,000,000 images with probability 0.42"
    )
    assert CLASSES == ("reached", "within", "beyond", "unreachable") and 0.5 <= LIKELY < SURE < 1
