"""Dials a peer port twice over TLS 1.3, the second time with what the first gave to resume by.

tls_ticket.py FOLDER PORT
FOLDER holds key.pem, cert.pem and ca.pem. Prints one line of JSON: whether the acceptor gave a ticket, whether the
second session was resumed, and the first line that each connection read.
"""

import json
import socket
import ssl
import sys

folder, port = sys.argv[1], int(sys.argv[2])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.minimum_version = ssl.TLSVersion.TLSv1_3
context.check_hostname = False
context.load_verify_locations(folder + "/ca.pem")
context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")

session = None
tickets, reused, lines = [], [], []
for _ in range(2):
    plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    with context.wrap_socket(plain, session=session) as connection:
        # Tickets would come before the first line.
        lines.append(connection.makefile().readline().strip())
        session = connection.session
        tickets.append(session.has_ticket if session is not None else False)
        reused.append(connection.session_reused)
print(json.dumps({"tickets": tickets, "reused": reused, "lines": lines}))
