"""Personal identifiers: every form in every place is found and masked; read names and real output give no alarm."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import measure as m
import pysam
import support
from submission_fixture import CASE, FLOWCELL, Submission, report_html

import ngc_profile
from ngc_check import identifiers as ids
from ngc_check.cli import table

# The published test person 0201609995, 1-January numbers without modulus 11, and what is no person's at all.
FORMS = {
    "CPR, test person": (ids.CPR, "0201609995"),
    "CPR with hyphen": (ids.CPR, "020160-9995"),
    "CPR with a dash": (ids.CPR, "020160\u20139995"),
    "CPR, 1 January, modulus 11 fails": (ids.CPR, "0101010001"),
    "CPR, 1 January, with hyphen": (ids.CPR, "010165-1234"),
    "X-eCPR": (ids.ECPR, "0201601AB3"),
    "D-eCPR": (ids.ECPR, "0201605ZZ2"),
    "e-mail": (ids.EMAIL, "lab.person@hospital.example.dk"),
    "telephone +45": (ids.PHONE, "+45 12 34 56 78"),
    "telephone, announced": (ids.PHONE, "tlf. 12345678"),
    "site path": (ids.PATH, "/home/person/run7"),
    "Windows path": (ids.PATH, "C:\\Users\\person\\run7"),
    "deny-list word": (ids.DENIED, "Hansen"),
    "deny-list phrase, other case": (ids.DENIED, "AARHUS UNIVERSITETSHOSPITAL"),
}
DENY = ("hansen", "Aarhus Universitetshospital")
# What a place cannot hold: a read name has no spaces and ASCII only, and @CO takes anything.
_NAME_FORMS = ("CPR, test person", "CPR with hyphen", "CPR, 1 January, modulus 11 fails", "X-eCPR", "e-mail")


def _manifest(s: Submission, text: str) -> None:
    s.edit_manifest(lambda manifest: manifest["workflow"].update(version=text))


def _manifest_key(s: Submission, text: str) -> None:
    s.edit_manifest(lambda manifest: manifest["workflow"].update({text: 1}))


def _vcf_header(s: Submission, text: str) -> None:
    s.edit_vcf(lambda vcf: vcf.replace("##source=ngc-wgs", f"##source={text}"))


def _gvcf_header(s: Submission, text: str) -> None:
    s.edit_vcf(lambda vcf: vcf.replace("##source=ngc-wgs", f"##source={text}"), "g.vcf.gz")


def _cram_rg(s: Submission, text: str) -> None:
    s.reheader(lambda header: header.replace("@RG\t", f"@RG\tCN:{text}\t", 1))


def _cram_co(s: Submission, text: str) -> None:
    s.reheader(lambda header: header + f"@CO\t{text}\n")


def _cram_pg(s: Submission, text: str) -> None:
    s.reheader(lambda header: header + f"@PG\tID:x\tCL:bwa {text}\n")


def _metrics(s: Submission, text: str) -> None:
    s.write_metrics(s.manifest(), lambda data: data["metrics"][0].update(tool=text))


def _report(s: Submission, html: str) -> None:
    (s.data / f"{CASE}.multiqc.html").write_text(html, encoding="utf-8")


def _log(s: Submission, text: str) -> None:
    (s.data / "run.log").write_text(f"ran {text}\n", encoding="utf-8")


def _read_name(s: Submission, text: str) -> None:
    s.write_cram(name=lambda number: f"A00123:45:{FLOWCELL}:1:1101:{number}:{text if number == 7 else 1}")


def _file_name(s: Submission, text: str) -> None:
    (s.data / f"{text}.txt").write_text("x\n")


def _bag_info(s: Submission, text: str) -> None:
    s.finish()
    s.rewrite_tag_file("bag-info.txt", (s.root / "bag-info.txt").read_text() + f"Note: {text}\n")


PLACES: dict[str, Callable[[Submission, str], None]] = {
    "manifest, value": _manifest,
    "manifest, key": _manifest_key,
    "bag-info.txt": _bag_info,
    "VCF header": _vcf_header,
    "gVCF header": _gvcf_header,
    "CRAM @RG": _cram_rg,
    "CRAM @CO": _cram_co,
    "CRAM @PG": _cram_pg,
    "read name": _read_name,
    "metrics file": _metrics,
    "report, text": lambda s, text: _report(s, report_html(f"<p>{text}</p>")),
    "report, attribute": lambda s, text: _report(s, report_html(f'<p title="{text}">')),
    "report, comment": lambda s, text: _report(s, report_html(f"<!-- {text} -->")),
    "report, script": lambda s, text: _report(s, report_html(f"<script>var x = '{text}'</script>")),
    "report, packed data": lambda s, text: _report(s, report_html(plot_data={"x": text})),
    "log": _log,
    "file name": _file_name,
}


def planted(place: Path) -> Iterator[str]:
    """Every form alone in every place."""
    template = Submission.build(place / "template")
    shown: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    wrong = []
    for where, plant in PLACES.items():
        for form, (rule, text) in FORMS.items():
            if where in ("read name", "file name") and form not in _NAME_FORMS:
                continue
            s = template.copy_to(place / "copy")
            plant(s, text)
            if plant is not _bag_info:
                s.finish()
            s.deny = DENY
            report = s.judge()
            told = table(report) + json.dumps(report.as_dict(), ensure_ascii=False)
            tried[where] += 1
            if rule not in report.rules("FAIL"):
                wrong.append(f"{form} in {where}: not found")
            elif text.casefold() in told.casefold():
                wrong.append(f"{form} in {where}: echoed")
            else:
                shown[where] += 1
            s.unseal()
            support.remove(s.home)
    yield m.table(["place", "forms planted", "found and masked"], ([w, tried[w], shown[w]] for w in PLACES))
    yield from support.failed(wrong)


# Name of the machine, digits of its serial number, flow cells, tiles and largest coordinate, as Illumina writes them.
INSTRUMENTS = (
    ("A{:05d}", "H{}DSX{}", (1101, 2678), 33000),  # NovaSeq 6000
    ("LH{:05d}", "22{}LT{}", (1101, 2498), 50000),  # NovaSeq X
    ("VH{:05d}", "AAC{}M{}", (1101, 2214), 60000),  # NextSeq 2000
    ("NB{:06d}", "H{}BGX{}", (11101, 23612), 26000),  # NextSeq 500
    ("M{:05d}", "000000000-A{}{}", (1101, 2119), 30000),  # MiSeq
    ("K{:05d}", "H{}BBXY{}", (1101, 2228), 50000),  # HiSeq 4000
    ("ST-E{:05d}", "H{}CCXY{}", (1101, 2224), 75000),  # HiSeq X
    ("HWI-ST{:04d}", "C{}ACXX{}", (1101, 2316), 21000),  # HiSeq 2000
    ("FS{:08d}", "BPC{}-19{}", (1101, 1112), 30000),  # iSeq
)
AUTHORS = {("bwa.txt", ids.EMAIL)}
"""What bwa says of itself holds its author's address: found rightly, no false alarm; the file stays at the site."""
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


