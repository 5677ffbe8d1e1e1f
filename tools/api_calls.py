"""The list of the API's calls, written from its OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from interlock.api.application import description
from tools.reference import WRITTEN

METHODS = ("get", "put", "post", "delete")


def page() -> str:
    """Every call under `/v1` with its scope, parameters, body, answer and refusals."""
    document = description()
    lines = [
        "# The calls of the API",
        "",
        f"{WRITTEN} How to use them, keys and refusals: [using the API](api-guide.md).",
        "",
        "| call | scope | what it does |",
        "|---|---|---|",
    ]
    calls = list(_calls(document))
    lines += [
        f"| `{method.upper()} {path}` | {_scope(call)} | {call['summary']} |" for path, method, call in calls
    ]
    for path, method, call in calls:
        lines += ["", *_call(path, method, call)]
    lines += ["", "## Bodies and answers"]
    for name, schema in sorted(document["components"]["schemas"].items()):
        if "properties" in schema:
            lines += ["", *_schema(name, schema)]
    return "\n".join(lines) + "\n"


def _calls(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in sorted(document["paths"].items()):
        for method in METHODS:
            if method in methods:
                yield f"/v1{path}", method, methods[method]


def _scope(call: dict[str, Any]) -> str:
    return f"`{call['x-scope']}`" if call["x-scope"] else "any key"


def _call(path: str, method: str, call: dict[str, Any]) -> list[str]:
    lines = [f"## `{method.upper()} {path}`", "", " ".join(call["description"].split()), ""]
    lines.append(f"- Scope: {_scope(call)}")
    for parameter in call.get("parameters", ()):
        must = "" if parameter["required"] or parameter["in"] == "path" else ", may be left out"
        said = parameter.get("description") or parameter["schema"].get("description", "")
        kind = _type(parameter["schema"])
        lines.append(
            f"- `{parameter['name']}` ({parameter['in']}, {kind}{must}){f': {said}' if said else ''}"
        )
    if "requestBody" in call:
        lines.append(f"- Body: {_content(call['requestBody'])}")
    for status, answer in call["responses"].items():
        if status.startswith("2"):
            lines.append(f"- Answer {status}: {_content(answer)}")
    refusals = [status for status in call["responses"] if not status.startswith("2")]
    lines.append(f"- Refusals: {', '.join(refusals)}")
    return lines


def _content(holder: dict[str, Any]) -> str:
    return _type(holder["content"]["application/json"]["schema"])


def _schema(name: str, schema: dict[str, Any]) -> list[str]:
    needed = schema.get("required", ())
    lines = [f"### {_plain(name)}", "", " ".join(schema.get("description", "").split()), ""]
    lines += ["| field | type | meaning |", "|---|---|---|"]
    for field, detail in schema["properties"].items():
        optional = "" if field in needed else ", may be left out"
        lines.append(f"| `{field}` | {_type(detail)}{optional} | {_cell(detail.get('description', ''))} |")
    return lines


def _type(schema: dict[str, Any]) -> str:
    """The type in words; a schema that is described by itself is linked to."""
    if "$ref" in schema:
        name = _plain(schema["$ref"].rpartition("/")[2])
        return f"[{name}](#{name.lower().replace(' ', '-')})"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}" if "items" in schema else "list"
    kind = str(schema.get("type", "anything"))
    return {"date-time": "date and time"}.get(schema.get("format", ""), kind)


def _plain(name: str) -> str:
    """`Page[CaseAnswer]` is written Page_CaseAnswer_ in the document."""
    return name.strip("_").replace("_", " of ")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
