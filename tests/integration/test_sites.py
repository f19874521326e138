"""Another site: no network, a release without git in another folder, one core, another clock, language, processor."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import runs

from ngc_wgs import release

CODE = ("Snakefile", "config", "envs", "profiles", "rules", "scripts")

# Python reads this at its start: each program tells that it began, and each use of the network that it tries.
WATCH = """
import os, sys
def tell(*words, log=os.environ["NETWORK_LOG"]):
    with open(log, "a") as out:
        print(*words, file=out)
def hook(event, values):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg") and values[0].family.name == "AF_UNIX":
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"):
        tell("network", sys.argv[:1], event, *values[1:])
sys.addaudithook(hook)
tell("began", *sys.orig_argv)
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Variables that have every Python program tell of the network in the file NETWORK_LOG."""
    folder = tmp_path_factory.mktemp("watch")
    (folder / "sitecustomize.py").write_text(WATCH)
    return {"PYTHONPATH": str(folder), "NETWORK_LOG": str(folder / "log")}


@pytest.fixture(scope="module")
def another_site(tiny_made, tiny_run, watched, tmp_path_factory):
    """The tiny demo, run as at another site."""
    assert tiny_run.done.returncode == 0, tiny_run.done.stderr
    folder = tmp_path_factory.mktemp("site")
    house = folder / "a release på æøå"
    house.mkdir()
    for name in CODE:
        runs.copy(runs.HOUSE / name, house / name)
    # The release is as clean as the checkout of the first site.
    workflow = runs.manifest(runs.bag(tiny_run.directory))["workflow"]
    code = release.code_sha256(house) if workflow["clean_checkout"] else "edited"
    (house / release.RELEASE).write_text(json.dumps({"commit": workflow["commit"], "code_sha256": code}))
    plain = '[[ $* = *HaplotypeCaller* ]] && set -- "$@" --pair-hmm-implementation LOGLESS_CACHING; exec $REAL "$@"'
    tools = runs.tool(folder / "tools", "gatk", plain).parent
    (folder / "scratch").mkdir()
    variables = {**watched, "TZ": "Pacific/Kiritimati", "LC_ALL": "da_DK.UTF-8", "TMPDIR": str(folder / "scratch")}
    if shutil.which("localedef"):
        subprocess.run(["localedef", "-i", "da_DK", "-f", "UTF-8", folder / "da_DK.UTF-8"], capture_output=True)
        variables["LOCPATH"] = str(folder)
    directory = runs.copy(tiny_made, folder / "en kørsel" / "tiny demo")
    done = runs.run_workflow(
        directory, "--cores", "1", house=house, prefix=runs.CUT_OFF, first_on_path=tools, variables=variables
    )
    yield runs.Run(directory, done)
    runs.unseal(folder)


# ---- the same submission ----------------------------------------------------------------------


def test_another_site_makes_the_same_submission_to_the_last_record(another_site, tiny_run):
    assert another_site.done.returncode == 0, another_site.done.stderr
    first, other = runs.bag(tiny_run.directory), runs.bag(another_site.directory)
    logs = sorted((another_site.directory / "logs" / "calling").glob("*.gatk_haplotypecaller.log"))
    assert logs and all("non-hardware-accelerated Java LOGLESS_CACHING" in log.read_text() for log in logs)
    assert runs.contents(other) == runs.contents(first)
    status, report = runs.compare(first, other, "--reference", tiny_run.directory / "reference" / "genome.fa")
    assert (status, report["verdict"], report["differences"], report["not_compared"]) == (0, "SAME", [], {})


def test_another_site_s_submission_is_accepted_where_it_comes_from(another_site):
    reference = another_site.directory / "reference" / "genome.fa"
    assert runs.check(runs.bag(another_site.directory), "--reference", reference)[0] == 0


# ---- no network -------------------------------------------------------------------------------


@pytest.mark.skipif(not runs.NO_NETWORK, reason="no network namespace can be made here")
def test_where_the_runs_of_these_tests_are_made_there_is_no_network():
    probe = "import socket; print(len(socket.if_nameindex())); socket.create_connection(('192.0.2.1', 80), timeout=5)"
    done = subprocess.run([*runs.CUT_OFF, sys.executable, "-c", probe], capture_output=True, text=True)
    assert done.stdout == "1\n"  # the loopback, which is down
    assert "Network is unreachable" in done.stderr


@pytest.mark.skipif(not runs.NO_NETWORK, reason="no network namespace can be made here")
def test_the_demo_runs_to_accepted_submissions_without_network(tiny_run, another_site):
    for run in (tiny_run, another_site):
        assert run.done.args[: len(runs.NO_NETWORK)] == list(runs.NO_NETWORK)
        assert run.done.returncode == 0, run.done.stderr


def test_no_step_written_in_python_tries_the_network(another_site, watched):
    lines = Path(watched["NETWORK_LOG"]).read_text().splitlines()
    began = " ".join(line for line in lines if line.startswith("began "))
    for program in ("snakemake", "multiqc", "package.py", "accept.py"):
        assert program in began
    assert [line for line in lines if line.startswith("network ")] == []


def test_no_import_tries_the_network(watched, tmp_path):
    modules = [f"{folder}.{path.stem}" for folder in ("ngc_check", "ngc_wgs")
               for path in (runs.HOUSE / "scripts" / folder).glob("*.py") if path.stem != "__init__"]  # fmt: skip
    log = tmp_path / "log"
    environment = {**os.environ, "NETWORK_LOG": str(log)}
    environment["PYTHONPATH"] = f"{watched['PYTHONPATH']}{os.pathsep}{runs.HOUSE / 'scripts'}"
    subprocess.run([sys.executable, "-c", f"import ngc_cli, {', '.join(modules)}"], env=environment, check=True)
    assert [line.split()[0] for line in log.read_text().splitlines()] == ["began"]
    # The watch sees what it should see.
    subprocess.run([sys.executable, "-c", "import socket; socket.socket(type=2).sendto(b'', ('127.0.0.1', 9))"],
                   env=environment, check=True)  # fmt: skip
    assert "network ['-c'] socket.sendto" in log.read_text()


LOADED = re.compile(
    r"<(?:script|img|iframe|link|source|video|audio|embed|object|track)\b[^<>]*?"
    r"\s(?:src|href|data|srcset|poster)\s*=\s*[\"']?\s*(?:https?:)?//[^<>]*>"
    r"|(?:@import|url\()\s*[\"']?\s*(?:https?:)?//[^\"')]*",
    re.IGNORECASE,
)
SCRIPT = re.compile(r"(<script\b[^>]*>).*?</script>", re.IGNORECASE | re.DOTALL)


def test_a_report_loads_nothing_from_elsewhere_and_its_scripts_may_not_either(another_site):
    (page,) = (runs.bag(another_site.directory) / "data").glob("*.html")
    text = page.read_text()
    assert LOADED.findall(SCRIPT.sub(r"\1", text)) == []
    head = text.partition("<head>")[2]
    policy = re.match(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', head)
    assert policy, head[:200]
    directives = dict(directive.split(maxsplit=1) for directive in policy[1].split("; "))
    assert set(directives["default-src"].split()) == {"data:", "blob:", "'unsafe-inline'", "'unsafe-eval'"}
    assert all(sources == "'none'" for name, sources in directives.items() if name != "default-src")


@pytest.mark.parametrize(
    "text",
    ["<script async src='https://x.example/a.js'>", "<link rel=stylesheet href=//x.example/a.css>", "@import 'http://x'",
     "<style>a { background: url( https://x.example/a.png ) }</style>"],
)  # fmt: skip
def test_what_a_page_would_load_is_found(text):
    assert len(LOADED.findall(text)) == 1


# ---- a release that is edited -------------------------------------------------------------------


def test_a_release_edited_while_a_case_is_under_way_is_told_in_manifest_check_and_verdict(finished, tmp_path):
    house = tmp_path / "release"
    for name in CODE:
        runs.copy(runs.HOUSE / name, house / name)
    code = release.code_sha256(house)
    commit = "c" * 40
    (house / release.RELEASE).write_text(json.dumps({"commit": commit, "code_sha256": code}))
    with (house / "rules" / "calling.smk").open("a") as rules:
        rules.write("# edited\n")
    case = runs.bag(finished).name
    again = ("--forcerun", f"results/package/{case}.json", "--rerun-triggers", "mtime")
    done = runs.run_workflow(finished, *again, house=house)
    assert done.returncode == 0, done.stderr
    workflow = runs.manifest(runs.bag(finished))["workflow"]
    assert (workflow["commit"], workflow["clean_checkout"]) == (commit, False)
    assert (workflow["code_sha256_at_start"], workflow["code_sha256"]) == (code, release.code_sha256(house))
    assert code != workflow["code_sha256"]
    warned = {finding["rule"] for finding in runs.check(runs.bag(finished))[1]["findings"]}
    assert {"NGC-MAN-023", "NGC-MAN-027"} <= warned
    for rule in ("NGC-MAN-023", "NGC-MAN-027"):
        assert f"WARN {rule} manifest.json /workflow/" in done.stderr
        assert rule in runs.verdicts(finished)[case]["warnings"]
