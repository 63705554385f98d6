"""A peer written from the protocol's text alone: Python's ssl, and a key made by openssl.

peer.py FOLDER SERVER_PORT NAME PASSWORD accept|dial OTHER
FOLDER holds ca.pem, the authority's certificate. Registers NAME, logs in with its own public key, and talks once with
OTHER: as the acceptor it answers the first text, as the dialler it begins. Prints "online" when it is logged in, and at
the end one line of JSON: what it was sent, and whether its own text was acknowledged.
"""

import base64
import hashlib
import json
import socket
import ssl
import subprocess
import sys
import uuid

WAIT = 20

folder, server_port, name, password, role, other = sys.argv[1:7]
key_file, certificate_file, authority_file, statement_file = (
    folder + "/" + file for file in ("key.pem", "cert.pem", "ca.pem", "statement.bin")
)


def context_for(protocol):
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority_file)
    return context


class Link:
    def __init__(self, connection):
        self.connection = connection
        self.stream = connection.makefile("r", encoding="utf-8", newline="\n")

    def write(self, message):
        self.connection.sendall(json.dumps(message).encode() + b"\n")

    def read(self):
        line = self.stream.readline()
        if line == "":
            raise EOFError("closed before a message came")
        return json.loads(line)

    def read_until(self, holds):
        while True:
            message = self.read()
            if holds(message):
                return message

    def ask(self, message, action):
        self.write(message)
        answer = self.read_until(lambda each: each.get("action") == action)
        if answer.get("success") is False:
            raise RuntimeError(json.dumps(answer))
        return answer


def key_proof(server):
    """The signature over this connection's challenge and the server's certificate: we have the private key."""
    server.write({"action": "ping"})
    challenge = base64.b64decode(server.read_until(lambda each: each.get("action") == "pong")["challenge"])
    leaf = hashlib.sha256(server.connection.getpeercert(True)).digest()
    # Ed25519 signs only what is in a file.
    with open(statement_file, "wb") as file:
        file.write(b"paloma key 1" + challenge + leaf)
    sign = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key_file, "-in", statement_file]
    return base64.b64encode(subprocess.run(sign, check=True, capture_output=True).stdout).decode()


def log_in(port):
    """Registers and logs in; the certificate goes to its file. Gives the link, which stays open."""
    plain = socket.create_connection(("127.0.0.1", int(server_port)), timeout=WAIT)
    context = context_for(ssl.PROTOCOL_TLS_CLIENT)
    server = Link(context.wrap_socket(plain, server_hostname="rendezvous.paloma"))
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key_file], check=True)
    public = subprocess.run(
        ["openssl", "pkey", "-in", key_file, "-pubout", "-outform", "DER"], check=True, capture_output=True
    ).stdout
    server.ask({"action": "register", "username": name, "password": password}, "register_response")
    login = {
        "action": "login",
        "username": name,
        "password": password,
        "p2p_port": port,
        "public_key": base64.b64encode(public).decode(),
        "key_proof": key_proof(server),
    }
    with open(certificate_file, "w") as file:
        file.write(server.ask(login, "login_response")["certificate"])
    return server


def common_name(connection):
    subject = [value for part in connection.getpeercert()["subject"] for value in part]
    return [value for kind, value in subject if kind == "commonName"][0]


def greet(link, speaks_first):
    mine = {"action": "hello", "protocol": 1, "username": name, "features": ["python"]}
    if speaks_first:
        link.write(mine)
    theirs = link.read()
    if not speaks_first:
        link.write(mine)
    if theirs["action"] != "hello" or theirs["username"] != common_name(link.connection):
        raise RuntimeError(json.dumps(theirs))


def take_text(link, acknowledged, mine):
    """Reads up to the first text and acknowledges it; notes an acknowledgement of our own on the way."""
    while True:
        message = link.read()
        if "message" in message and "action" not in message:
            link.write({"action": "delivered", "ids": [message["id"]]})
            return message["message"]
        if message.get("action") == "delivered" and mine in message["ids"]:
            acknowledged.append(mine)


def talk(link):
    mine, acknowledged = str(uuid.uuid4()), []
    text = {"message": "saludos de Python ñ", "id": mine}
    if role == "dial":
        link.write(text)
        received = take_text(link, acknowledged, mine)
    else:
        received = take_text(link, acknowledged, mine)
        link.write(text)
    while not acknowledged:
        message = link.read()
        if message.get("action") == "delivered" and mine in message["ids"]:
            acknowledged.append(mine)
    link.write({"action": "bye"})
    print(json.dumps({"received": received, "acknowledged": True}), flush=True)


if role == "accept":
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WAIT)
        server = log_in(listener.getsockname()[1])
        print("online", flush=True)
        plain, _ = listener.accept()
        plain.settimeout(WAIT)
        acceptor = context_for(ssl.PROTOCOL_TLS_SERVER)
        acceptor.load_cert_chain(certificate_file, key_file)
        with acceptor.wrap_socket(plain, server_side=True) as connection:
            peer = Link(connection)
            greet(peer, True)
            talk(peer)
else:
    server = log_in(9)
    print("online", flush=True)
    where = server.ask({"action": "request_p2p", "target_user": other}, "p2p_info")
    plain = socket.create_connection((where["target_ip"], where["target_port"]), timeout=WAIT)
    dialler = context_for(ssl.PROTOCOL_TLS_CLIENT)
    dialler.load_cert_chain(certificate_file, key_file)
    label = hashlib.sha256(where["target_user"].lower().encode()).hexdigest()[:40]
    with dialler.wrap_socket(plain, server_hostname=label) as connection:
        shown = hashlib.sha256(
            subprocess.run(
                ["openssl", "pkey", "-pubin", "-outform", "DER"],
                input=subprocess.run(
                    ["openssl", "x509", "-inform", "DER", "-pubkey", "-noout"],
                    input=connection.getpeercert(True),
                    capture_output=True,
                    check=True,
                ).stdout,
                capture_output=True,
                check=True,
            ).stdout
        ).hexdigest()
        if common_name(connection) != where["target_user"] or shown != where["fingerprint"]:
            raise RuntimeError("not the one who was dialled")
        peer = Link(connection)
        greet(peer, False)
        talk(peer)
