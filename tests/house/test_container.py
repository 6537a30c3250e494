"""compose.yaml and the Dockerfile, judged as `docker compose config` would, and by what this project knows besides.

https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""

import fnmatch
import json
import re
import shlex
import tomllib
from typing import Any

import pytest
import yaml

from fhir_server.__main__ import _parser
from fhir_server.settings import Settings, load
from tests.shared import REPOSITORY

VERSION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
SECTIONS = {"name", "services", "networks", "volumes", "configs", "secrets"}
KEYS = {
    "build", "cap_drop", "command", "configs", "depends_on", "environment", "healthcheck", "image", "networks", "ports",
    "read_only", "restart", "security_opt", "stop_grace_period", "tmpfs", "volumes",
}  # fmt: skip
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
PINNED = re.compile(r"[a-z0-9./_-]+:\d[\w.-]*")


def interpolate(text: str) -> str:
    """Fill in `${NAME:-default}` with the default, as on a machine where nothing is set."""
    filled = re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text)
    assert "$" not in filled, "a variable without a default makes the first `docker compose up` fail"
    return filled


COMPOSE: dict[str, Any] = yaml.safe_load(interpolate((REPOSITORY / "compose.yaml").read_text(encoding="utf-8")))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
MONGOS = sorted(name for name, service in SERVICES.items() if service.get("command", [""])[0] == "mongod")
SERVERS = sorted(name for name, service in SERVICES.items() if "build" in service)

every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def instructions() -> list[tuple[str, str]]:
    """Give the Dockerfile's instructions and their arguments."""
    text = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ").splitlines()
    return [(words[0], words[1]) for line in lines if (words := line.split(maxsplit=1))]


DOCKERFILE = instructions()


def arguments(instruction: str) -> list[str]:
    return [argument for name, argument in DOCKERFILE if name == instruction]


def mounted(service: dict[str, Any]) -> list[str]:
    return [volume.split(":")[0] for volume in service.get("volumes", ())]


def hosts(uri: str) -> list[str]:
    return uri.removeprefix("mongodb://").partition("/")[0].split(",")


def test_compose_has_only_sections_and_keys_of_the_specification():
    assert {name for name in COMPOSE if not name.startswith("x-")} <= SECTIONS
    for service in SERVICES.values():
        assert service.keys() <= KEYS
        assert "image" in service


def test_the_network_is_three_databases_two_servers_and_one_port():
    assert len(MONGOS) == 3
    assert len(SERVERS) == 2
    assert [port for service in SERVICES.values() for port in service.get("ports", ())] == ["127.0.0.1:8080:8080"]


@every_service
def test_an_image_is_pinned_by_tag(service):
    assert PINNED.fullmatch(service["image"])
    if "build" in service:
        assert service["image"] == f"tsunagi:{VERSION}"


@every_service
def test_a_service_waits_for_services_that_can_become_what_it_waits_for(service):
    for name, dependency in service.get("depends_on", {}).items():
        awaited = SERVICES[name]
        assert dependency["condition"] in CONDITIONS
        if dependency["condition"] == "service_healthy":
            assert "healthcheck" in awaited or ("build" in awaited and arguments("HEALTHCHECK"))
        if dependency["condition"] == "service_completed_successfully":
            assert awaited["restart"] == "no"


def test_no_service_waits_for_itself():
    waiting = {name: set(service.get("depends_on", ())) for name, service in SERVICES.items()}
    while ready := [name for name, others in waiting.items() if not others]:
        for name in ready:
            del waiting[name]
        waiting = {name: others - set(ready) for name, others in waiting.items()}
    assert not waiting


@pytest.mark.parametrize("section", ["networks", "volumes", "configs"])
def test_what_is_used_is_declared_and_what_is_declared_is_used(section):
    used = {
        "networks": {name for service in SERVICES.values() for name in service["networks"]},
        "volumes": {name for service in SERVICES.values() for name in mounted(service)},
        "configs": {each["source"] for service in SERVICES.values() for each in service.get("configs", ())},
    }
    assert used[section] == COMPOSE[section].keys()


def test_every_config_is_a_file():
    assert all((REPOSITORY / config["file"]).is_file() for config in COMPOSE["configs"].values())


def test_no_two_databases_share_a_volume():
    volumes = [name for mongo in MONGOS for name in mounted(SERVICES[mongo])]
    assert len(volumes) == len(set(volumes)) == 3


