"""The release. No stage imports it: a new version must plan no finished run again (see fingerprint.py)."""

__version__ = "0.1.0"
