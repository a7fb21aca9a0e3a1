"""The files for Prometheus and Grafana fit the metrics, the runbooks and each other."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.api.http.metrics import HttpMetrics
from services.api.relay.metrics import RelayMetrics
from services.mailer.metrics import MailerMetrics
from shared.db.pool_metrics import PoolMetrics
from shared.process import metrics
from shared.process.descriptors import Watch
from shared.returns.metrics import ReturnMetrics
from tests.alerts.prometheus import DASHBOARD, SHIPPED, program, rules, windowed
from tests.house.test_compose import SERVICES
from tests.house.test_links import anchors
from tests.house.test_metrics import listed

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks.md"
NAME = re.compile(r"\bledgerpost_\w+\b")
SEVERITIES = {"critical", "warning"}
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
every_rule = pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])


def expressions() -> Iterator[str]:
    """What the alerts and the panels ask for."""
    yield from (rule["expr"] for rule in rules())
    for panel in PANELS:
        yield from (target["expr"] for target in panel["targets"])


def shown() -> set[str]:
    """The names of the series of each documented metric."""
    ends = {"histogram": ("_bucket", "_sum", "_count")}
    return {f"{each.name}{end}" for each in listed() for end in ("", *ends.get(each.type, ()))}


def test_every_metric_that_is_asked_for_is_there() -> None:
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    assert asked <= shown()
    assert len(asked) > 15


def test_somebody_on_call_can_see_all_of_it_at_once() -> None:
    assert len(PANELS) <= 12
    assert len(rules()) <= 12
    assert all(panel["description"].endswith(".") for panel in PANELS)
    places = [(panel["gridPos"]["y"], panel["gridPos"]["x"]) for panel in PANELS]
    assert places == sorted(set(places))


@every_rule
def test_an_alert_leads_to_its_runbook(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in SEVERITIES
    assert rule["annotations"]["summary"].endswith(".")
    page, _, section = rule["annotations"]["runbook_url"].partition("#")
    assert ROOT / page == RUNBOOKS
    assert section == rule["alert"].lower()
    assert section in anchors(RUNBOOKS)


def test_no_runbook_is_about_an_alert_that_was_taken_out() -> None:
    headings = re.findall(r"^## (.+)$", RUNBOOKS.read_text("utf-8"), re.MULTILINE)
    assert headings == [rule["alert"] for rule in rules()]


def test_prometheus_asks_the_services_of_compose() -> None:
    config = yaml.safe_load((SHIPPED / "prometheus.yml").read_text("utf-8"))
    asked = {job.pop("job_name"): job for job in config["scrape_configs"]}
    assert asked == {
        "ledgerpost-api": {"static_configs": [{"targets": ["api:8080"]}]},
        "ledgerpost-relay": {"static_configs": [{"targets": ["relay:8081"]}]},
        "ledgerpost-mailer": {"static_configs": [{"targets": ["mailer:8082"]}]},
        # Not there without its profile: a static target would be down.
        "ledgerpost-returns": {
            "dns_sd_configs": [{"names": ["returns"], "type": "A", "port": 8083}]
        },
    }
    assert SERVICES["returns"]["profiles"] == ["returns"]
    assert ":8083/" in SERVICES["returns"]["healthcheck"]["test"][-1]
    mounted = [volume.split(":")[0] for volume in SERVICES["prometheus"]["volumes"]]
    for file in ("prometheus.yml", "alerts.yml"):
        assert f"./deploy/observability/{file}" in mounted


def test_grafana_finds_the_dashboard_and_prometheus() -> None:
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    provisioning = SHIPPED / "grafana" / "provisioning"
    assert ROOT / next(iter(mounts)) == provisioning
    source = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    uids = {target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]}
    assert uids == {source["datasources"][0]["uid"]}
    provider = yaml.safe_load((provisioning / "dashboards" / "ledgerpost.yml").read_text())
    assert (
        mounts["./deploy/observability/grafana/dashboards"]
        == (provider["providers"][0]["options"]["path"])
    )


def test_promtool_takes_the_rules_and_the_configuration() -> None:
    for check, file in (("rules", "alerts.yml"), ("config", "prometheus.yml")):
        ran = promtool("check", check, str(SHIPPED / file))
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_promtool_likes_the_metrics() -> None:
    registry = metrics.registry()
    HttpMetrics(registry).record(method="GET", route="/x", status=200, seconds=1)
    RelayMetrics(registry)
    MailerMetrics(registry)
    ReturnMetrics(registry)
    PoolMetrics(registry).connected("ledgerpost-api", opened=True)
    Watch(registry).look()
    ran = promtool("check", "metrics", said=metrics.expose(registry).decode())
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_promtool_sees_no_alert_in_a_healthy_system(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text((SHIPPED / "alerts.yml").read_text())
    quiet = [{"eval_time": "30m", "alertname": rule["alert"]} for rule in rules()]
    healthy = {
        'up{job="ledgerpost-api"}': "1x60",
        "ledgerpost_oldest_due_age_seconds": "20x60",
        'ledgerpost_resource_up{resource="smarthost"}': "1x60",
        'ledgerpost_resource_up{resource="postgres"}': "1x60",
        'ledgerpost_resource_up{resource="rabbitmq"}': "1x60",
        'ledgerpost_delivery_attempts_total{state="sent",reason_class="none"}': "0+50x60",
        'ledgerpost_delivery_attempts_total{state="failed",reason_class="recipient"}': "0+1x60",
        'ledgerpost_delivery_attempts_total{state="failed",reason_class="policy"}': "0x60",
        'ledgerpost_returns_total{kind="bounce",scope="policy"}': "0x60",
        'ledgerpost_returns_total{kind="bounce",scope="recipient"}': "0+1x60",
        'ledgerpost_deliveries{stage="in_doubt"}': "0x60",
        'ledgerpost_queue_messages{queue="dead_letters"}': "0x60",
        'ledgerpost_http_requests_total{route="/x",status="200"}': "0+100x60",
        'ledgerpost_http_requests_total{route="/x",status="404"}': "0+50x60",
        # A process that is not ready answers its probe with 503: no caller has an error of it.
        'ledgerpost_http_requests_total{route="/health/ready",status="503"}': "0+60x60",
        'ledgerpost_http_request_seconds_bucket{route="/x",le="0.1"}': "0+150x60",
        'ledgerpost_http_request_seconds_bucket{route="/x",le="+Inf"}': "0+150x60",
        'ledgerpost_database_connections{pool="ledgerpost-api",state="in_use"}': "8x60",
        'ledgerpost_database_connections_limit{pool="ledgerpost-api"}': "10x60",
        "ledgerpost_descriptors_open": "50x60",
        "ledgerpost_descriptors_limit": "1024x60",
    }
    series = [{"series": name, "values": values} for name, values in healthy.items()]
    test = {"interval": "1m", "input_series": series, "alert_rule_test": quiet}
    (tmp_path / "quiet.yml").write_text(
        json.dumps({"rule_files": ["alerts.yml"], "evaluation_interval": "1m", "tests": [test]})
    )
    ran = promtool("test", "rules", str(tmp_path / "quiet.yml"))
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("series", "alert"),
    [
        ('ledgerpost_resource_up{job="ledgerpost-api",resource="postgres"}', "Resource"),
        ('ledgerpost_resource_up{job="ledgerpost-api",resource="postgres.east"}', "Resource"),
        ('ledgerpost_resource_up{job="ledgerpost-relay",resource="rabbitmq"}', "Resource"),
        ('ledgerpost_resource_up{job="ledgerpost-mailer",resource="rabbitmq.east"}', "Resource"),
        ('ledgerpost_batches{phase="waiting"}', "Schedules"),
        ('ledgerpost_schedules{state="failing"}', "Schedules"),
    ],
)
def test_promtool_sees_the_alert_of_each_resource_and_of_what_waits(
    tmp_path: Path, series: str, alert: str
) -> None:
    """Each database of several has a resource of its own; so has its broker."""
    name = {"Resource": "LedgerpostResourceUnavailable", "Schedules": "LedgerpostSchedulesWaiting"}
    value = "0x60" if alert == "Resource" else "1x60"
    given = [
        {"series": series, "values": value},
        {"series": 'ledgerpost_resource_up{job="x",resource="postgres.main"}', "values": "1x60"},
    ]
    query = f"count(ALERTS{{alertname='{name[alert]}',alertstate='firing'}})"
    fires = {"expr": query, "eval_time": "30m", "exp_samples": [{"labels": "{}", "value": 1}]}
    test = {"interval": "1m", "input_series": given, "promql_expr_test": [fires]}
    (tmp_path / "alerts.yml").write_text((SHIPPED / "alerts.yml").read_text())
    (tmp_path / "fires.yml").write_text(
        json.dumps({"rule_files": ["alerts.yml"], "evaluation_interval": "1m", "tests": [test]})
    )
    ran = promtool("test", "rules", str(tmp_path / "fires.yml"))
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_picture_shows_every_panel() -> None:
    picture = (ROOT / "docs" / "images" / "dashboard.svg").read_text("utf-8")
    titles = re.findall(r'class="title">([^<]+)<', picture)
    assert titles == [panel["title"] for panel in PANELS]  # if not: make alerts


def test_only_times_are_changed_for_tests() -> None:
    changed = windowed("rate(x[5m]) / rate(y[$__rate_interval]) > 10")
    assert changed == "rate(x[30s]) / rate(y[30s]) > 10"
    for rule in rules():
        assert re.sub(r"\[[^]]*\]", "[]", windowed(rule["expr"])) == re.sub(
            r"\[[^]]*\]", "[]", rule["expr"]
        )


def promtool(*words: str, said: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("promtool"), *words], input=said, capture_output=True, text=True, check=False
    )
