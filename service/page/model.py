"""The version in use, what its training wrote about it, and going back to the one before."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, abort, current_app, request

from classifier.artifact import VersionFolder
from service.access import current_key, needs
from service.admission import PAGE_ROLE
from service.inputs import read_flags
from service.models import slot_of
from service.page.card import read_card
from service.page.figures import read_figures
from service.page.report import PICTURE_POLICY, read_pictures, report_policy
from service.responses import json_response

blueprint = Blueprint("page_model", __name__)

_WRITTEN = "%Y%m%dT%H%M%SZ"  # the date in a version's name


@blueprint.get("/page/model")
@needs(PAGE_ROLE)
def show() -> Response:
    """Everything that the page shows of the model."""
    read_flags(request.args)
    slot = slot_of(current_app)
    (model, folder), store, key = slot.loaded, slot.store, current_key()
    report = _document(folder, "report.html")
    card = _document(folder, "card.md")
    versions = store.versions() if store else [model.version]
    return json_response(
        {
            "model": model.name,
            "version": model.version,
            "created": model.manifest.get("created"),
            "heads": {"sections": model.sections is not None, "popularity": model.popularity is not None},
            "sections": list(model.sections.labels) if model.sections else None,
            "figures": read_figures(model.manifest),
            "card": None if card is None else read_card(card),
            "report": report is not None,
            "pictures": [
                {"name": one.name, "title": one.title, "alt": one.alt, "caption": one.caption}
                for one in read_pictures(report or "")
            ],
            "versions": [
                {"version": name, "created": _created(name), "current": name == model.version}
                for name in versions
            ],
            "pinned": store is None,
            "may_promote": key is not None and key.may("admin"),
            "can_roll_back": next(iter(store.earlier()), None) if store else None,
        }
    )


@blueprint.get("/page/report")
@needs(PAGE_ROLE)
def report() -> Response:
    """The whole report of the version in use."""
    read_flags(request.args)
    html = _report()
    return Response(html, mimetype="text/html", headers={"Content-Security-Policy": report_policy(html)})


@blueprint.get("/page/report/<name>.svg")
@needs(PAGE_ROLE)
def picture(name: str) -> Response:
    """One picture of that report."""
    found = next((one for one in read_pictures(_report()) if one.name == name), None)
    if found is None:
        abort(404)
    return Response(found.svg, mimetype="image/svg+xml", headers={"Content-Security-Policy": PICTURE_POLICY})


@blueprint.post("/page/rollback")
@needs("admin")
def roll_back() -> Response:
    """Make the version that was current before the current one again; other workers follow within two seconds."""
    read_flags(request.args)
    slot = slot_of(current_app)
    before = slot.roll_back()
    return json_response({"model": slot.current.name, "version": slot.current.version, "before": before})


def _report() -> str:
    html = _document(slot_of(current_app).loaded.folder, "report.html")
    if html is None:
        abort(404)
    return html


def _document(folder: VersionFolder, name: str) -> str | None:
    data = folder.document(name)
    return None if data is None else data.decode("utf-8", "replace")


def _created(version: str) -> str | None:
    try:
        return datetime.strptime(version.partition("-")[0], _WRITTEN).replace(tzinfo=UTC).isoformat()
    except ValueError:  # a folder that somebody named so
        return None
