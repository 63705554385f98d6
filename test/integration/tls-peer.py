"""One end of one mutual TLS 1.3 connection, by Python's ssl.

tls-peer.py server FOLDER | tls-peer.py client FOLDER PORT SERVER_NAME
FOLDER holds key.pem, cert.pem and ca.pem. The server prints its port first. Both print at the end one line of
JSON: the version, the other's common name and the line that the other sent; or the error.
"""

import json
import socket
import ssl
import sys

WAIT = 20

role, folder = sys.argv[1], sys.argv[2]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if role == "server" else ssl.PROTOCOL_TLS_CLIENT)
context.minimum_version = ssl.TLSVersion.TLSv1_3
context.verify_mode = ssl.CERT_REQUIRED
context.verify_flags |= ssl.VERIFY_X509_STRICT
context.load_verify_locations(folder + "/ca.pem")
context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")


def secured():
    if role == "client":
        plain = socket.create_connection(("127.0.0.1", int(sys.argv[3])), timeout=WAIT)
        return context.wrap_socket(plain, server_hostname=sys.argv[4])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WAIT)
        print(listener.getsockname()[1], flush=True)
        plain, _ = listener.accept()
    plain.settimeout(WAIT)
    return context.wrap_socket(plain, server_side=True)


try:
    with secured() as connection:
        stream = connection.makefile("rw", encoding="utf-8", newline="\n")
        if role == "server":
            stream.write("from the python server\n")
            stream.flush()
        line = stream.readline()
        if line == "":
            raise EOFError("closed before a line came")
        if role == "client":
            stream.write("from the python client\n")
            stream.flush()
        subject = [value for part in connection.getpeercert()["subject"] for value in part]
        names = [value for kind, value in subject if kind == "commonName"]
        print(json.dumps({"version": connection.version(), "peer": names, "line": line.strip()}), flush=True)
except (OSError, EOFError) as error:
    print(json.dumps({"error": str(error)}), flush=True)
