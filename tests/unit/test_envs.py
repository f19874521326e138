"""The environments hold what the rules call. Conda channels are not asked: the files are judged against each other,
against the rules, and against the local lock."""

import ast
import re
import shlex
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from snakemake.parser import parse

HOUSE = Path(__file__).parents[2]
TOOLS = yaml.safe_load((HOUSE / "envs" / "tools.yaml").read_text())
ENVS = {
    path.stem: yaml.safe_load(path.read_text())
    for path in sorted((HOUSE / "envs").glob("*.yaml"))
    if path.stem != "tools"
}

# On every machine: shell keywords and builtins, coreutils, and the text tools of POSIX.
EVERYWHERE = set(
    "awk basename cat cd chmod cmp comm cp cut date dirname du echo env exec exit export false find fold grep head "
    "join kill ln local ls mkdir mkfifo mktemp mv paste printf pwd read rm sed seq set sleep sort tail tee test touch "
    "tr trap true uniq wait wc xargs [ [[ : .".split()
)
# Commands that a rule takes from a parameter: what they can be.
COMPUTED = {
    "@params.aligner@": {"bwa", "bwa-mem2"},
    "@params.filters@": {"bcftools"},
}


# ---- what a rule says, read by Snakemake's own parser -----------------------------------------


def rules():
    """Every rule of the workflow: name -> {directive: AST of its first argument}."""
    found = {}
    for path in [HOUSE / "Snakefile", *sorted((HOUSE / "rules").glob("*.smk"))]:
        source = SimpleNamespace(get_path_or_uri=lambda secret_free, path=path: str(path))
        workflow = SimpleNamespace(sourcecache=SimpleNamespace(open=lambda source, path=path: path.open()))
        code, _ = parse(source, workflow, {})
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("__rule_"):
                found[node.name.removeprefix("__rule_")] = {
                    call.func.attr: (call.args or [None])[0]
                    for call in node.decorator_list
                    if isinstance(call, ast.Call)
                }
    return found


RULES = rules()


def environments(rule):
    """Names of the environments that a rule can run in, or None where another test covers a computed one."""
    conda = RULES[rule]["conda"]
    if isinstance(conda, ast.Constant):
        return {Path(conda.value).stem}
    if isinstance(conda, ast.JoinedStr) and "config['aligner']" in ast.unparse(conda):
        return {"bwa", "bwa-mem2"}
    if isinstance(conda, ast.Name) and conda.id == "tool_env":
        return None
    raise AssertionError(f"rule {rule}: an environment that this test cannot read: {ast.unparse(conda)}")


def commands(shell):
    """Names of the programs that a rule's shell text starts. A placeholder `{x:q}` reads as the word `@x@`."""
    text = re.sub(r"(?<!\{)\{(\w[\w.\[\]]*)(?::\w+)?\}(?!\})", r"@\1@", shell)
    text = text.replace("{{", "{").replace("}}", "}").replace("\\\n", " ")
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    found, at_command, after_redirection = [], True, False
    for token in lexer:
        if set(token) <= set("();<>|&\n"):
            after_redirection = token[-1] in "<>" or token == ">&"
            at_command = not after_redirection and token[-1] != ")"
            continue
        for inner in re.findall(r"\$\(([^()]*)\)", token):
            found += commands(inner)
        if after_redirection:
            after_redirection = False
        elif at_command and token not in {"!", "{", "}", "if", "then", "else", "elif", "do", "while", "time"}:
            if token in {"fi", "done", "for"}:
                at_command = False
            elif not re.match(r"\w+=", token):
                found.append(token)
                at_command = token in {"env", "exec", "xargs"}
    return found


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        ("samtools view {input:q} | bcftools call > {output:q} 2> {log:q}", ["samtools", "bcftools"]),
        ("( a -x 1 && b || c; d ) > {log} 2>&1", ["a", "b", "c", "d"]),
        ("a <(b x | c) > >(d) &", ["a", "b", "c", "d"]),
        ("x=1 a -e 'N_ALT==1; b' \"y | z\"\nc", ["a", "c"]),
        ("a \\\n  b", ["a"]),
        ("for f in x y; do a $f; done; if b; then c; fi", ["a", "b", "c"]),
        ('n=$(a | wc -l); b "$(c d)" && exec e', ["a", "wc", "b", "c", "exec", "e"]),
        ("{params.tool} mem {{x}} && awk '{{print $1}}'", ["@params.tool@", "awk"]),
    ],
)
def test_the_reader_of_shell_text_finds_the_programs(shell, expected):
    assert commands(shell) == expected


