#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hands requests on to a port of the loopback, but some: request_proxy PORT BYTES NUMBER...

Prints its own port. Requests with more than BYTES of a body are counted from 1; of those with the
given numbers nothing is handed on, and their connection is reset, or stands still where the number
is negative. At SIGTERM it prints how many bytes the server has been sent in all, and how many
requests it was not sent.
"""
import re
import signal
import socket
import struct
import sys
import threading

port, limit, *numbers = map(int, sys.argv[1:])
lock = threading.Lock()
large = sent = cuts = 0


def is_to_be_cut(size):
    global large, cuts
    with lock:
        large += size > limit
        is_cut = size > limit and (large in numbers or -large in numbers)
        cuts += is_cut
        stands_still = is_cut and -large in numbers
    if stands_still:
        threading.Event().wait()
    return is_cut


def reset(*sockets):
    for each in sockets:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        each.shutdown(socket.SHUT_RDWR)
        each.close()


def send(server, data):
    global sent
    with lock:
        sent += len(data)
    server.sendall(data)


def requests(client, server):
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            if not (more := client.recv(65536)):
                return server.shutdown(socket.SHUT_WR)
            data += more
            if data[0] == 0x16:  # a TLS client, whom the server is to answer
                server.sendall(data)
                data = b""
        length = re.search(rb"\r\ncontent-length: (\d+)", data, re.IGNORECASE)
        body = int(length[1]) if length else 0
        if is_to_be_cut(body):
            return reset(client, server)
        left = data.index(b"\r\n\r\n") + 4 + body
        while True:
            send(server, data[:left])
            data, left = data[left:], left - len(data[:left])
            if left == 0:
                break
            if not (data := client.recv(65536)):
                return server.shutdown(socket.SHUT_WR)


def answers(server, client):
    while data := server.recv(65536):
        client.sendall(data)
    client.shutdown(socket.SHUT_WR)


def run(function, *pair):
    try:
        function(*pair)
    except OSError:
        pass


def stop(*_):
    print(f"sent {sent} kept {cuts}", flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
listener = socket.create_server(("127.0.0.1", 0))
# Newer kernels buffer up to 32 MiB: a request that is not read would have been sent whole.
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
print(listener.getsockname()[1], flush=True)
while True:
    client, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", port))
    threading.Thread(target=run, args=(requests, client, server), daemon=True).start()
    threading.Thread(target=run, args=(answers, server, client), daemon=True).start()
