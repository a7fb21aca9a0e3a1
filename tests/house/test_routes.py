"""A route is written in one feature's folder and in routes.py, and nothing about it is left out."""

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from services.api.http.route import Route
from services.api.openapi.operation import Operation
from services.api.routes import ROUTES

ROOT = Path(__file__).parents[2]
API = ROOT / "services" / "api"
REGISTERS = re.compile(r"\.(add_route|add_get|add_post|add_put|add_delete|add_view|add_static)\(")


def words() -> list[ModuleType]:
    """The modules that describe calls in the OpenAPI document."""
    names = (path.relative_to(ROOT).with_suffix("") for path in API.rglob("openapi*.py"))
    return [import_module(".".join(name.parts)) for name in sorted(names)]


def described() -> dict[int, str]:
    """The folder in which each operation is described, as a package."""
    return {
        id(value): module.__name__.rpartition(".")[0]
        for module in words()
        for value in vars(module).values()
        if isinstance(value, Operation)
    }


def name(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", ROUTES, ids=name)
def test_a_call_is_described_beside_its_handler(route: Route) -> None:
    if route.operation is None:
        assert route.scope is None, "a call that needs a key has its words in the document"
        return
    assert described()[id(route.operation)] == route.handler.__module__.rpartition(".")[0]


@pytest.mark.parametrize("route", ROUTES, ids=name)
def test_a_call_produces_what_is_described(route: Route) -> None:
    if route.scope is None:
        assert route.produces == (), "whoever has no key gets one answer, whatever Accept says"
        return
    assert route.operation is not None
    media = {
        answer.media
        for answer in route.operation.answers.values()
        if answer.model is not None or answer.schema is not None
    }
    assert media <= set(route.produces)
    assert route.produces


def test_every_description_has_a_route() -> None:
    routed = {id(route.operation) for route in ROUTES}
    assert described().keys() == routed - {id(None)}


def test_of_routes_with_one_operation_all_but_one_are_aliases() -> None:
    names = [route.alias or route.described.id for route in ROUTES if route.described]
    assert len(set(names)) == len(names)


def test_routes_are_added_in_one_place() -> None:
    adding = [path for path in API.rglob("*.py") if REGISTERS.search(path.read_text("utf-8"))]
    assert adding == [API / "http" / "routing.py"]


def test_one_name_within_the_document_means_one_thing() -> None:
    """Parameters and headers are components: two of one name would be shown as the last of them."""
    of_name: dict[str, object] = {}
    for route in ROUTES:
        if route.operation is None:
            continue
        for parameter in route.operation.parameters:
            assert of_name.setdefault(parameter.component, parameter) == parameter
        for answer in route.operation.answers.values():
            for header in answer.headers:
                assert of_name.setdefault(header.name, header) == header
