"""The API's description as one page: no script is needed to read it, a small one sends the examples."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

Spec = Mapping[str, Any]


def make_page(document: Spec) -> str:
    """HTML that links docs/docs.css and docs/docs.js and holds neither style nor script of its own."""
    info = document["info"]
    parts = [
        f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>",
        f"<p>{escape(info['description'])} For programs: <a href='openapi.json'>openapi.json</a>.</p>",
        "<p class='key'><label>Key <input id='key' type='password' autocomplete='off' size='48'></label> "
        "sent with what you try below; it is kept in this page only.</p>",
        _contents(document),
        *(_operation(document, *item) for item in _operations(document)),
        "<h2>What the objects hold</h2>",
        *(_schema(name, schema) for name, schema in document["components"]["schemas"].items()),
    ]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(info['title'])} API</title><link rel='stylesheet' href='docs/docs.css'>"
        "<script src='docs/docs.js' defer></script></head>"
        f"<body><main>{''.join(parts)}</main></body></html>"
    )


def _operations(document: Spec) -> Iterable[tuple[str, str, Spec]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _contents(document: Spec) -> str:
    rows = [
        f"<li><a href='#{operation['operationId']}'><b>{method}</b> {escape(path)}</a> {escape(operation['summary'])}</li>"
        for path, method, operation in _operations(document)
    ]
    return f"<nav aria-label='Operations'><ul>{''.join(rows)}</ul></nav>"


def _operation(document: Spec, path: str, method: str, operation: Spec) -> str:
    name = operation["operationId"]
    body = operation.get("requestBody", {}).get("content", {})
    return (
        f"<section id='{name}' aria-labelledby='{name}-title'>"
        f"<h2 id='{name}-title'><span class='method'>{method}</span> {escape(path)}</h2>"
        f"<p><b>{escape(operation['summary'])}.</b> {escape(operation['description'])}</p>"
        f"{_parameters(operation)}{_bodies('Takes', body)}"
        f"{_bodies('Answers', operation['responses']['200'].get('content', {}))}"
        f"{_refusals(document, operation)}{_trial(name, path, method, operation, body)}</section>"
    )


def _parameters(operation: Spec) -> str:
    rows = [
        (f"<code>{p['name']}</code>", p["in"], escape(p["description"]))
        for p in operation.get("parameters", [])
    ]
    return _table(("parameter", "in", ""), rows) if rows else ""


def _bodies(title: str, contents: Spec) -> str:
    found = []
    for media_type, content in contents.items():
        found.append(f"<h3>{title} <code>{media_type}</code>: {_type(content['schema'])}</h3>")
        for example in content.get("examples", {}).values():
            found.append(f"<pre>{escape(_shown(example['value']))}</pre>")
    return "".join(found)


def _refusals(document: Spec, operation: Spec) -> str:
    known = document["components"]["responses"]
    rows = [
        (status, escape(known[status]["description"])) for status in operation["responses"] if status in known
    ]
    return f"<details><summary>Errors</summary>{_table(('status', 'when'), rows)}</details>"


def _trial(name: str, path: str, method: str, operation: Spec, body: Spec) -> str:
    fields = [
        f"<label>{p['name']} <input name='{p['name']}' data-place='{p['in']}'></label>"
        for p in operation.get("parameters", [])
    ]
    for media_type, content in list(body.items())[:1]:
        [example, *_] = content["examples"].values()
        fields.append(
            f"<label>body <textarea name='body' rows='9' data-type='{media_type}' spellcheck='false'>"
            f"{escape(_shown(example['value']))}</textarea></label>"
        )
    return (
        f"<form data-method='{method}' data-path='{escape(path)}'>{''.join(fields)}"
        f"<button>Send</button></form><pre class='answer' aria-live='polite' hidden></pre>"
    )


def _schema(name: str, schema: Spec) -> str:
    needed = schema.get("required", [])
    rows = [
        (
            f"<code>{escape(field)}</code>{'' if field in needed else ' (optional)'}",
            _type(own),
            escape(own.get("description", "")),
        )
        for field, own in schema.get("properties", {}).items()
    ]
    about = escape(schema.get("description", ""))
    return (
        f"<section id='{name}'><h3>{name}</h3><p>{about}</p>{_table(('field', 'type', ''), rows)}</section>"
    )


def _type(schema: Spec) -> str:
    """A schema in a few words, linked to what it refers to."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"<a href='#{name}'>{name}</a>"
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " or ".join(
            f"<code>{escape(str(v))}</code>" for v in schema.get("enum", [schema.get("const")])
        )
    kind = escape(str(schema.get("type", "anything")))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_type(schema['additionalProperties'])}"
    return f"{kind} ({escape(schema['format'])})" if "format" in schema else kind


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    titles = "".join(f"<th scope='col'>{title}</th>" for title in head)
    return f"<div class='scroll'><table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