def test_only_the_servers_reach_the_databases_and_those_reach_nothing():
    assert COMPOSE["networks"]["database"] == {"internal": True}
    for name in MONGOS:
        assert SERVICES[name]["networks"] == ["database"]
        assert "ports" not in SERVICES[name]
    assert SERVICES["gateway"]["networks"] == ["front"]


@pytest.mark.parametrize("name", SERVERS)
def test_the_environment_of_a_server_is_settings_that_it_accepts(name):
    environment = SERVICES[name]["environment"]
    assert all(variable.removeprefix("TSUNAGI_").lower() in Settings.__struct_fields__ for variable in environment)
    settings = load({**environment, "TSUNAGI_CONFIG": ""})
    assert settings.base == "http://127.0.0.1:8080/fhir"
    assert settings.stop_time < int(SERVICES[name]["stop_grace_period"].removesuffix("s"))


def test_the_replica_set_is_the_same_everywhere():
    script = (REPOSITORY / "deploy/replica-set.js").read_text(encoding="utf-8")
    set_name = re.search(r'NAME = "(\w+)"', script)
    members = re.search(r"MEMBERS = (\[.*\])", script)
    assert set_name
    assert members
    assert json.loads(members[1]) == [f"{name}:27017" for name in MONGOS]
    for name in MONGOS:
        assert SERVICES[name]["command"][1:3] == ["--replSet", set_name[1]]
    for name in SERVERS:
        uri = SERVICES[name]["environment"]["TSUNAGI_MONGODB_URI"]
        assert hosts(uri) == json.loads(members[1])
        assert uri.endswith(f"?replicaSet={set_name[1]}")


def test_the_gateway_knows_every_server_and_logs_no_address():
    gateway = (REPOSITORY / "deploy/haproxy.cfg").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^    server \w+ (\w+):8080$", gateway, re.MULTILINE)) == SERVERS
    assert "GET /health/ready" in gateway
    log_format = re.search(r"log-format (.*)", gateway)
    assert log_format
    assert not re.search(r"%(?:r|HP|HPO|HQ|HU)\b|path|query|url", log_format[1])
    assert "httplog" not in gateway


def test_the_image_is_made_of_files_that_exist_and_that_docker_is_shown():
    shown = [line[1:] for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")]
    sources = [source for copy in arguments("COPY") if not copy.startswith("--from") for source in copy.split()[:-1]]
    assert {"fhir_server", "mappers", "profiles", "terminology", "requirements-server.lock"} <= set(sources)
    for source in sources:
        assert (REPOSITORY / source).exists()
        assert any(fnmatch.fnmatch(source, pattern) for pattern in shown), f".dockerignore hides {source}"


def test_the_image_installs_only_what_is_locked():
    installs = [run for run in arguments("RUN") if "pip install" in run]
    assert any("--require-hashes -r requirements-server.lock" in run for run in installs)
    assert all("--require-hashes" in run or "--no-deps" in run for run in installs)


def test_the_image_starts_from_a_pinned_python_that_the_project_supports():
    images = {image.split(" AS ")[0] for image in arguments("FROM")}
    [image] = images
    version = re.fullmatch(r"python:3\.(\d+)-slim-\w+", image)
    assert version
    assert int(version[1]) in {11, 12, 13}


def test_the_container_runs_as_nobody_in_particular_and_can_write_only_its_data():
    last_stage = DOCKERFILE[max(index for index, (name, _) in enumerate(DOCKERFILE) if name == "FROM") :]
    assert [argument for name, argument in last_stage if name == "USER"] == ["10001"]
    environment = dict(pair.split("=", 1) for argument in arguments("ENV") for pair in shlex.split(argument))
    ours = {name: value for name, value in environment.items() if name.startswith("TSUNAGI_")}
    assert str(load(ours).data) == arguments("WORKDIR")[-1]
    for name in SERVERS:
        assert SERVICES[name]["volumes"] == [f"{name}:{ours['TSUNAGI_DATA']}"]


def test_the_container_asks_itself_whether_it_lives():
    health = (REPOSITORY / "fhir_server/rest/health.py").read_text(encoding="utf-8")
    asked = re.search(r"http://127\.0\.0\.1:8080(/[a-z/]+)", arguments("HEALTHCHECK")[0])
    assert asked
    assert f'"{asked[1]}"' in health


def test_the_command_of_the_container_is_one_that_tsunagi_understands():
    assert json.loads(arguments("ENTRYPOINT")[0]) == ["tsunagi"]
    words = json.loads(arguments("CMD")[0])
    understood = _parser(words).parse_args(words)
    assert (understood.host, int(understood.port)) == ("0.0.0.0", int(arguments("EXPOSE")[0]))
