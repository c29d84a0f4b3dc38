#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tokens as docker-registry wants them: token_server CERTIFICATE KEY USER PASSWORD.

Serves https on the loopback, prints its port, and logs each scope that it was asked for to standard
error. Who gives the right password may do everything, everybody else may pull.
"""
import base64
import http.server
import json
import ssl
import subprocess
import sys
import time
import urllib.parse

certificate, key, user, password = sys.argv[1:5]


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def certificate_chain():
    lines = open(certificate).read().split("-----END CERTIFICATE-----")[0].splitlines()
    return ["".join(line for line in lines if line and not line.startswith("-----"))]


def signed(claims):
    header = {"typ": "JWT", "alg": "RS256", "x5c": certificate_chain()}
    text = encoded(json.dumps(header).encode()) + "." + encoded(json.dumps(claims).encode())
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text.encode(),
                               capture_output=True, check=True).stdout
    return text + "." + encoded(signature)


def granted(scopes, is_user):
    access = []
    for scope in scopes:
        kind, rest = scope.split(":", 1)
        name, actions = rest.rsplit(":", 1)
        allowed = [each for each in actions.split(",") if is_user or each == "pull"]
        access.append({"type": kind, "name": name, "actions": allowed})
    return access


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        given = self.headers.get("Authorization", "")
        right = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        if given and given != right:
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        scopes = query.get("scope", [])
        print("scopes:", *scopes, file=sys.stderr, flush=True)
        now = int(time.time())
        claims = {"iss": "onggi tests", "sub": user if given else "", "exp": now + 300,
                  "aud": query.get("service", [""])[0], "nbf": now - 10, "iat": now, "jti": str(now),
                  "access": granted(scopes, given == right)}
        body = json.dumps({"token": signed(claims)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
