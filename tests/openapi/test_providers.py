"""The providers' documents, generated from descriptors and schemas."""

from __future__ import annotations

import jsonschema
import pytest

from voice_emulator.openapi.providers import provider_document
from voice_emulator.providers.registry import discover
from voice_emulator.schemas.validate import SchemaSet

PROVIDERS = discover()
SCHEMAS = SchemaSet.load(PROVIDERS)
DOCUMENTS = {
    name: provider_document(provider, SCHEMAS, "http://127.0.0.1:4880", "1")
    for name, provider in PROVIDERS.items()
}


def operations(name: str) -> list[tuple[str, str, dict]]:
    return [
        (path, method, operation)
        for path, item in DOCUMENTS[name]["paths"].items()
        for method, operation in item.items()
    ]


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_path_and_operation_is_there(name: str):
    provider, document = PROVIDERS[name], DOCUMENTS[name]
    for route in provider.routes:
        path = (
            route.path
            if route.serve is None
            else route.path.rstrip("/") + ("/{file}" if route.path.endswith("/") else "")
        )
        assert path in document["paths"]
    described = {tag for _, _, operation in operations(name) for tag in operation.get("tags", ())}
    assert described == set(provider.operations)
    ids = [operation["operationId"] for _, _, operation in operations(name)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_accepted_encoding_has_its_media_type(name: str):
    media = {"json": "application/json", "urlencoded": "application/x-www-form-urlencoded",
    "multipart": "multipart/form-data",
             "text": "text/plain"}  # fmt: skip
    for _, method, operation in operations(name):
        if method == "get":
            assert "requestBody" not in operation
            continue
        accepted = {
            encoding for tag in operation["tags"] for encoding in PROVIDERS[name].operations[tag].accepts
        }
        assert set(operation["requestBody"]["content"]) == {
            media[encoding] for encoding in accepted if encoding in media
        }


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_push_is_a_callback_of_what_causes_it_and_a_webhook(name: str):
    provider, document = PROVIDERS[name], DOCUMENTS[name]
    assert set(document["webhooks"]) == set(provider.receipts)
    for _, _, operation in operations(name):
        expected = {kind for tag in operation.get("tags", ()) for kind in provider.operations[tag].receipts}
        assert set(operation.get("callbacks", {})) == expected
        for callback in operation.get("callbacks", {}).values():
            ((_, item),) = callback.items()
            assert item["post"]["requestBody"]["content"]
            assert item["post"]["responses"]


@pytest.mark.parametrize("name", PROVIDERS)
def test_errors_settings_and_provenance_are_readable_by_program(name: str):
    provider, document = PROVIDERS[name], DOCUMENTS[name]
    assert [error["code"] for error in document["x-errors"]] == [error.code for error in provider.errors]
    assert set(document["x-settings"]) == set(provider.settings.settings)
    for _, _, operation in operations(name):
        if operation.get("tags"):
            assert operation["x-provenance"] in ("documented", "inferred", "choice")
            assert all(operation["x-source"])
            for error in operation["x-errors"]:
                assert not error["operations"] or set(error["operations"]) & set(operation["tags"])


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_schema_is_one_and_every_reference_leads_somewhere(name: str):
    document = DOCUMENTS[name]

    def walk(value: object) -> None:
        if isinstance(value, dict):
            target = value.get("$ref")
            if isinstance(target, str):
                found = document
                for part in target.removeprefix("#/").split("/"):
                    found = found[part.replace("~1", "/").replace("~0", "~")]
            for member in value.values():
                walk(member)
        elif isinstance(value, list):
            for member in value:
                walk(member)

    walk(document)
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_examples_satisfy_the_schemas_as_the_document_has_them(name: str):
    document = DOCUMENTS[name]
    checked = 0
    for _, _, operation in operations(name):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            schema = {**media["schema"], "components": document["components"]}
            for example in media.get("examples", {}).values():
                jsonschema.Draft202012Validator(schema).validate(example["value"])
                checked += 1
    assert checked


def test_one_path_with_several_operations_is_one_of_them():
    dispatch = DOCUMENTS["infin8linx"]["paths"]["/api/yunhu"]["post"]
    schema = dispatch["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert {reference["$ref"].rsplit("/", 1)[-1] for reference in schema["oneOf"]} == {
        f"{name}.request" for name in PROVIDERS["infin8linx"].operations
    }
    assert dispatch["tags"] == list(PROVIDERS["infin8linx"].operations)


def test_headers_are_parameters_and_authorization_is_a_security_scheme():
    headers = {
        parameter["name"]: parameter
        for parameter in DOCUMENTS["nxcloud"]["paths"]["/v1/voice/uploadFile"]["post"]["parameters"]
    }
    assert headers["sign"]["required"] is True
    for _, _, operation in operations("huawei_cec"):
        assert "authorization" not in [
            parameter["name"].lower() for parameter in operation.get("parameters", ())
        ]
    assert (
        DOCUMENTS["huawei_cec"]["components"]["securitySchemes"]["authorization"]["name"] == "Authorization"
    )


def test_a_callback_goes_where_the_request_says():
    path = next(
        path for path in DOCUMENTS["huawei_cec"]["paths"] if path.endswith("v2/createVoiceNotification")
    )
    callbacks = DOCUMENTS["huawei_cec"]["paths"][path]["post"]["callbacks"]
    assert list(callbacks["release"]) == ["{$request.body#/callBackUrl}"]
