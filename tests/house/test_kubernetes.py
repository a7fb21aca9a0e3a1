"""The manifests in deploy/kubernetes are valid, and fit compose, the docs and the code."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from services.api.routes import ROUTES
from tests.alerts.prometheus import program
from tests.house.test_compose import SERVICES, SETTINGS, duration
from tests.house.test_documented_commands import fault
from tests.house.test_metrics import METRICS
from tests.servers import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
EXAMPLE = FOLDER / "overlays" / "example"
# What Kubernetes publishes, of the oldest version that docs/kubernetes.md names, and of a new one.
SCHEMAS = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in (ROOT / "tests" / "house" / "kubernetes").glob("*.json")
}
SERVERS = ("api", "relay", "mailer", "returns")
PROCESSES = ("migrate-before", "migrate-after", *SERVERS)
OF_THE_OPERATOR = {"/metrics", "/health/live", "/health/ready"}
MEBIBYTE = {"M": "Mi", "G": "Gi"}

Manifest = dict[str, Any]

every_server = pytest.mark.parametrize("name", SERVERS)
every_process = pytest.mark.parametrize("name", PROCESSES)


def build(folder: Path) -> list[Manifest]:
    """What kustomize makes of a folder, by the kubectl that the tests install."""
    command = [str(Path(sys.executable).with_name("kubectl")), "kustomize", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return [each for each in yaml.safe_load_all(ran.stdout) if each]


@cache
def manifests() -> list[Manifest]:
    """All manifests of the example, with the listener as well."""
    made = [build(EXAMPLE / step) for step in ("before", "processes", "after")]
    listener = yaml.safe_load_all((FOLDER / "returns" / "returns.yaml").read_text("utf-8"))
    return [each for part in (*made, listener) for each in part]


def of_kind(kind: str) -> list[Manifest]:
    return [each for each in manifests() if each["kind"] == kind]


def workload(name: str) -> Manifest:
    """The Deployment of a server, or a Job of `migrate`."""
    [found] = [each for each in manifests() if each["metadata"]["name"] == f"ledgerpost-{name}"
               and each["kind"] in {"Deployment", "Job"}]  # fmt: skip
    return found


def pod(name: str) -> Manifest:
    spec: Manifest = workload(name)["spec"]["template"]["spec"]
    return spec


def container(name: str) -> Manifest:
    [only] = pod(name)["containers"]
    return dict(only)


def image_environment() -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", (ROOT / "Dockerfile").read_text("utf-8")))


def ports(name: str) -> dict[str, int]:
    """The ports of a server, by name."""
    return {each["name"]: each["containerPort"] for each in container(name)["ports"]}


def validate(manifest: Manifest, version: str) -> str:
    """Return the kind of a manifest. Raises ValidationError if it is not as its schema says."""
    schemas, group = SCHEMAS[version], manifest["apiVersion"].split("/")
    kind = "-".join([manifest["kind"].lower(), *(each.partition(".")[0] for each in group)])
    schema = schemas["kinds"][kind] | {"$defs": schemas["$defs"]}
    jsonschema.Draft202012Validator(schema).validate(manifest)
    return kind


@pytest.mark.parametrize("version", ["1.27", "1.37"])
def test_the_schemas_that_kubernetes_publishes_take_all_of_it(version: str) -> None:
    assert {validate(each, version) for each in manifests()} == SCHEMAS[version]["kinds"].keys()
    assert SCHEMAS.keys() == {"1.27", "1.37"}


@pytest.mark.parametrize(
    ("name", "wrong"), [("replica", 2), ("replicas", "2"), ("template", {"spec": {"tier": 1}})]
)
def test_a_wrong_manifest_is_noticed(name: str, wrong: object) -> None:
    changed = workload("relay") | {"spec": workload("relay")["spec"] | {name: wrong}}
    with pytest.raises(jsonschema.ValidationError):
        validate(changed, "1.37")


def test_every_file_is_part_of_the_example() -> None:
    named = {
        (path.parent / file).resolve()
        for path in FOLDER.rglob("kustomization.yaml")
        for file in yaml.safe_load(path.read_text("utf-8")).get("resources", ())
    }
    files = set(FOLDER.rglob("*.yaml")) - set(FOLDER.rglob("kustomization.yaml"))
    assert {path for path in files if path not in named} == {FOLDER / "prometheus-adapter.yaml"}


def test_the_example_takes_the_listener_as_well(tmp_path: Path) -> None:
    base = yaml.safe_load((EXAMPLE / "processes" / "kustomization.yaml").read_text("utf-8"))
    assert base["components"] == ["../version"]
    # kustomize goes up from the folder to what it names.
    up = Path(*[".."] * (len(tmp_path.resolve().parts) - 1))
    given = {"resources": [str(up / (EXAMPLE / "processes").relative_to("/"))]}
    given |= {"components": [str(up / (FOLDER / "returns").relative_to("/"))]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(given))
    names = {each["metadata"]["name"] for each in build(tmp_path) if each["kind"] == "Deployment"}
    assert names == {f"ledgerpost-{each}" for each in SERVERS}


@every_process
def test_it_is_confined(name: str) -> None:
    spec, only = pod(name), container(name)
    assert spec["securityContext"]["runAsNonRoot"] is True
    in_image = re.search(r"USER (\d+):(\d+)", (ROOT / "Dockerfile").read_text("utf-8"))
    assert in_image
    ids = [spec["securityContext"][key] for key in ("runAsUser", "runAsGroup")]
    assert ids == [int(each) for each in in_image.groups()]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert "emptyDir" in next(each for each in spec["volumes"] if each["name"] == "tmp")


@every_process
def test_it_runs_a_command_that_there_is(name: str) -> None:
    program_, *words = container(name)["args"]
    assert fault(program_, words) is None
    in_compose = SERVICES[name.partition("-")[0]]["command"]
    assert container(name)["args"] == [
        *in_compose, *(["--after"] if name == "migrate-after" else [])
    ]  # fmt: skip


@every_process
def test_it_has_the_secrets_that_it_has_in_compose_and_as_files(name: str) -> None:
    process = name.partition("-")[0]
    given = {each["name"]: each["value"] for each in container(name)["env"]}
    files = {variable: path for variable, path in given.items() if variable.endswith("_FILE")}
    in_compose = SERVICES[process]["environment"]
    assert files.keys() == {each for each in in_compose if each.endswith("_FILE")}
    for variable, path in files.items():
        known = variable.removesuffix("_FILE")
        assert path == f"/run/secrets/ledgerpost/{known.lower().replace('_', '-')}"
    known_fields = SETTINGS[process].model_fields
    assert {each.removesuffix("_FILE").lower() for each in given} <= known_fields.keys()
    [secrets] = [each for each in pod(name)["volumes"] if "secret" in each]
    assert secrets["secret"]["secretName"] == f"ledgerpost-secrets-{process}"
    [mount] = [each for each in container(name)["volumeMounts"] if each["name"] == "secrets"]
    assert (mount["mountPath"], mount["readOnly"]) == ("/run/secrets/ledgerpost", True)


@every_process
def test_it_has_the_memory_that_it_has_in_compose(name: str) -> None:
    there = SERVICES[name.partition("-")[0]]["deploy"]["resources"]["limits"]["memory"]
    assert container(name)["resources"]["limits"] == {
        "memory": f"{there[:-1]}{MEBIBYTE[there[-1]]}"
    }


@every_server
def test_it_has_the_time_that_it_needs_to_end(name: str) -> None:
    given = pod(name)["terminationGracePeriodSeconds"]
    needed = duration(SERVICES[name]["stop_grace_period"]).seconds
    if name == "api":
        [delay] = [each for each in container(name)["env"] if each["name"] == "DRAIN_DELAY"]
        default = SETTINGS["api"].model_fields["drain_delay"].default
        needed += duration(delay["value"]).seconds - default.seconds
    assert given == needed


@every_server
def test_its_probes_ask_the_port_that_the_image_sets(name: str) -> None:
    port = "http" if name == "api" else "ops"
    variable = "API_PORT" if name == "api" else f"{name.upper()}_OPS_PORT"
    assert ports(name)[port] == int(image_environment()[variable])
    asked = {kind: container(name)[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness")}
    paths = {
        kind: (each["httpGet"]["path"], each["httpGet"]["port"]) for kind, each in asked.items()
    }
    assert paths == {
        "startup": ("/health/live", port),
        "readiness": ("/health/ready", port),
        "liveness": ("/health/live", port),
    }
    ops = (ROOT / "shared" / "process" / "ops.py").read_text("utf-8")
    answered = (
        {route.path for route in ROUTES} if name == "api" else set(re.findall(r'"(/\S+)"', ops))
    )
    assert {path for path, _ in paths.values()} <= answered


def test_the_settings_are_read_by_some_process_and_right() -> None:
    [settings] = of_kind("ConfigMap")
    secrets = {
        "database_url": "postgresql://u@h/d", "amqp_url": "amqp://u@h/v", "smtp_url": "smtp://h",
        "return_secret": "0" * 32,
    }  # fmt: skip
    given = settings["data"] | {name.upper(): value for name, value in secrets.items()}
    known = set()
    for kind in SETTINGS.values():
        kind.from_environ(given)
        known |= {field.upper() for field in kind.model_fields}
    assert settings["data"].keys() <= known
    # What a Deployment sets wins, so that it would be ignored here.
    for name in SERVERS:
        assert not settings["data"].keys() & {each["name"] for each in container(name)["env"]}
        [source] = container(name)["envFrom"]
        assert source["configMapRef"]["name"].startswith("ledgerpost-settings")


@every_server
def test_a_disruption_leaves_one_of_two(name: str) -> None:
    [budget] = [
        each for each in of_kind("PodDisruptionBudget")
        if each["metadata"]["name"] == f"ledgerpost-{name}"
    ]  # fmt: skip
    spec = workload(name)["spec"]
    assert budget["spec"]["selector"] == spec["selector"]
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    assert budget["spec"]["maxUnavailable"] == 1
    scaled = {each["spec"]["scaleTargetRef"]["name"]: each for each in
              of_kind("HorizontalPodAutoscaler")}  # fmt: skip
    scaler = scaled.get(workload(name)["metadata"]["name"])
    assert (scaler["spec"]["minReplicas"] if scaler else spec["replicas"]) == 2
    # Two places that say how many would undo each other.
    assert ("replicas" in spec) is (scaler is None)


def test_mailers_are_added_while_mails_wait() -> None:
    [scaler] = [each for each in of_kind("HorizontalPodAutoscaler")
                if each["metadata"]["name"] == "ledgerpost-mailer"]  # fmt: skip
    [metric] = [each["external"]["metric"]["name"] for each in scaler["spec"]["metrics"]]
    assert metric in {each.name for each in METRICS}
    rules = yaml.safe_load((FOLDER / "prometheus-adapter.yaml").read_text("utf-8"))["rules"]
    assert [each["name"]["as"] for each in rules["external"]] == [metric]


def test_the_network_lets_through_what_is_there_and_no_more() -> None:
    into: dict[str, set[int]] = {name: set() for name in SERVERS}
    for policy in of_kind("NetworkPolicy"):
        selector = policy["spec"]["podSelector"]
        component = selector["matchLabels"].get("app.kubernetes.io/component")
        among = [each["values"] for each in selector.get("matchExpressions", ())]
        chosen = {component} if component else set(*among) or set(SERVERS)
        for rule in policy["spec"].get("ingress", ()):
            assert rule["from"]
            for name in chosen:
                into[name] |= {each["port"] for each in rule["ports"]}
    everything = {port for name in SERVERS for port in ports(name).values()}
    for name in SERVERS:
        assert set(ports(name).values()) <= into[name] <= everything
    [default] = [
        each for each in of_kind("NetworkPolicy") if each["metadata"]["name"] == "ledgerpost"
    ]
    assert default["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in default["spec"]


def test_the_outside_reaches_every_route_but_those_of_the_operator() -> None:
    [ingress] = of_kind("Ingress")
    [rule] = ingress["spec"]["rules"]
    exact = {each["path"] for each in rule["http"]["paths"] if each["pathType"] == "Exact"}
    below = [each["path"] for each in rule["http"]["paths"] if each["pathType"] == "Prefix"]

    def is_reached(path: str) -> bool:
        return path in exact or any(path == each or path.startswith(f"{each}/") for each in below)

    hidden = {route.path for route in ROUTES if not is_reached(route.path)}
    assert hidden == OF_THE_OPERATOR
    for path in exact | set(below):
        assert any(route.path.startswith(path) for route in ROUTES)


def test_prometheus_takes_its_part(tmp_path: Path) -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))
    [job] = config["scrape_configs"]
    # Debian's Prometheus is built without Kubernetes, and so it would not know this part.
    [found] = job.pop("kubernetes_sd_configs")
    assert found == {"role": "pod", "namespaces": {"names": ["ledgerpost"]}}
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    checked = [program("promtool"), "check", "config", str(tmp_path / "prometheus.yml")]
    ran = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
