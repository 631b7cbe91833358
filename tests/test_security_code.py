"""What the code of the toolkit may not do: run what it reads, start programs, reach out, or write unescaped pages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gwm_models

PACKAGE = Path(gwm_models.__file__).resolve().parent
TEMPLATES = PACKAGE / "report" / "templates"

UNPACKS = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "dbm", "copyreg", "jsonpickle"}
RUNS = {"subprocess", "pty", "code", "codeop", "runpy", "multiprocessing", "imp", "pdb", "ctypes", "cffi"}
REACHES = {
    *("socket", "socketserver", "ssl", "urllib", "urllib3", "http", "requests", "httpx", "aiohttp", "httpcore"),
    *("ftplib", "smtplib", "poplib", "imaplib", "telnetlib", "xmlrpc", "webbrowser", "fsspec", "websockets"),
}
PARSES_XML = {"xml", "lxml", "html5lib", "bs4", "pyexpat"}
ALLOWED = {
    ("explore/serve.py", "socket"),  # the page of this machine: binds to the loopback address
    ("explore/serve.py", "webbrowser"),  # opens that page
    ("explore/pool.py", "multiprocessing"),  # the page's own workers, over pipes that no other program has
    ("explore/pool.py", "multiprocessing.connection"),
    ("evaluation/portfolio_programme.py", "ctypes"),  # flushes the C library's standard output
    ("files/place.py", "ctypes"),  # swaps two folders in one call of the system
    ("report/pictures.py", "xml.sax.saxutils"),  # its escape alone; no XML is read
}
"""Modules of these kinds, each where it is needed."""

SHELLS = re.compile(r"os\.(system|popen|exec\w*|spawn\w*|posix_spawnp?|startfile|fork|forkpty)")
LOADS = re.compile(
    r"(joblib|np|numpy|torch)\.(load|fromfile)|(pd|pandas)\.(read_pickle|read_hdf|read_html|read_xml|eval)"
)
SEES_ALL = re.compile(r"tempfile\.mktemp|os\.(tempnam|tmpnam)|os\.chmod|(random|secrets)\.\w+")
BUILTINS = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}


def sources() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "_shipped" not in path.parts]


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def faults_of(source: str, place: str = "nowhere.py") -> list[str]:
    """Return what a source does that it may not, each as `line: what`."""
    return [f"{line}: {what}" for line, what in _faults(ast.parse(source), place)]


def _faults(tree: ast.AST, place: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        for name in imported(node):
            top = name.partition(".")[0]
            if top in UNPACKS | RUNS | REACHES | PARSES_XML and (place, name) not in ALLOWED:
                yield node.lineno, f"imports {name}"
        if isinstance(node, ast.Call):
            yield from ((node.lineno, what) for what in _call_faults(node, place))


def _call_faults(node: ast.Call, place: str) -> Iterator[str]:
    name = dotted(node.func)
    words = {word.arg: word.value for word in node.keywords}
    if name in BUILTINS or SHELLS.fullmatch(name) or LOADS.fullmatch(name) or SEES_ALL.fullmatch(name):
        yield f"calls {name}"
    if name.endswith((".read_pickle", ".to_pickle", ".extractall", ".from_pickle")):
        yield f"calls {name}"
    for word in ("shell", "allow_pickle"):
        if word in words and not (isinstance(words[word], ast.Constant) and words[word].value is False):
            yield f"calls {name} with {word}"
    if name == "YAML" and [ast.unparse(each) for each in (*node.args, *words.values())] != ["'safe'", "True"]:
        yield "reads YAML by another loader than YAML(typ='safe', pure=True)"
    if re.fullmatch(r"(ruamel\.)?yaml\.(load|load_all|unsafe_load|full_load|round_trip_load)", name):
        yield f"calls {name}"
    if name.endswith("import_module") and not place.endswith(("__init__.py", "models/catalogue.py")):
        yield "imports a module by a name that is worked out"
    if name.endswith("Environment"):
        escape = words.get("autoescape")
        if not (isinstance(escape, ast.Constant) and escape.value is True):
            yield "makes templates that do not escape"
    if name.endswith(("Template", "from_string")):
        yield "makes a template from a text"
    if name.endswith("Markup") and not all(isinstance(each, ast.Constant) for each in node.args):
        yield "takes a text that was worked out for HTML"


def test_no_code_runs_what_it_reads_starts_a_program_reaches_out_or_leaves_html_unescaped():
    found = {}
    for path in sources():
        place = path.relative_to(PACKAGE).as_posix()
        faults = faults_of(path.read_text("utf-8"), place)
        if faults:
            found[place] = faults
    assert not found


def test_each_place_that_may_do_more_still_does():
    for place, module in sorted(ALLOWED):
        tree = ast.parse((PACKAGE / place).read_text("utf-8"))
        assert module in {name for node in ast.walk(tree) for name in imported(node)}, (place, module)


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib.externals import cloudpickle\nimport cloudpickle",
        "def late():\n    import subprocess",
        "from urllib.request import urlopen",
        "import xml.etree.ElementTree as tree",
        "eval('1')",
        "exec(text)",
        "os.system('ls')",
        "os.execvp('ls', [])",
        "joblib.load(path)",
        "np.load(path)",
        "np.lib.npyio.NpzFile(path, allow_pickle=True)",
        "frame.to_pickle(path)",
        "tempfile.mktemp()",
        "run('ls', shell=True)",
        "YAML()",
        "YAML(typ='unsafe')",
        "yaml.load(text)",
        "import_module(name)",
        "Environment(loader=loader)",
        "Environment(autoescape=False)",
        "Template('{{ x }}')",
        "environment.from_string(text)",
        "Markup(text)",
        "Markup(f'<b>{text}</b>')",
    ],
)
def test_what_may_not_be_done_is_found(line):
    assert faults_of(line), line


def test_what_is_sound_is_let_pass():
    sound = (
        "import json, tempfile\nfrom ruamel.yaml import YAML\nYAML(typ='safe', pure=True).load(text)\n"
        "re.compile('x')\ntempfile.mkstemp()\nEnvironment(autoescape=True)\nMarkup('<b>{}</b>').format(text)\n"
        "jinja.get_template('a')\nrun([], shell=False)"
    )
    assert faults_of(sound) == []


def test_the_only_lint_rule_of_security_that_is_switched_off_is_that_of_assertions():
    """Assertions say to the type checker what the caller has made sure of; each gives its reason."""
    found = []
    for path in sources():
        for line in path.read_text("utf-8").splitlines():
            for rules, reason in re.findall(r"# noqa: ?([A-Z0-9, ]+)(.*)", line):
                found += [(path.name, rule, reason) for rule in re.findall(r"S\d+", rules)]
            assert not re.search(r"#\s*noqa\s*$|#\s*nosec|ruff: ?noqa", line), (path.name, line)
    assert {rule for _, rule, _ in found} <= {"S101"}
    assert all(len(reason) > 10 for _, _, reason in found), found


# ---------------------------------------------------------------- pages


def test_only_the_toolkits_own_styles_and_scripts_go_into_a_page_unescaped():
    """`specs` is JSON with every < > & written as an escape; `style` and `script` are files of the toolkit."""
    unescaped = [
        (path.name, place)
        for path in sorted(TEMPLATES.glob("*.j2"))
        for place in re.findall(r"{{(?:(?!}}).)*\|\s*safe.*?}}", path.read_text("utf-8"))
    ]
    assert unescaped == [("base.html.j2", f"{{{{ {name}|safe }}}}") for name in ("style", "specs", "script")]


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.j2")), ids=lambda path: path.name)
def test_a_template_never_turns_escaping_off_and_quotes_every_attribute(path):
    text = path.read_text("utf-8")
    assert not re.search(r"autoescape|\|\s*(xmlattr|tojson|forceescape|striptags)", text)
    assert not re.search(r"=\s*{{", text), "an attribute without quotes"
    assert not re.search(r"\s(href|src|action|srcdoc|formaction)\s*=\s*[\"']?\s*{{", text), "an address from a text"
    assert not re.search(r"\son\w+\s*=", text), "a script in an attribute"
    for script in re.findall(r"<(?:script|style)[^>]*>(.*?)</(?:script|style)>", text, flags=re.DOTALL):
        assert set(re.findall(r"{{(.*?)}}", script)) <= {" style|safe ", " specs|safe ", " script|safe "}


def test_no_script_of_the_toolkit_writes_html_or_runs_a_text():
    scripts = [PACKAGE / "report" / "assets" / "report.js", *sorted((PACKAGE / "explore" / "static").glob("*.js"))]
    assert len(scripts) > 10
    risky = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc"
        r"|\beval\s*\(|new\s+Function|setTimeout\(\s*[\"'`]|\bimport\s*\(|localStorage|postMessage|javascript:"
    )
    found = {path.name: risky.findall(path.read_text("utf-8")) for path in scripts}
    assert not {name: words for name, words in found.items() if words}


# ---------------------------------------------------------------- tables


def test_every_table_goes_through_the_one_writer_that_disarms_formulas():
    written = re.compile(r"csv\.(DictW|w)riter|.+\.(to_csv|to_excel|savetxt|writerows?)")
    found = {}
    for path in sources():
        text = path.read_text("utf-8")
        if not re.search("csv|writerow|to_excel|savetxt", text):
            continue
        names = {dotted(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
        if writes := sorted(name for name in names if written.fullmatch(name)):
            found[path.relative_to(PACKAGE).as_posix()] = writes
    assert found == {"files/__init__.py": ["csv.writer", "writer.writerow", "writer.writerows"]}
