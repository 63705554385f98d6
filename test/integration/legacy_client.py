"""A client of the original program, in the manner of its document: plain sockets, JSON without a line
feed, one recv(1024) for an answer, one recv(4096) for the list of users.

Usage: legacy_client.py PORT USERNAME PEER. Prints what it got, one JSON object.
"""

import json
import socket
import sys


class SeedClient:
    def __init__(self, host, port):
        self.server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.server.settimeout(10)
        self.server.connect((host, port))

    def request(self, message, size=1024):
        self.server.send(json.dumps(message).encode("utf-8"))
        return json.loads(self.server.recv(size).decode("utf-8"))

    def register(self, username, password, email):
        return self.request(
            {"action": "register", "username": username, "password": password, "email": email}
        )

    def login(self, username, password, p2p_port):
        return self.request(
            {"action": "login", "username": username, "password": password, "p2p_port": p2p_port}
        )

    def get_users(self):
        return self.request({"action": "get_users"}, 4096)

    def request_p2p(self, target_user):
        return self.request({"action": "request_p2p", "target_user": target_user})


def main():
    port, username, peer = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    client = SeedClient("127.0.0.1", port)
    result = {
        "register": client.register(username, "mi_password", username + "@email.com"),
        "twice": client.register(username, "mi_password", ""),
        "wrong": client.login(username, "otra_password", 9001),
        "login": client.login(username, "mi_password", 9001),
        "users": client.get_users(),
        "peer": client.request_p2p(peer),
        "nobody": client.request_p2p("nadie_así"),
    }
    second = SeedClient("127.0.0.1", port)
    result["second"] = second.login(username, "mi_password", 9002)
    print(json.dumps(result))


main()
