"""What tests of searches over HTTP share: storing, and reading a searchset."""

from typing import Any

import httpx


async def store(client: httpx.AsyncClient, *resources: dict[str, Any]) -> None:
    for resource in resources:
        response = await client.put(f"/{resource['resourceType']}/{resource['id']}", json=resource)
        assert response.status_code in {200, 201}, response.text


def references(response: httpx.Response, mode: str = "match") -> list[str]:
    assert response.status_code == 200, response.text
    entries = [entry for entry in response.json().get("entry", []) if entry["search"]["mode"] == mode]
    return [f"{entry['resource']['resourceType']}/{entry['resource'].get('id', '')}" for entry in entries]


def link(response: httpx.Response, relation: str) -> str | None:
    return next((link["url"] for link in response.json()["link"] if link["relation"] == relation), None)


async def every_page(client: httpx.AsyncClient, address: str) -> list[list[str]]:
    """The references of all pages."""
    pages: list[list[str]] = []
    following: str | None = address
    while following:
        response = await client.get(following)
        pages.append(references(response))
        following = link(response, "next")
    return pages


def remarks(response: httpx.Response) -> list[dict[str, Any]]:
    """The issues of a searchset's OperationOutcome."""
    outcomes = [entry["resource"] for entry in response.json().get("entry", []) if entry["search"]["mode"] == "outcome"]
    return [issue for outcome in outcomes for issue in outcome["issue"]]
