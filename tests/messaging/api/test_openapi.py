"""The document: public, complete, and true; the page that shows it loads nothing from elsewhere."""

import json
import re
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from jsonschema import Draft202012Validator

from messaging.api.problems import KINDS
from messaging.api.routes import api as application

from .conftest import Caller, problem_of

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(json.dumps(application.get_openapi_schema(path_prefix="/api/v1/")))


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_it_is_public(db: None) -> None:
    response = Caller(None).get("openapi.json")
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    told = response.json()
    assert told["openapi"].startswith("3.1")
    assert told["components"]["securitySchemes"]["BearerKey"]["scheme"] == "bearer"
    assert not re.search(r"https?://(?!127\.0\.0\.1)", response.content.decode())


def test_it_is_read_only(db: None) -> None:
    for path in ("openapi.json", "docs"):
        response = Caller(None).post(path, {})
        problem_of(response, 405, "method_not_allowed")
        assert "GET" in response["Allow"]


def test_every_operation_tells_all_its_answers(document: dict[str, Any]) -> None:
    assert len(operations(document)) == 47
    for name, operation in operations(document):
        responses = operation["responses"]
        assert operation["summary"] and operation["description"] and operation["tags"], name
        assert operation["security"] == [{"BearerKey": []}], name
        assert {"400", "401", "403", "413", "429", "500", "503"} <= responses.keys(), name
        if "{" in name:
            assert "404" in responses, name
        if "requestBody" in operation:
            assert {"415", "422"} <= responses.keys(), name
            reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            assert document["components"]["schemas"][reference.rpartition("/")[2]]["examples"], name
        for status, response in responses.items():
            assert len(response["description"]) > 5, (name, status)
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"], (name, status)
        for parameter in operation["parameters"]:
            assert parameter["in"] == "path" or parameter["description"], (name, parameter["name"])
    assert "Retry-After" in document["paths"]["/api/v1/messages"]["post"]["responses"]["429"]["headers"]
    assert "idempotency_key_reused" in json.dumps(document["paths"]["/api/v1/messages"]["post"]["responses"]["409"])


def test_nothing_is_left_of_our_own_notes(document: dict[str, Any]) -> None:
    assert not re.search(r'"x-(problems|responses|headers)"', json.dumps(document))


def test_examples_keep_to_their_schemas(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    checked = 0
    for name, schema in schemas.items():
        for example in schema.get("examples", ()):
            resolved = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
            Draft202012Validator(resolved).validate(example)
            checked += 1
    assert checked >= 9
    problem = Draft202012Validator(schemas["Problem"])
    for _, operation in operations(document):
        for response in operation["responses"].values():
            told = response.get("content", {}).get("application/problem+json", {})
            for example in told.get("examples", {}).values():
                problem.validate(example["value"])


def test_every_code_is_documented_for_readers() -> None:
    text = (django_settings.BASE_DIR / "docs" / "api.md").read_text()
    assert [code for code in KINDS if f"`{code}`" not in text] == []


def test_the_page_loads_nothing_from_elsewhere(db: None) -> None:
    response = Caller(None).get("docs")
    assert response.status_code == 200
    page = response.content.decode()
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)
    assert "'self'" in response["Content-Security-Policy"]
    assets = re.findall(r"""(?:src|href)=["']/static/([^"']+)["']""", page)
    assert {"ninja/swagger-ui-bundle.js", "ninja/swagger-ui.css"} <= set(assets)
    assert all(finders.find(asset) for asset in assets)
    assert '"validatorUrl": null' in page
