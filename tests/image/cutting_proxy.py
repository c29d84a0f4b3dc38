#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hands bytes on to a port of the loopback: cutting_proxy PORT BYTES CONNECTIONS.

Prints its own port. The first CONNECTIONS connections over which more than BYTES go, in one of the
two directions, are reset there; one line on standard error for each.
"""
import socket
import struct
import sys
import threading

port, limit, cuts = map(int, sys.argv[1:4])
lock = threading.Lock()


def may_cut():
    global cuts
    with lock:
        cuts -= 1
        return cuts >= 0


def reset(*sockets):
    for each in sockets:
        try:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def hand_on(source, target):
    count = 0
    try:
        while data := source.recv(65536):
            count += len(data)
            if count > limit and may_cut():
                print("cut", file=sys.stderr, flush=True)
                reset(source, target)
                return
            if count > limit:
                count = -(1 << 60)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    client, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", port))
    for pair in ((client, server), (server, client)):
        threading.Thread(target=hand_on, args=pair, daemon=True).start()
