"""Signing in with an OpenID Connect provider: authorisation code with PKCE, state and nonce (OpenID Connect Core 1.0,
section 3.1; RFC 7636). Who somebody is comes from the ID token alone, whose signature, issuer, audience, nonce and dates are
checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from interlock.access.digests import keyed_digest, new_token
from interlock.access.rules import OutsideSignIn
from interlock.storage.encryption import Keyring, Undecipherable

# Signatures by a key of the provider's. No shared secrets, and never none.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
UNDER_WAY_FOR = timedelta(minutes=10)
TIMEOUT_SECONDS = 10.0
LEEWAY_SECONDS = 60
LARGEST_ANSWER_BYTES = 1024 * 1024
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ProviderAway(Exception):
    """The provider does not answer, or not as one does."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"The sign-in of {name} cannot be used now: {what}. Nobody was signed in. Try again in a moment, or sign in with "
            "a sign-in name and a password if you have them."
        )


class SignInRefused(Exception):
    """What came back from the provider opens nothing; the sentence says why."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why} Nobody was signed in.")


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A sign-in that was sent to the provider; kept in the browser, sealed."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    back: str
    ends_at: str

    def sealed(self, keyring: Keyring) -> str:
        """As the browser keeps it: nobody else can read or make it."""
        parts = [self.state, self.nonce, self.verifier, self.back, self.ends_at]
        return keyring.encrypt(json.dumps(parts).encode()).decode()


def under_way(keyring: Keyring, sealed: str, state: str, now: datetime) -> UnderWay:
    """The sign-in this browser began and that belongs to `state`. Raises SignInRefused."""
    try:
        found = UnderWay(*json.loads(keyring.decrypt(sealed.encode())))
    except (Undecipherable, ValueError, TypeError):
        raise SignInRefused(
            "This sign-in was not begun in this browser. Begin on the page Sign in."
        ) from None
    if not state or found.state != state:
        raise SignInRefused("This answer belongs to another sign-in than the one begun in this browser.")
    if datetime.fromisoformat(found.ends_at) <= now:
        raise SignInRefused("This sign-in took longer than ten minutes. Begin again on the page Sign in.")
    return found


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is. `roles` are as the settings write them, of all groups that give some."""

    subject: str
    wanted_handle: str
    name: str = field(repr=False)
    email: str = field(repr=False)
    roles: tuple[str, ...] = ()

    def digest(self, key: bytes, issuer: str) -> str:
        """What the account is found by, at any later sign-in."""
        return keyed_digest(key, "outside identity", f"{issuer}\0{self.subject}")


class Provider:
    """One OpenID Connect provider. What it says of itself is read with each sign-in."""

    def __init__(
        self, rules: OutsideSignIn, redirect_uri: str, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._rules = rules
        self._redirect_uri = redirect_uri
        self._transport = transport

    async def begin(self, back: str, now: datetime) -> tuple[str, UnderWay]:
        """Where to send the browser, and what to keep of it. Raises ProviderAway."""
        started = UnderWay(new_token(), new_token(), new_token(), back, (now + UNDER_WAY_FOR).isoformat())
        async with self._client() as client:
            about = await self._about(client)
            address, _ = client.create_authorization_url(
                self._endpoint(about, "authorization_endpoint"),
                state=started.state,
                nonce=started.nonce,
                code_verifier=started.verifier,
            )
        return str(address), started

    async def identity(self, code: str, started: UnderWay, now: datetime) -> Identity:
        """Who came back with this code. Raises ProviderAway and SignInRefused."""
        async with self._client() as client:
            about = await self._about(client)
            try:
                answer = await client.fetch_token(
                    self._endpoint(about, "token_endpoint"),
                    code=code,
                    code_verifier=started.verifier,
                    grant_type="authorization_code",
                )
            except AuthlibBaseError:
                raise SignInRefused(
                    "The provider did not take the code it gave; it works once and not for long."
                ) from None
            except (httpx2.HTTPError, ValueError):
                raise ProviderAway(self._rules.name, "it did not answer for the code") from None
            keys = await self._document(client, self._endpoint(about, "jwks_uri"))
        claims = self._checked(answer, keys, started, now)
        return self._identity(claims)

    def _checked(self, answer: Any, keys: Any, started: UnderWay, now: datetime) -> Mapping[str, Any]:
        """The claims of the ID token once everything about it was found right."""
        given = answer.get("id_token") if isinstance(answer, dict) else None
        if not isinstance(given, str):
            raise SignInRefused("The provider gave no ID token.")
        try:
            read = jwt.decode(given, KeySet.import_key_set(keys), algorithms=list(ALGORITHMS))
            claims = CodeIDToken(
                read.claims,
                read.header,
                options={
                    "iss": {"essential": True, "value": self._rules.issuer},
                    "aud": {"essential": True, "value": self._rules.client_id},
                },
                params={
                    "nonce": started.nonce,
                    "client_id": self._rules.client_id,
                    "access_token": answer.get("access_token"),
                },
            )
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as wrong:
            kind = type(wrong).__name__
            raise SignInRefused(f"The provider's ID token is not good ({kind}).") from None
        checked: Mapping[str, Any] = claims
        return checked

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        groups = claims.get(self._rules.groups_claim, [])
        given = {str(group) for group in groups} if isinstance(groups, list) else {str(groups)}
        roles = tuple(dict.fromkeys(role for group, role in self._rules.roles if group in given))
        email = str(claims.get("email") or "")
        wanted = str(claims.get("preferred_username") or email).partition("@")[0]
        name = str(claims.get("name") or wanted)
        return Identity(str(claims["sub"]), wanted, name, email, roles)

    # -- asking ------------------------------------------------------------------------------------------

    def _client(self) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=self._rules.client_id,
            client_secret=self._rules.client_secret or None,
            scope="openid profile email",
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self._rules.client_secret else "none",
            timeout=TIMEOUT_SECONDS,
            follow_redirects=False,
            transport=self._transport,
        )

    async def _about(self, client: AsyncOAuth2Client) -> Mapping[str, Any]:
        found = await self._document(client, get_well_known_url(self._rules.issuer, external=True))
        if found.get("issuer") != self._rules.issuer:
            raise ProviderAway(
                self._rules.name, "it says it is another issuer than INTERLOCK_OIDC_ISSUER names"
            )
        return found

    async def _document(self, client: AsyncOAuth2Client, address: str) -> Mapping[str, Any]:
        try:
            answer = await client.request("GET", address, withhold_token=True)
            if answer.status_code != 200 or len(answer.content) > LARGEST_ANSWER_BYTES:
                raise ProviderAway(self._rules.name, f"it answers with status {answer.status_code}")
            found = answer.json()
        except (httpx2.HTTPError, ValueError):
            raise ProviderAway(self._rules.name, "it does not answer") from None
        if not isinstance(found, dict):
            raise ProviderAway(self._rules.name, "its answer cannot be read")
        return found

    def _endpoint(self, about: Mapping[str, Any], name: str) -> str:
        address = str(about.get(name) or "")
        parts = urlsplit(address)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ProviderAway(self._rules.name, f"its {name} is not an https address")
        return address
