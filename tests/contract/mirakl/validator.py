"""Judges single exchanges with a Mirakl seller API by Mirakl's own OpenAPI document."""

import json
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

ENVIRONMENT_NAME = "INTERLOCK_MIRAKL_OPENAPI"
EXCEPTIONS_FILE = Path(__file__).with_name("exceptions.json")
_URN = "urn:mirakl-seller-openapi"


@dataclass(frozen=True)
class Violation:
    """One breach of the contract. `where` is such as `response orders[0].channel`, never with values in it."""

    operation: str
    where: str
    rule: str
    message: str


def document_path() -> Path | None:
    """The OpenAPI document that the environment names, or None."""
    value = os.environ.get(ENVIRONMENT_NAME)
    return Path(value) if value else None


class Contract:
    """Mirakl's document, with its references resolved inside itself, and our list of exceptions."""

    def __init__(self, path: Path, exceptions: Path = EXCEPTIONS_FILE) -> None:
        self.document: dict[str, Any] = json.loads(path.read_text("utf-8"))
        resource = Resource.from_contents(self.document, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(_URN, resource)
        self._validators: dict[tuple[str, ...], Draft202012Validator] = {}
        self._exceptions = [
            (entry["operation"], re.compile(_pattern(entry["path"])), entry["rule"], entry["scope"])
            for entry in json.loads(exceptions.read_text("utf-8"))
        ]

    def template(self, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
        """The path template and the operation object for a request path."""
        path = path.split("?", 1)[0]
        exact = self.document["paths"].get(path)
        if exact is not None and method.lower() in exact:
            return path, exact[method.lower()]
        for template, methods in self.document["paths"].items():
            matcher = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
            if method.lower() in methods and re.fullmatch(matcher, path):
                return template, methods[method.lower()]
        return None

    def violations(
        self,
        method: str,
        path: str,
        request_body: Any,
        status: int,
        response_body: Any,
        *,
        scope: str = "exchange",
    ) -> list[Violation]:
        """What `validate_exchange` says, with this document; exceptions of other scopes do not count."""
        found = self.template(method, path)
        if found is None:
            return [Violation("?", "path", "unknown", f"The contract has no {method} at this path.")]
        template, operation = found
        code = operation.get("operationId", "?")
        made: list[Violation] = []
        if request_body is not None:
            if "requestBody" not in operation:
                made.append(Violation(code, "request", "body", "The operation takes no body."))
            else:
                media = _media(operation["requestBody"])
                made += self._check(code, "request", template, method, ("requestBody",), request_body, media)
        if status >= 400:
            return self._left(made, scope)
        response = operation["responses"].get(str(status))
        if response is None:
            made.append(Violation(code, "response", "status", f"{status} is not in the contract."))
        elif "content" not in response:
            if response_body is not None and status == 204:
                made.append(Violation(code, "response", "body", "204 must have no body."))
        elif response_body is None:
            made.append(Violation(code, "response", "body", "A body is missing."))
        else:
            pointer = ("responses", str(status))
            made += self._check(code, "response", template, method, pointer, response_body)
        return self._left(made, scope)

    def _check(
        self,
        code: str,
        side: str,
        template: str,
        method: str,
        pointer: tuple[str, ...],
        body: Any,
        media: str = "application/json",
    ) -> list[Violation]:
        parts = ("paths", template, method.lower(), *pointer, "content", media, "schema")
        validator = self._validators.get(parts)
        if validator is None:
            fragment = "/".join(quote(part.replace("~", "~0").replace("/", "~1")) for part in parts)
            validator = Draft202012Validator({"$ref": f"{_URN}#/{fragment}"}, registry=self._registry)
            self._validators[parts] = validator
        made = []
        for error in validator.iter_errors(body):
            where = f"{side} {_where(list(error.absolute_path))}".rstrip()
            rule = str(error.validator)
            missing = re.match(r"'([^']+)' is a required property", error.message)
            if missing:
                where = f"{where}.{missing.group(1)}" if " " in where else f"{where} {missing.group(1)}"
            if rule == "type" and error.instance is None:
                rule = "null"
            made.append(Violation(code, where, rule, f"{rule}: {error.validator_value!r} is expected."))
        return made

    def _left(self, violations: list[Violation], scope: str) -> list[Violation]:
        return [violation for violation in violations if not self._excepted(violation, scope)]

    def _excepted(self, violation: Violation, scope: str) -> bool:
        return any(
            operation == violation.operation
            and rule == violation.rule
            and applies == scope
            and pattern.fullmatch(violation.where) is not None
            for operation, pattern, rule, applies in self._exceptions
        )


@cache
def contract() -> Contract:
    """The contract the environment names; KeyError when it names none."""
    return Contract(Path(os.environ[ENVIRONMENT_NAME]))


def validate_exchange(
    method: str, path: str, request_body: Any, status: int, response_body: Any
) -> list[Violation]:
    """Every breach of Mirakl's contract in one exchange that the exception file does not allow.

    Bodies are parsed JSON (numbers as int, float or Decimal), None when there was none; of a multipart request the
    parsed JSON parts by name. Answers of 400 and
    above are not judged: the contract declares no error body (reference, section 1.7). Needs the environment
    variable INTERLOCK_MIRAKL_OPENAPI.
    """
    return contract().violations(method, path, request_body, status, response_body)


def _media(body: dict[str, Any]) -> str:
    """The media type of a request body: JSON where the operation takes it, else its first."""
    content = body["content"]
    return "application/json" if "application/json" in content else str(next(iter(content)))


def _where(path: list[Any]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _pattern(path: str) -> str:
    return re.escape(path).replace(r"\[\*\]", r"\[\d+\]")
