from __future__ import annotations

from flask.testing import FlaskClient

from classifier.model import Model
from service.schemas import HealthOut, ReadyOut


def test_the_process_is_alive(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    HealthOut.model_validate_json(answer.data)


def test_ready_says_which_model(client: FlaskClient, model: Model) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    ready = ReadyOut.model_validate_json(answer.data)
    assert (ready.model, ready.version) == (model.name, model.version)
