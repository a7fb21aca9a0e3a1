import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = [
    line.split(maxsplit=1)
    for line in (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()
    if re.match(r"[A-Z]+ ", line)
]
CONTEXT = [
    line
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


def stages() -> dict[str, list[list[str]]]:
    """The instructions of each build stage, by its name."""
    found: dict[str, list[list[str]]] = {}
    for word, rest in INSTRUCTIONS:
        if word == "FROM":
            found[rest.rpartition(" AS ")[2]] = []
        if found:
            found[next(reversed(found))].append([word, rest])
    return found


def test_every_base_has_a_version() -> None:
    arguments = dict(rest.split("=", 1) for word, rest in INSTRUCTIONS if word == "ARG")
    bases = [rest.partition(" AS ")[0] for word, rest in INSTRUCTIONS if word == "FROM"]
    for base in bases:
        if base not in stages():
            image, _, tag = re.sub(r"\$\{(\w+)\}", lambda m: arguments[m[1]], base).rpartition(":")
            assert image
            assert tag
            assert tag != "latest"


def test_the_program_runs_as_nobody_who_could_change_it() -> None:
    for name in ("ledgerpost", "demo"):
        assert stages()[name][0] == ["FROM", f"runtime AS {name}"]
        instructions = stages()["runtime"] + stages()[name]
        last = [rest for word, rest in instructions if word == "USER"][-1]
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last)
        assert not [rest for _, rest in instructions if re.search("chown|chmod", rest)]


def test_its_pdfs_have_letters_for_every_script() -> None:
    installed = " ".join(rest for word, rest in stages()["runtime"] if word == "RUN").split()
    for page in ("docker.md", "troubleshoot.md"):
        advice = re.search("`apt install ([a-z -]+)`", (ROOT / "docs" / page).read_text("utf-8"))
        assert advice
        fonts = advice[1].split()
        # The world's scripts, and those of China, Japan and Korea.
        assert set(fonts) == {"fonts-noto-core", "fonts-droid-fallback"} <= set(installed)


def test_nothing_is_installed_without_its_hash() -> None:
    installed = [
        command
        for word, rest in INSTRUCTIONS
        if word == "RUN"
        for command in rest.split("&&")
        if re.search(r"\bpip\b.* install\b", command)
    ]
    assert installed
    for command in installed:
        assert "--require-hashes" in command or "--no-index" in command


def test_the_builder_sees_what_the_dockerfile_copies_and_nothing_else() -> None:
    assert CONTEXT[0] == "*"
    seen = {line.removeprefix("!").rstrip("/") for line in CONTEXT if line.startswith("!")}
    copied: set[str] = set()
    for word, rest in INSTRUCTIONS:
        if word == "COPY" and "--from=" not in rest:
            copied |= set(rest.split()[:-1])
    assert copied == seen
    assert not [path for path in copied if not (ROOT / path).exists()]


def test_the_last_stage_is_the_one_that_compose_builds_first() -> None:
    assert next(reversed(stages())) == "ledgerpost"


def test_the_commands_of_the_image_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    called = set(re.findall(r"command: \[([\w-]+)", compose))
    assert called == project["scripts"].keys()
