"""Labels: the one class of a whole image. Only data sets have them; nothing is rendered."""

MEMBER = None
PASSES = ()


def classes(names: list[str]) -> list[str]:
    """Return the classes that are learnt: the data set's own."""
    return names