def read_names(count: int, seed: int = 20261122) -> Iterator[str]:
    """Read names of nine kinds of machine; one in five with an older or an added form."""
    rng = random.Random(seed)
    for number in range(count):
        machine, cell, (first, last), largest = INSTRUMENTS[number % len(INSTRUMENTS)]
        serial = machine.format(rng.randrange(10 ** int(machine.split(":0")[1][0])))
        flow_cell = cell.format("".join(rng.choices(LETTERS, k=3)), rng.randrange(10))
        lane, tile = rng.randrange(1, 9), rng.randrange(first, last + 1)
        x, y = rng.randrange(1000, largest), rng.randrange(1000, largest)
        if number % 10 == 3:
            yield f"{serial}:{lane}:{tile}:{x}:{y}#{rng.randrange(100)}/1"  # before Casava 1.8
        elif number % 10 == 7:  # with a molecular identifier
            yield f"{serial}:{rng.randrange(1, 3000)}:{flow_cell}:{lane}:{tile}:{x}:{y}:" + "".join(
                rng.choices("ACGTN", k=8)
            )
        else:
            yield f"{serial}:{rng.randrange(1, 3000)}:{flow_cell}:{lane}:{tile}:{x}:{y}"


def names(place: Path, count: int = 1_000_000) -> Iterator[str]:
    """Generated read names."""
    scanner = ids.scanner_for(ngc_profile.load(), DENY)
    alarms = Counter(match.rule for name in read_names(count) for match in scanner.scan(name))
    yield f"{count:,} generated read names of {len(INSTRUMENTS)} kinds of machine: {alarms.total()} false alarms.\n"
    yield from support.failed(f"{rule}: {number} false alarms" for rule, number in alarms.items())


def texts(path: Path) -> Iterator[tuple[str, str | None]]:
    """(place, text) of all that a file of a run holds, records of VCFs and every read name included."""
    yield "file name", path.name
    if path.suffix in (".cram", ".bam"):
        with pysam.AlignmentFile(str(path), check_sq=False, format_options=[b"required_fields=0x1"]) as reads:
            yield from ids.lines(str(reads.header))
            for read in reads.fetch(until_eof=True):
                yield "read name", read.query_name
        return
    data = path.read_bytes()
    if path.name.endswith((".tbi", ".crai", ".bai", ".gzi")):
        return
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8", "replace")
    if path.suffix == ".html":
        yield from ids.html_texts(text)
    elif path.suffix == ".json":
        yield from ids.strings(json.loads(text))
    else:
        yield from ids.lines(text)


def real_output(place: Path, demo: Path | None) -> Iterator[str]:
    """Everything that a run of the workflow wrote."""
    if demo is None:
        yield "The output of a run: skipped, no folder was given with --demo.\n"
        return
    scanner = ids.scanner_for(ngc_profile.load())
    files = sorted(path for path in (demo / "results").rglob("*") if path.is_file())
    alarms: Counter[str] = Counter()
    examples: dict[str, str] = {}
    looked = authors = 0
    for path in files:
        for where, text in texts(path):
            looked += 1
            for match in scanner.scan(text or ""):
                if (path.name, match.rule) in AUTHORS:
                    authors += 1
                    continue
                key = f"{path.relative_to(demo)} {match.rule}"
                alarms[key] += 1
                examples.setdefault(key, f"{where}: {scanner.mask(text)[:160]}")
    yield f"A run's whole output, {len(files)} files, {looked:,} texts: {alarms.total()} false alarms;"
    yield f" {authors} right ones (the author's address in bwa's own words, in a file that does not ship).\n"
    yield from support.failed(f"{key}, {number} times, {examples[key]}" for key, number in alarms.items())


def run(place: Path, demo: Path | None = None) -> Iterator[str]:
    """Planted identifiers, generated read names, and a run's output."""
    yield "## Personal identifiers\n"
    yield from planted(place)
    yield from names(place)
    yield from real_output(place, demo)
