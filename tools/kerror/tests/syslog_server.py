#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A syslog server for tests, to be killed: syslog_server.py PORT FOLDER [CERT KEY CA].
Appends what each connection brings to a file of its own in FOLDER. Over TCP it takes
bytes out of the socket only when they are in the file, so that a kill loses none that
it took. Its buffer in the kernel is small, so that the client soon notices when it
stops reading. Ends by itself after ten minutes."""

import os
import signal
import socket
import ssl
import sys

signal.alarm(600)
port, folder = int(sys.argv[1]), sys.argv[2]
context = None
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    context.load_verify_locations(sys.argv[5])
    context.verify_mode = ssl.CERT_REQUIRED
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
server.bind(("127.0.0.1", port))
server.listen()
number = 0
while True:
    connection = server.accept()[0]
    number += 1
    with open(f"{folder}/{os.getpid()}.{number}", "wb", buffering=0) as file:
        try:
            if context:
                connection = context.wrap_socket(connection, server_side=True)
                while data := connection.recv(65536):
                    file.write(data)
            else:
                while data := connection.recv(65536, socket.MSG_PEEK):
                    file.write(data)
                    connection.recv(len(data))
        except OSError as error:
            print(f"connection {number}: {error}", file=sys.stderr)
    connection.close()
