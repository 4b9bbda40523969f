"""Where no Slurm can be started the tests skip and say why."""

import errno
import os

import pytest
from slurm import cluster


@pytest.mark.parametrize("root", [True, False])
def test_a_container_that_may_make_no_device_says_so(root, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "getuid", lambda: 0 if root else 1000)
    monkeypatch.setattr(os, "mknod", refuse)
    reason = "device nodes cannot be made here: Operation not permitted" if root else "need root"
    assert cluster.missing().endswith(reason)
