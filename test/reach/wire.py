"""
The internet of a laboratory: an Ethernet with a delay for each port, which may lose frames. The kernel has no such thing
everywhere (netem), so frames are passed on here.

wire.py LOSS NAMESPACE=MS...

LOSS is the share of frames that are lost. The TAP device `wan` of each namespace is a port; a frame takes the delays of
both of its ports. Runs until it is killed.
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
LONGEST_FRAME = 65536


def attach(namespace):
    """Opens the device of a namespace, which then has a carrier."""
    place = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(place, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"no namespace {namespace}")
    os.close(place)
    port = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(port, TUNSETIFF, struct.pack("16sH22x", b"wan", IFF_TAP | IFF_NO_PI))
    return port


def main(loss, places):
    delays = {attach(name): float(ms) / 1000 for name, ms in (place.split("=") for place in places)}
    port_of = {}  # By Ethernet address.
    waiting = []  # Frames by the time at which they arrive.
    order = 0
    while True:
        wait = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for source in select.select(list(delays), [], [], wait)[0]:
            frame = os.read(source, LONGEST_FRAME)
            now = time.monotonic()
            port_of[frame[6:12]] = source
            known = port_of.get(frame[:6])
            for port in delays if known is None else [known]:
                if port == source or random.random() < loss:
                    continue
                order += 1
                heapq.heappush(waiting, (now + delays[source] + delays[port], order, port, frame))
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, port, frame = heapq.heappop(waiting)
            os.write(port, frame)


main(float(sys.argv[1]), sys.argv[2:])