# ---- the environments themselves --------------------------------------------------------------


def conda_pins(env):
    """Conda packages of an environment: name -> exact version."""
    pins = {}
    for spec in ENVS[env]["dependencies"]:
        if isinstance(spec, str):
            name, version = spec.split("==")
            pins[name] = version
    return pins


def pip_pins(lines):
    """Packages of pip lines `name==version`: canonical name -> version."""
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def pip_part(env):
    """The pip packages of an environment, or none."""
    return next((spec["pip"] for spec in ENVS[env]["dependencies"] if isinstance(spec, dict)), [])


PROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]
LOCK = pip_pins((HOUSE / "envs" / "requirements.txt").read_text().splitlines())


@pytest.mark.parametrize("env", ENVS)
def test_environment_has_the_three_channels_and_exact_versions(env):
    assert set(ENVS[env]) == {"channels", "dependencies"}
    assert ENVS[env]["channels"] == ["conda-forge", "bioconda", "nodefaults"]
    specs = [spec for spec in ENVS[env]["dependencies"] if isinstance(spec, str)] + pip_part(env)
    for spec in specs:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==\d+(\.(post)?\d+|a\d+)*", spec), spec


def test_a_package_has_the_same_version_in_every_environment():
    seen = {}
    for env in ENVS:
        for name, version in conda_pins(env).items():
            assert seen.setdefault(name, version) == version, f"{name} in {env}"


@pytest.mark.parametrize("tool", TOOLS)
def test_the_table_says_what_the_tools_environment_pins(tool):
    entry = TOOLS[tool]
    assert conda_pins(entry["env"])[entry["package"]] == entry["pinned"]
    assert shlex.split(entry["version_command"])[0] in entry["executables"]


def test_the_python_steps_and_the_local_environment_hold_the_same_packages():
    for name, version in pip_pins(pip_part("python")).items():
        assert LOCK[name] == version, name


def test_the_python_steps_pin_what_their_packages_need_too():
    pinned = set(pip_pins(pip_part("python")))
    for name in pinned:
        needs = map(Requirement, requires(name) or [])
        for need in needs:
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                assert canonicalize_name(need.name) in pinned, f"{need.name}, which {name} needs"


def test_the_lock_meets_every_dependency_of_the_project():
    extras = PROJECT["optional-dependencies"]
    for text in [*PROJECT["dependencies"], *extras["workflow"], *extras["dev"]]:
        requirement = Requirement(text)
        version = LOCK.get(canonicalize_name(requirement.name))
        assert version and requirement.specifier.contains(version), text


def test_the_same_gatk_comes_from_maven():
    pom = ElementTree.parse(HOUSE / "envs" / "pom.xml")
    versions = {d.find("artifactId").text: d.find("version").text for d in pom.iterfind(".//dependency")}
    assert versions.pop("gatk") == TOOLS["gatk"]["pinned"]
    # What mends GATK's published POM: Spark's module, of the version of the rest of jackson.
    assert set(versions) == {"jackson-module-scala_2.13"}


def test_the_local_multiqc_is_the_pinned_one():
    assert LOCK["multiqc"] == TOOLS["multiqc"]["pinned"]


# ---- the rules against their environments -----------------------------------------------------


def executables(env):
    """Programs that an environment brings, beyond what every machine has."""
    pins = conda_pins(env)
    found = {name for entry in TOOLS.values() if entry["package"] in pins for name in entry["executables"]}
    return found | ({"python", "python3"} if "python" in pins else set())


