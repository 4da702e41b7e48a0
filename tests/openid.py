"""An OpenID provider on this machine, whose one page asks who comes: for tests of the login."""

import html
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "explorer", "a secret of this test alone"


class Provider:
    """Lets in who says so.

    Attributes:
        url: Its address.
        forged: Whether it signs with a key that is not the one it publishes.
    """

    def __init__(self):
        self._key, self._other = (RSAKey.generate_key(2048, {"kid": "one"}) for _ in range(2))
        self.forged = False
        self._nonces = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider._get(self)

            def do_POST(self):
                provider._post(self)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()

    def secrets(self, **other):
        """What an operator writes into secrets.toml to use it."""
        auth = {
            "redirect_uri": "http://127.0.0.1:{port}/oauth2callback",
            "cookie_secret": "x" * 32,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "server_metadata_url": f"{self.url}/.well-known/openid-configuration",
        }
        lines = [f"{k} = {json.dumps(v)}" for k, v in (auth | other).items() if v is not None]
        return "\n".join(["[auth]", *lines, ""])

    def _get(self, request):
        parts = urlsplit(request.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            names = {"authorization": "authorize", "token": "token", "end_session": "out"}
            told = {f"{name}_endpoint": f"{self.url}/{path}" for name, path in names.items()}
            told |= {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
            self._json(request, told | {"id_token_signing_alg_values_supported": ["RS256"]})
        elif parts.path == "/keys":
            self._json(request, {"keys": [self._key.as_dict(private=False)]})
        elif parts.path == "/authorize":
            assert asked["client_id"] == CLIENT
            code = f"code{len(self._nonces)}"
            self._nonces[code] = asked["nonce"]
            back = {"state": asked["state"]}
            ways = {"I am Ada": {"code": code}, "Never mind": {"error": "access_denied"}}
            links = [
                f'<a href="{html.escape(asked["redirect_uri"] + "?" + urlencode(back | way))}">'
                f"{name}</a>"
                for name, way in ways.items()
            ]
            self._send(request, 200, "text/html", " ".join(links))
        elif parts.path == "/out":
            request.send_response(302)
            request.send_header("Location", asked["post_logout_redirect_uri"])
            request.end_headers()
        else:
            self._send(request, 404, "text/plain", "no such page")

    def _post(self, request):
        body = request.rfile.read(int(request.headers["content-length"])).decode()
        code = parse_qs(body)["code"][0]
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "sub": "7", "name": "Ada <b>Lovelace</b>"}
        claims |= {"iat": now, "exp": now + 600, "nonce": self._nonces.pop(code)}
        key = self._other if self.forged else self._key
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)
        answer = {"access_token": "a", "token_type": "Bearer", "expires_in": 600, "id_token": token}
        self._json(request, answer)

    def _json(self, request, what):
        self._send(request, 200, "application/json", json.dumps(what))

    @staticmethod
    def _send(request, status, kind, text):
        request.send_response(status)
        request.send_header("Content-Type", f"{kind}; charset=utf-8")
        request.end_headers()
        request.wfile.write(text.encode())
