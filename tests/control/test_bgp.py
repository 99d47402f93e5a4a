"""Ryu's BGP speakers keep to the address that they are given."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from threading import Timer

# What the app says itself stays; what it leaves open is where the controller listens.
SPEAKER = """
import sys
import eventlet
eventlet.monkey_patch()
from ryu.lib import hub
from ryu.services.protocols.bgp.bgpspeaker import BGPSpeaker
from sdnvirt.control.bgp import confine_speakers

host, port, neighbor = sys.argv[1], int(sys.argv[2]), sys.argv[3]
confine_speakers(host, port)

def up(remote_ip, remote_as):
    print(remote_ip, remote_as, flush=True)

speaker = BGPSpeaker(as_number=65000, router_id=host, peer_up_handler=up)
speaker.neighbor_add(neighbor, 65000)
hub.sleep(60)
"""
NET = f"127.{os.getpid() // 256 % 127}.{os.getpid() % 256}"
HOSTS = (f"{NET}.1", f"{NET}.2")
PATIENCE_S = 30


def test_two_speakers_on_one_machine_find_each_other() -> None:
    with socket.create_server((HOSTS[0], 0)) as server:
        port = server.getsockname()[1]
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", SPEAKER, host, str(port), neighbor],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for host, neighbor in (HOSTS, HOSTS[::-1])
    ]
    watchdogs = [Timer(PATIENCE_S, process.kill) for process in processes]
    try:
        for watchdog in watchdogs:
            watchdog.start()
        # Each knows the other by its address alone: whoever dialled has done so from there.
        for process, neighbor in zip(processes, HOSTS[::-1], strict=True):
            assert process.stdout is not None
            assert process.stdout.readline() == f"{neighbor} 65000\n"
        with socket.socket() as elsewhere:
            assert elsewhere.connect_ex(("127.0.0.1", port)) != 0
    finally:
        for process, watchdog in zip(processes, watchdogs, strict=True):
            watchdog.cancel()
            process.kill()
            process.communicate()