KNOWN = {name for entry in TOOLS.values() for name in entry["executables"]}


def test_there_are_rules_to_judge():
    assert {"bwa_mem", "gatk_haplotypecaller", "multiqc"} <= set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_rule_has_an_environment_or_runs_nothing(rule):
    does = RULES[rule]
    assert "container" not in does and "wrapper" not in does and "envmodules" not in does
    if "shellcmd" in does or "script" in does:
        assert "conda" in does
        for env in environments(rule) or []:
            assert env in ENVS


@pytest.mark.parametrize("rule", [rule for rule in RULES if "shellcmd" in RULES[rule]])
def test_every_program_of_the_rule_is_in_its_environment(rule):
    if (envs := environments(rule)) is None:
        return  # the rule that asks each tool for its version, in the environment that the table names
    called = commands(ast.literal_eval(RULES[rule]["shellcmd"]))
    assert called
    for name in called:
        for env in envs:
            allowed = executables(env) | EVERYWHERE
            if name in COMPUTED:
                assert COMPUTED[name] & allowed, f"{name} in {env}"
            else:
                assert name in allowed, f"{name} in {env}"


@pytest.mark.parametrize("rule", [rule for rule in RULES if "script" in RULES[rule]])
def test_every_program_of_the_rules_script_is_in_its_environment(rule):
    path = HOUSE / "rules" / ast.literal_eval(RULES[rule]["script"])
    text = path.read_text()
    if path.suffix == ".sh":
        called = {
            name for name in KNOWN if re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w.-])", re.sub(r"#.*", "", text))
        }
        assert called
    else:
        called = {name for module in modules(path) for name in programs(module)}
    for env in environments(rule):
        assert called <= executables(env)


def programs(path):
    """Known tools that a Python file starts: the first string of a list, as `subprocess` takes it."""
    lists = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.List) and node.elts)
    return {first.value for node in lists if isinstance(first := node.elts[0], ast.Constant) and first.value in KNOWN}


def imports(path):
    """Names of the modules that a Python file imports, dotted."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.parent.name if node.level else None
            base = ".".join(filter(None, [package, node.module]))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def modules(path, seen=None):
    """A Python file and all files of scripts/ that it imports, directly or not."""
    seen = seen if seen is not None else set()
    if path not in seen:
        seen.add(path)
        for name in imports(path):
            stem = HOUSE / "scripts" / name.replace(".", "/")
            for candidate in (stem.with_name(stem.name + ".py"), stem / "__init__.py"):
                if candidate.is_file():
                    modules(candidate, seen)
    return seen


DISTRIBUTIONS = packages_distributions()


def foreign_packages(path):
    """Distributions that a script needs, with all it imports: neither standard library nor ours."""
    tops = {name.split(".")[0] for module in modules(path) for name in imports(module)}
    ours = {path.stem for path in (HOUSE / "scripts").iterdir()}
    return {
        canonicalize_name(DISTRIBUTIONS.get(top, [top])[0])
        for top in tops - set(sys.stdlib_module_names) - ours - {"snakemake"}
    }


@pytest.mark.parametrize(
    "rule",
    [rule for rule in RULES if "script" in RULES[rule] and ast.literal_eval(RULES[rule]["script"]).endswith(".py")],
)
def test_every_package_that_the_rules_script_imports_is_in_its_environment(rule):
    needed = foreign_packages(HOUSE / "rules" / ast.literal_eval(RULES[rule]["script"]))
    for env in environments(rule):
        held = set(pip_pins(pip_part(env))) | {canonicalize_name(name) for name in conda_pins(env)}
        assert needed <= held


def test_every_environment_and_every_tool_is_used():
    used = {env for rule in RULES if "conda" in RULES[rule] for env in environments(rule) or []}
    assert used == set(ENVS)
    assert {entry["env"] for entry in TOOLS.values()} <= used


def test_the_project_declares_every_package_that_the_scripts_import():
    declared = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
    needed = {package for path in (HOUSE / "scripts").rglob("*.py") for package in foreign_packages(path)}
    assert needed == declared
