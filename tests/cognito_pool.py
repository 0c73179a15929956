"""A user pool, tokens signed with moto's own key, and an endpoint for keys that can go away."""

import base64
import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from jose import jws

from moto_process import REGION, make_client

PASSWORD = "Correct-horse-1"
KEY_ID = "dummy"


@dataclass(frozen=True)
class Pool:
    """A user pool with one application; ``user`` is in no group, ``admin`` in the group ``admins``."""

    url: str
    pool_id: str
    client_id: str

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.{REGION}.amazonaws.com/{self.pool_id}"

    @property
    def key_set_url(self) -> str:
        base = f"{self.url}/{self.pool_id}" if self.url else self.issuer
        return f"{base}/.well-known/jwks.json"

    def sign_in(self, user: str) -> dict[str, str]:
        """The tokens that the pool gives a user: `AccessToken`, `IdToken`."""
        return make_client("cognito-idp", self.url).initiate_auth(
            ClientId=self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": PASSWORD},
        )["AuthenticationResult"]

    def claims(self, **changed: Any) -> dict[str, Any]:
        """The claims of a good access token; a change to None takes one away."""
        now_s = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "2f1c-user",
            "client_id": self.client_id,
            "token_use": "access",
            "iat": now_s,
            "exp": now_s + 3600,
        }
        return {name: value for name, value in (claims | changed).items() if value is not None}

    def sign(self, header: dict[str, Any] | None = None, **changed: Any) -> str:
        """A token signed with the pool's own key, whatever it says."""
        return jws.sign(
            self.claims(**changed),
            private_key(),
            headers={"kid": KEY_ID, **(header or {})},
            algorithm="RS256",
        )


def make_pool(url: str) -> Pool:
    """A new user pool with its application and two users."""
    cognito = make_client("cognito-idp", url)
    pool_id = cognito.create_user_pool(PoolName="ocr-test-users")["UserPool"]["Id"]
    client_id = cognito.create_user_pool_client(
        UserPoolId=pool_id, ClientName="web", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    cognito.create_group(UserPoolId=pool_id, GroupName="admins")
    for user in ("user", "admin"):
        cognito.admin_create_user(UserPoolId=pool_id, Username=user)
        cognito.admin_set_user_password(UserPoolId=pool_id, Username=user, Password=PASSWORD, Permanent=True)
    cognito.admin_add_user_to_group(UserPoolId=pool_id, Username="admin", GroupName="admins")
    return Pool(url, pool_id, client_id)


def delete_pool(pool: Pool) -> None:
    """Take it away, with its users."""
    make_client("cognito-idp", pool.url).delete_user_pool(UserPoolId=pool.pool_id)


def private_key() -> dict[str, str]:
    """The key with which moto signs the tokens of all its pools."""
    packed = files("moto").joinpath("cognitoidp/resources/jwks-private.json.gz").read_bytes()
    key: dict[str, str] = json.loads(gzip.decompress(packed))
    return key


def encode(part: object) -> str:
    """A part of a token that nobody signs."""
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class KeyEndpoint:
    """An HTTP server with a key set, which counts who asks for what."""

    port: int
    paths: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/jwks.json"

    @contextmanager
    def up(self, key_set: bytes) -> Iterator[None]:
        """Answer with this key set for as long as the block lasts."""
        paths = self.paths

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                paths.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(key_set)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
