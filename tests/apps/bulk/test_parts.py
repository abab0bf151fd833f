import os
import socket
import time

from exiface.apps.bulk.parts import finished

GONE = 2**22 + 1  # above the highest number that Linux gives a process


def test_parts_half_written_are_removed_once_nobody_writes_them(tmp_path):
    here = socket.gethostname()
    parent, own = os.getppid(), os.getpid()
    kept = {f".part-000001-{parent}-{here}.partial", f".part-000002-{GONE}-else-where.partial"}
    old = f".part-000003-{parent}-else-where.partial"
    for name in (
        *kept,
        *(old, f".part-000004-{GONE}-{here}.partial", f".part-000005-{own}-{here}.partial"),
        f".part-000006-{GONE}.partial",
    ):
        (tmp_path / name).touch()
    two_days_ago = time.time() - 2 * 24 * 60 * 60
    os.utime(tmp_path / old, (two_days_ago, two_days_ago))
    assert finished(tmp_path, "a@b") == set()
    assert {path.name for path in tmp_path.iterdir()} == kept
