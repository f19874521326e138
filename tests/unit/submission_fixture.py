"""A tiny submission that conforms, made from nothing: reference, profile, CRAM, VCF, gVCF, metrics, manifest, bag.

It takes nothing from the writer, so that the judge is tested against the profile alone. `Submission.build` makes
one; a test changes it, calls `finish`, and judges it.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import os
import random
import shutil
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import bagit
import pysam
import yaml
from crypt4gh import lib, sodium
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import ngc_profile
from ngc_check.submission import Report, check

SAMPLE, CASE = "K7QX2M9T4B", "C3HN8V5W1Z"
TUMOUR = "T6RW4Z8N3P"
LIBRARY, FLOWCELL = "LIB1", "HXYZDSX2"
ANALYSIS_DATE, CREATED = "2026-11-20", "2026-11-22T10:00:00Z"
LENGTHS = {"chr1": 6000, "chr2": 4000, "chrX": 4000, "chrY": 3000, "chrM": 1000, "chrUn_A": 500}
ROLES = {"chr1": "autosome", "chr2": "autosome", "chrX": "X", "chrY": "Y", "chrM": "M", "chrUn_A": "other"}
PAR = [("chrX", 0, 1000), ("chrY", 0, 1000)]
VALUES = {
    "mean_coverage": 34.2,
    "mean_autosome_coverage": 33.1,
    "mad_autosome_coverage": 5.0,
    "pct_autosomes_15x": 98.7,
    "pct_10x": 0.99,
    "pct_20x": 0.96,
    "mean_mt_coverage": 2500.0,
    "yield_bp_q30": 101234567890,
    "pct_q30": 93.4,
    "mean_read_length": 150.0,
    "cross_contamination_rate": 0.001,
    "pct_reads_mapped": 99.6,
    "pct_reads_improper_pairs": 1.9,
    "pct_duplicate_reads": 7.7,
    "median_insert_size": 421.0,
    "ratio_x_autosomes": 0.49,
    "ratio_y_autosomes": 0.46,
    "sex_concordance": 1,
    "sex_chromosome_aneuploidy": 0,
    "identity_concordance": 1,
    "count_snvs": 3712345,
    "count_insertions": 412345,
    "count_deletions": 423456,
    "ratio_heterozygous_homozygous": 1.62,
    "ratio_insertion_deletion": 0.97,
    "ratio_transitions_transversions": 2.06,
    "count_structural_variants": 2,
}
"""Every metric of a single germline sample, within its gates. What no line names is NOT_MEASURED."""


SIGNATURE = "tagmanifest-sha256.txt.sig"
SIGNER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
RECEIVER, STRANGER = b"r" * 32, b"x" * 32
"""Private Crypt4GH keys."""


def sequences() -> dict[str, str]:
    """Bases by contig: random, seeded, without runs; the PAR of Y is masked, as in the analysis set."""
    rng = random.Random(20261122)
    out = {}
    for name, length in LENGTHS.items():
        bases: list[str] = []
        while len(bases) < length:
            base = rng.choice("ACGT")
            if not bases or base != bases[-1]:
                bases.append(base)
        out[name] = "".join(bases)
    out["chrY"] = "N" * 1000 + out["chrY"][1000:]
    return out


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Submission:
    """One submission on disk, with the profile and the reference to judge it by.

    home: folder that holds `profile.yaml`, `reference.fa` and the submission itself in `root`.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.root = home / CASE
        self.sample = SAMPLE
        """Whose files are written and changed."""
        self.data = self.root / "data"
        self.profile_path = home / "profile.yaml"
        self.reference = home / "reference.fa"
        self.deny: tuple[str, ...] = ()
        self.public_keys: tuple[Path, ...] = (home / "signer.pub",)
        self.private_key: Path | None = None
        self.after_listing: Callable[[dict], object] | None = None
        """Changes manifest.json after the files were listed in it."""

    # --- making
    @classmethod
    def build(cls, home: Path) -> Submission:
        """Make reference, profile and a sealed submission of one male in an empty folder."""
        self = cls(home)
        self.data.mkdir(parents=True)
        self._write_reference()
        self._write_profile()
        self.public_keys[0].write_bytes(
            SIGNER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        self.write_cram()
        self.write_vcf(self.vcf_text())
        self.write_vcf(self.gvcf_text(), "g.vcf.gz")
        self.write_vcf(self.mt_text(), "mt.vcf.gz")
        self.write_vcf(self.sv_text(), "sv.vcf.gz")
        self.write_vcf(self.copy_number_text(), "cnv.vcf.gz")
        manifest = self._manifest()
        self.write_metrics(manifest)
        (self.data / f"{CASE}.multiqc.html").write_text(report_html(), encoding="utf-8")
        self.save_manifest(manifest)
        self.finish()
        return self

    def copy_to(self, home: Path) -> Submission:
        """An unsealed copy."""
        shutil.copytree(self.home, home, copy_function=shutil.copy2)
        other = Submission(home)
        other.unseal()
        return other

    def _write_reference(self) -> None:
        with open(self.reference, "w", encoding="ascii") as out:
            for name, bases in sequences().items():
                out.write(f">{name}\n{bases}\n")
        pysam.faidx(str(self.reference))

    def _write_profile(self) -> None:
        data = yaml.safe_load(ngc_profile.default_profile().read_text(encoding="utf-8"))
        data["reference"] = reference_section()
        self.profile_path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")

    def header(self) -> dict:
        """Header of the alignment as data."""
        return {
            "HD": {"VN": "1.6", "SO": "coordinate"},
            "SQ": [{"SN": n, "LN": len(s), "M5": _md5(s)} for n, s in sequences().items()],
            "RG": [
                {
                    "ID": f"{self.sample}.{LIBRARY}.{FLOWCELL}.L{lane}",
                    "PU": f"{FLOWCELL}.{lane}",
                    "LB": LIBRARY,
                    "SM": self.sample,
                    "PL": "ILLUMINA",
                }
                for lane in (1, 2)
            ],
            "PG": [
                {"ID": "bwa", "PN": "bwa", "VN": "0.7.19"},
                {"ID": "samtools.markdup", "PN": "samtools markdup", "VN": "1.24"},
            ],
        }

    def write_cram(
        self,
        header: dict | None = None,
        version: str = "3.0",
        name: Callable[[int], str] | None = None,
        duplicate: bool = True,
    ) -> None:
        """Write the alignment and its index. name: read name from the read's number."""
        header = header or self.header()
        path = self.path("cram")
        name = name or (lambda i: f"A00123:45:{FLOWCELL}:{1 + i % 2}:{1101 + i}:{1000 + 7 * i}:{2000 + 3 * i}")
        with pysam.AlignmentFile(
            str(path), "wc", header=header, reference_filename=str(self.reference),
            format_options=[f"version={version}".encode()],
        ) as out:  # fmt: skip
            number = 0
            for contig, bases in list(sequences().items())[:3]:
                for start in range(0, len(bases) - 100, 200):
                    read = pysam.AlignedSegment(out.header)
                    read.query_name, read.flag = name(number), 1024 if duplicate and number == 3 else 0
                    read.reference_id, read.reference_start = out.get_tid(contig), start
                    read.mapping_quality, read.cigarstring = 60, "100M"
                    read.query_sequence = bases[start : start + 100]
                    read.query_qualities = pysam.qualitystring_to_array("F" * 100)
                    if header.get("RG"):
                        read.set_tag("RG", header["RG"][number % len(header["RG"])].get("ID", "x"))
                    out.write(read)
                    number += 1
        self.reheader(lambda text: text)

    def reheader(self, change: Callable[[str], str]) -> None:
        """Change the alignment's header text in place; htslib's own UR fields go."""
        path = self.path("cram")
        with pysam.AlignmentFile(str(path), check_sq=False) as reads:
            text = str(reads.header)
        lines = ["\t".join(p for p in line.split("\t") if not p.startswith("UR:")) for line in text.splitlines()]
        file = self.home / "header.sam"
        file.write_text(change("\n".join(lines) + "\n"), encoding="utf-8")
        whole = self.home / "reheaded.cram"
        with open(whole, "wb") as out:
            program = "import sys, pysam; pysam.reheader(*sys.argv[1:], catch_stdout=False)"
            subprocess.run([sys.executable, "-c", program, "-P", str(file), str(path)], stdout=out, check=True)
        whole.replace(path)
        file.unlink()
        pysam.index(str(path))

    def path(self, ending: str) -> Path:
        """A file of the sample, `vcf.gz` for one; `sv.vcf.gz` is the case's."""
        return self.data / f"{CASE if ending == 'sv.vcf.gz' else self.sample}.{ending}"

    def vcf_header(self, kind: str, samples: tuple[str, ...] = (SAMPLE,)) -> str:
        """Header of a VCF of this content, column line included."""
        spec = ngc_profile.load(self.profile_path).data[kind]
        lines = ["##fileformat=VCFv4.2"]
        if kind == "gvcf":
            lines.append('##ALT=<ID=NON_REF,Description="Any other allele">')
        lines += [f'##ALT=<ID={name},Description="{name}">' for name in spec.get("alts", ()) if name != "BND"]
        lines.append('##FILTER=<ID=PASS,Description="All filters passed">')
        lines.append('##FILTER=<ID=LowQual,Description="Low quality">')
        for section, used in (("INFO", self._info(kind)), ("FORMAT", self._format(kind))):
            for key in used:
                d = spec[section.lower()][key]
                lines.append(
                    f'##{section}=<ID={key},Number={d["number"]},Type={d["type"]},Description="{d["description"]}">'
                )
        lines += [f"##contig=<ID={n},length={len(s)},md5={_md5(s)}>" for n, s in sequences().items()]
        lines += ["##reference=TINY", "##source=ngc-wgs", "##profile=ngc-provisional"]
        lines.append("\t".join(["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT", *samples]))
        return "\n".join(lines) + "\n"

    @staticmethod
    def _info(kind: str) -> list[str]:
        keys = {
            "gvcf": ["END", "DP"],
            "mitochondrial_vcf": ["DP", "TLOD"],
            "somatic_vcf": ["DP", "TLOD", "NLOD", "NALOD"],
            "copy_number_vcf": ["SVTYPE", "END", "SVLEN"],
            "structural_vcf": ["SVTYPE", "END", "SVLEN", "CT", "PE", "SR"],
            "somatic_structural_vcf": ["SVTYPE", "END", "SVLEN", "CT", "PE", "SR"],
            "somatic_copy_number_vcf": ["SVTYPE", "END", "SVLEN", "LOH"],
        }
        return keys.get(kind, ["AC", "AN", "AF", "DP"])

    @staticmethod
    def _format(kind: str) -> list[str]:
        keys = {
            "gvcf": ["GT", "AD", "DP", "GQ", "MIN_DP", "PL"],
            "mitochondrial_vcf": ["GT", "AD", "AF", "DP"],
            "somatic_vcf": ["GT", "AD", "AF", "DP"],
            "copy_number_vcf": ["GT", "CN", "ECN", "CR", "CRCI", "BINS"],
            "structural_vcf": ["GT", "GQ", "FT", "DR", "DV", "RR", "RV"],
            "somatic_structural_vcf": ["DR", "DV", "RR", "RV", "AF"],
            "somatic_copy_number_vcf": ["CR", "CRCI", "MAF", "MAFCI", "BINS", "SITES"],
        }
        return keys.get(kind, ["GT", "AD", "DP", "GQ", "PL"])

    @staticmethod
    def variants() -> list[tuple[str, int, str, str, str]]:
        """(contig, position, REF, ALT, genotype) of the male index; left-aligned, by construction of the sequence."""
        bases = sequences()

        def snv(contig: str, pos: int, genotype: str) -> tuple[str, int, str, str, str]:
            ref = bases[contig][pos - 1]
            return contig, pos, ref, next(b for b in "ACGT" if b != ref), genotype

        one = bases["chr1"]
        deleted = next(p for p in range(2001, 2100) if one[p - 1] != one[p] and one[p + 1] != one[p])
        inserted = next(b for b in "ACGT" if b not in (one[2999], one[3000]))
        return [
            snv("chr1", 1000, "0/1"),
            ("chr1", deleted, one[deleted - 1 : deleted + 1], one[deleted - 1], "1/1"),
            ("chr1", 3000, one[2999], one[2999] + inserted, "0/1"),
            snv("chr2", 500, "1/1"),
            snv("chrX", 400, "0/1"),
            snv("chrX", 2500, "1"),
            snv("chrY", 1500, "1"),
        ]

    def vcf_text(self) -> str:
        """The whole VCF as text."""
        lines = []
        for contig, pos, ref, alt, genotype in self.variants():
            alleles = genotype.split("/")
            count, number = alleles.count("1"), len(alleles)
            depths = f"{'16' if count < number else '0'},18"
            likelihoods = "400,0,380" if count < number else "700,60,0" if number == 2 else "700,0"
            lines.append(
                f"{contig}\t{pos}\t.\t{ref}\t{alt}\t500\tPASS\tAC={count};AF={count / number:.3f};AN={number};DP=34\t"
                f"GT:AD:DP:GQ:PL\t{genotype}:{depths}:34:99:{likelihoods}"
            )
        return self.vcf_header("vcf") + "\n".join(lines) + "\n"

    def mt_text(self) -> str:
        """The whole mitochondrial VCF as text: a homoplasmic and a heteroplasmic SNV."""
        lines = []
        for pos, values in ((300, "1:2,998:0.998:1000"), (700, "0/1:800,200:0.200:1000")):
            ref = sequences()["chrM"][pos - 1]
            alt = next(b for b in "ACGT" if b != ref)
            lines.append(f"chrM\t{pos}\t.\t{ref}\t{alt}\t.\tPASS\tDP=1000;TLOD=900.1\tGT:AD:AF:DP\t{values}")
        return self.vcf_header("mitochondrial_vcf") + "\n".join(lines) + "\n"

    def sv_text(self) -> str:
        """The whole structural VCF as text: a deletion of an autosome and one of the male's X."""
        lines = [
            f"{contig}\t{pos}\tDEL{pos}\t{sequences()[contig][pos - 1]}\t<DEL>\t300\tPASS\t"
            f"SVTYPE=DEL;END={pos + 500};SVLEN=-500;CT=3to5;PE=9;SR=5\tGT:GQ:FT:DR:DV:RR:RV\t{genotype}:99:PASS:9:9:5:5"
            for contig, pos, genotype in (("chr1", 4000, "0/1"), ("chrX", 2800, "1"))
        ]
        return self.vcf_header("structural_vcf") + "\n".join(lines) + "\n"

    def copy_number_text(self) -> str:
        """The whole copy-number VCF as text: a deletion of one copy."""
        base = sequences()["chr1"][1999]
        line = f"chr1\t2000\t.\t{base}\t<DEL>\t.\tPASS\tSVTYPE=DEL;END=3000;SVLEN=-1000\tGT:CN:ECN:CR:CRCI:BINS"
        return f"{self.vcf_header('copy_number_vcf')}{line}\t0/1:1:2:0.500:0.450,0.550:10\n"

    def somatic_copy_number_text(self) -> str:
        """The whole somatic copy-number VCF of the tumour as text: a deletion in some of the cells."""
        line = f"chr1\t2000\t.\t{sequences()['chr1'][1999]}\t<DEL>\t.\tPASS\tSVTYPE=DEL;END=3000;SVLEN=-1000;LOH"
        values = "CR:CRCI:MAF:MAFCI:BINS:SITES\t0.650:0.630,0.670:0.230:0.220,0.240:10:12"
        return f"{self.vcf_header('somatic_copy_number_vcf', (TUMOUR,))}{line}\t{values}\n"

    def somatic_structural_text(self) -> str:
        """The whole somatic structural VCF of the tumour as text: a deletion."""
        line = f"chr1\t4000\tDEL1\t{sequences()['chr1'][3999]}\t<DEL>\t900\tPASS\tSVTYPE=DEL;END=4500;SVLEN=-500"
        pair = "DR:DV:RR:RV:AF\t20:0:30:0:0.000\t60:9:60:20:0.250"
        return f"{self.vcf_header('somatic_structural_vcf', (SAMPLE, TUMOUR))}{line};CT=3to5;PE=9;SR=5\t{pair}\n"

    def somatic_text(self, normal: bool) -> str:
        """The whole somatic VCF of the tumour as text: two SNVs that pass, a filtered one. normal: has its column."""
        lines = []
        for pos, passed in ((1200, "PASS"), (1500, "LowQual"), (1800, "PASS")):
            ref = sequences()["chr1"][pos - 1]
            info = "DP=130;TLOD=30.5" + ";NLOD=9.1;NALOD=1.5" * normal
            columns = ["0/0:40,0:0.024:40"] * normal + ["0/1:60,30:0.333:90"]
            alt = next(base for base in "ACGT" if base != ref)
            fixed = f"chr1\t{pos}\t.\t{ref}\t{alt}\t.\t{passed}\t{info}\tGT:AD:AF:DP"
            lines.append("\t".join([fixed, *columns]))
        names = (SAMPLE, self.sample) if normal else (self.sample,)
        return self.vcf_header("somatic_vcf", names) + "\n".join(lines) + "\n"

    def contexts_text(self) -> str:
        """The table of the tumour's mutation contexts, counted the slow and plain way."""
        pairs, counts = dict(zip("ACGT", "TGCA", strict=True)), Counter()
        for pos in (1200, 1800):
            around = sequences()["chr1"][pos - 2 : pos + 1]
            alt = next(base for base in "ACGT" if base != around[1])
            if around[1] in "AG":
                around, alt = "".join(pairs[base] for base in reversed(around)), pairs[alt]
            counts[around[1], alt, around[0], around[2]] += 1
        rows = [
            f"{before}[{ref}>{alt}]{after}\t{counts[ref, alt, before, after]}\n"
            for ref in "CT"
            for alt in "ACGT".replace(ref, "")
            for before in "ACGT"
            for after in "ACGT"
        ]
        return "context\tcount\n" + "".join(rows)

    def add_tumour(self, normal: bool = True) -> None:
        """Make it a case of a tumour, with its normal (what was there) or alone; the tumour's files are written."""

        def change(manifest: dict) -> None:
            manifest.update(study_type=study, analysis_type="somatic_wgs")
            manifest["samples"][0]["qc"]["metrics"] = self.metrics(study=study)
            manifest["patient_group"] = "haematological-cancer"
            tumour = {**copy.deepcopy(manifest["samples"][0]), "sample": TUMOUR, "sample_type": "tumour"}
            tumour["qc"]["metrics"] = self.metrics("tumour", study=study)
            for metric in tumour["qc"]["metrics"]:
                metric["value"] = 95.0 if metric["name"] == "mean_coverage" else metric["value"]
            manifest["samples"] = [*manifest["samples"] * normal, tumour]

        study = "tumour-normal" if normal else "tumour-only"
        if not normal:
            for path in [*self.data.glob(f"{SAMPLE}.*"), *self.data.glob(f"{CASE}.sv.*")]:
                path.unlink()
        self.edit_manifest(change)
        if normal:
            self.write_metrics(self.manifest())
        self.sample = TUMOUR
        self.write_cram()
        self.write_vcf(self.somatic_text(normal), "somatic.vcf.gz")
        self.write_vcf(self.somatic_copy_number_text(), "somatic.cnv.vcf.gz")
        if normal:
            self.write_vcf(self.somatic_structural_text(), "somatic.sv.vcf.gz")
        self.path("contexts.tsv").write_text(self.contexts_text())
        self.write_metrics(self.manifest())

    def gvcf_text(self) -> str:
        """The whole gVCF as text: variants, and blocks that cover the rest of every contig with records."""
        bases, lines = sequences(), []
        for contig in [name for name, role in ROLES.items() if role not in ("M", "other")]:
            done = 1000 if contig == "chrY" else 0  # its PAR is masked, nothing is called there
            # PARs are apart, since ploidy changes at their ends.
            edges = sorted({end for name, _, end in PAR if name == contig} | {len(bases[contig])})
            variants = [v for v in self.variants() if v[0] == contig]
            for edge in edges:
                while done < edge:
                    following = next((v for v in variants if done < v[1] <= edge), None)
                    stop = following[1] - 1 if following else edge
                    if stop > done:
                        haploid = contig in ("chrX", "chrY") and done >= 1000
                        genotype, likelihoods = ("0", "0,700") if haploid else ("0/0", "0,90,900")
                        lines.append(
                            f"{contig}\t{done + 1}\t.\t{bases[contig][done]}\t<NON_REF>\t.\t.\tEND={stop}\t"
                            f"GT:DP:GQ:MIN_DP:PL\t{genotype}:34:99:30:{likelihoods}"
                        )
                        done = stop
                    if following:
                        _, pos, ref, alt, genotype = following
                        haploid = "/" not in genotype
                        lines.append(
                            f"{contig}\t{pos}\t.\t{ref}\t{alt},<NON_REF>\t500\t.\tDP=34\tGT:AD:DP:GQ:PL\t"
                            f"{genotype}:{'16' if genotype == '0/1' else '0'},18,0:34:99:"
                            + ("700,0,710" if haploid else "400,0,380,420,390,800")
                        )
                        done = pos + len(ref) - 1
        return self.vcf_header("gvcf") + "\n".join(lines) + "\n"

    def write_vcf(self, text: str, ending: str = "vcf.gz") -> None:
        """Write a VCF with bgzip and index it."""
        plain = self.home / "plain.vcf"
        plain.write_text(text, encoding="utf-8")
        path = self.path(ending)
        pysam.tabix_compress(str(plain), str(path), force=True)
        pysam.tabix_index(str(path), preset="vcf", force=True)
        plain.unlink()

    def read_vcf(self, ending: str = "vcf.gz") -> str:
        """Text of a VCF of the submission."""
        with pysam.BGZFile(str(self.path(ending))) as handle:
            return handle.read().decode("utf-8")

    def edit_vcf(self, change: Callable[[str], str], ending: str = "vcf.gz") -> None:
        """Change the text of a VCF and index it again; the change must change something."""
        before = self.read_vcf(ending)
        after = change(before)
        assert after != before, "the mutation changed nothing"
        self.write_vcf(after, ending)

    def metrics(self, sample_type: str = "germline", own_genome: bool = True, study: str = "single") -> list[dict]:
        """Metrics of the sample as the manifest holds them: measured where VALUES has them, within their gates.

        own_genome: whether the profile's own reference was used; some gates count only then.
        """
        profile = ngc_profile.load(self.profile_path)
        out = []
        for name, known in profile.data["metrics"].items():
            if study not in known.get("study_types", [study]):
                continue
            if sample_type not in known.get("sample_types", [sample_type]):
                continue
            value = VALUES.get(name)
            gates = [g for g in known["gates"] if g["applies_to"] in ("all", sample_type)]
            gates = [g for g in gates if own_genome or "only" not in g]
            gate = {key: gates[0][key] for key in ("op", "value", "status", "basis")} if gates else None
            out.append(
                {
                    "id": known["id"],
                    "name": name,
                    "value": value,
                    "unit": known["unit"],
                    "denominator": None,
                    "error": None,
                    "status": "NOT_MEASURED" if value is None else "PASS",
                    "gate": gate,
                    "waiver": None,
                }
            )
        return out

    def write_metrics(self, manifest: dict, change: Callable[[dict], object] | None = None) -> None:
        """Write the metrics file that says what the manifest says, changed where a change is given."""
        profile = ngc_profile.load(self.profile_path)
        qc = next(sample["qc"] for sample in manifest["samples"] if sample["sample"] == self.sample)
        data = {
            "biosample": {"id": self.sample},
            "metrics_version": "2.0",
            "profile": {"id": manifest["profile"]["id"], "version": manifest["profile"]["version"]},
            "evaluation_regions": manifest["reference"]["evaluation_regions"],
            "wgs_qc_metrics": {metric["name"]: metric["value"] for metric in qc["metrics"]},
            "metrics": [
                {
                    **metric,
                    "reason": "",
                    "stage": profile.data["metrics"][metric["name"]]["stage"],
                    "definition": profile.data["metrics"][metric["name"]]["definition"],
                    "tool": profile.data["metrics"][metric["name"]]["tool"],
                    "version": "1.0",
                }
                for metric in qc["metrics"]
            ],
            "status": qc["status"],
        }
        if change:
            change(data)
        self.path("metrics.json").write_text(json.dumps(data, indent=1), encoding="utf-8")

    def _manifest(self) -> dict:
        profile = ngc_profile.load(self.profile_path)
        total = sum(LENGTHS.values())
        runs = [
            {
                "flowcell": FLOWCELL,
                "lane": str(lane),
                "platform": "ILLUMINA",
                "model": "NovaSeq 6000",
                "fastq": [
                    {"read": r, "sha256": _sha256(f"{lane}{r}".encode()), "bytes": 1000, "reads": 35} for r in (1, 2)
                ],
            }
            for lane in (1, 2)
        ]
        return {
            "manifest_version": "1.0",
            "created": CREATED,
            "profile": profile.identity(),
            "workflow": {
                "name": "ngc-wgs",
                "version": "0.1.0",
                "commit": "0123456789abcdef0123456789abcdef01234567",
                "clean_checkout": True,
                "code_sha256": "0" * 64,
                "code_sha256_at_start": "0" * 64,
                "configuration_sha256": _sha256(b"configuration"),
            },
            "tools": [{"name": "bwa", "version": "0.7.19", "pinned": "0.7.19", "as_pinned": True}],
            "pinned_environment": True,
            "reference": {
                "id": "TINY",
                "accession": "TINY.1",
                "assembly": "TINY",
                "seqcol_digest": "A" * 32,
                "fasta_sha256": _sha256(self.reference.read_bytes()),
                "evaluation_regions": {"id": "whole_genome", "sha256": None, "bases": total},
            },
            "databases": [],
            "submission": {"id": CASE, "type": "initial", "supersedes": None},
            "site": "wgs_west",
            "region": "1082",
            "requester_sor": "441211000016002",
            "legal": {
                "legal_basis": "treatment",
                "analysis_date": ANALYSIS_DATE,
                "consent": "not_required",
                "consent_form_version": None,
                "research_restriction_checked": True,
            },
            "patient_group": "rare-disease-adult",
            "requisition_id": "NGCWGS12345",
            "analysis_type": "germline_wgs",
            "study_type": "single",
            "phenotypes": [{"id": "HP:0001250", "release": "2026-01-08"}],
            "diagnoses": [{"system": "SKS", "code": "DQ878C", "release": None}],
            "samples": [
                {
                    "sample": SAMPLE,
                    "relation": "index",
                    "sample_type": "germline",
                    "sex": "male",
                    "affected": "yes",
                    "material": "blood",
                    "conservation": "edta",
                    "libraries": [
                        {
                            "library": LIBRARY,
                            "kit": "Illumina DNA PCR-Free",
                            "pcr_free": True,
                            "layout": "paired",
                            "read_length": 150,
                            "runs": runs,
                        }
                    ],
                    "qc": {"status": "PASS", "metrics": self.metrics()},
                }
            ],
            "files": [],
            "not_called": [],
            "checks": [{"name": "check", "result": "PASS", "tool": "ngc-wgs", "version": "0.1.0"}],
            "conforms": True,
        }

    # --- changing
    def manifest(self) -> dict:
        """manifest.json as data."""
        return json.loads((self.root / "manifest.json").read_text(encoding="utf-8"))

    def save_manifest(self, manifest: dict) -> None:
        """Write manifest.json."""
        (self.root / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")

    def edit_manifest(self, change: Callable[[dict], object]) -> None:
        """Change manifest.json; the change must change something."""
        manifest = self.manifest()
        before = copy.deepcopy(manifest)
        change(manifest)
        assert manifest != before, "the mutation changed nothing"
        self.save_manifest(manifest)

    def edit_profile(self, change: Callable[[dict], object]) -> None:
        """Change the profile that the submission is judged by, and is said to be made for."""
        data = yaml.safe_load(self.profile_path.read_text(encoding="utf-8"))
        change(data)
        self.profile_path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")
        identity = ngc_profile.load(self.profile_path).identity()
        self.edit_manifest(lambda manifest: manifest.update(profile=identity))

    def regate(self, sample_type: str = "germline", own_genome: bool = True, study: str = "single") -> None:
        """Hold the metrics against the gates of another type of sample, or of another reference or study."""
        metrics = self.metrics(sample_type, own_genome, study)

        def replace(by_name: dict) -> None:
            by_name.clear()
            by_name.update({metric["name"]: metric for metric in metrics})

        self.edit_metrics(replace)

    def edit_metrics(self, change: Callable[[dict], object], status: str | None = None) -> None:
        """Change metrics by name in the manifest and in the metrics file alike, and the sample's status."""

        def apply(manifest: dict) -> None:
            qc = next(sample["qc"] for sample in manifest["samples"] if sample["sample"] == self.sample)
            by_name = {metric["name"]: metric for metric in qc["metrics"]}
            change(by_name)
            qc["metrics"] = list(by_name.values())
            qc["status"] = status or qc["status"]

        self.edit_manifest(apply)
        self.write_metrics(self.manifest())

    # --- sealing
    def unseal(self) -> None:
        """Give the owner write permission again."""
        for folder, _, names in os.walk(self.root):
            os.chmod(folder, 0o755)
            for name in names:
                if not (path := Path(folder, name)).is_symlink():
                    path.chmod(0o644)

    def seal(self) -> None:
        """Take every write permission away."""
        for folder, _, names in os.walk(self.root, topdown=False):
            for name in names:
                if stat.S_ISREG(os.lstat(path := Path(folder, name)).st_mode):
                    path.chmod(0o444)
            os.chmod(folder, 0o555)

    def list_files(self) -> None:
        """Put every payload file, with its digests, into manifest.json."""
        profile, manifest = ngc_profile.load(self.profile_path), self.manifest()
        samples, entries = manifest["samples"], []
        normal = next((row["sample"] for row in samples if row["sample_type"] == "germline"), None)
        for kind, spec in profile.data["files"].items():
            for owner in dict.fromkeys(row["sample"] for row in samples) if spec["per"] == "sample" else [None]:
                name = spec["name"].format(sample=owner, case=manifest["submission"]["id"])
                path = self.root / name
                if not path.exists():
                    continue
                digest = content_digest(path, spec["digest"], self.reference)
                entries.append(
                    {
                        "path": name,
                        "type": kind,
                        "edam": spec["edam"],
                        "bytes": path.stat().st_size,
                        "sha256": _sha256(path.read_bytes()),
                        "content_digest": {"method": spec["digest"], "value": digest} if digest else None,
                        "sample": owner,
                        "encrypted_sha256": None,
                    }
                )
                if spec["sample_types"] == ["tumour"] and "content" in spec:
                    pair = normal and profile.data[spec["content"]]["samples"] == "tumour"
                    entries[-1]["columns"] = {"tumour": owner, **({"normal": normal} if pair else {})}
        manifest["files"] = entries
        self.save_manifest(manifest)

    def bag(self) -> None:
        """Write the bag's tag files anew over what is there, and sign."""
        for name in ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", SIGNATURE):
            (self.root / name).unlink(missing_ok=True)
        payload = sorted(path for path in self.data.rglob("*") if path.is_file() and not path.is_symlink())
        (self.root / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
        oxum = f"{sum(path.stat().st_size for path in payload)}.{len(payload)}"
        (self.root / "bag-info.txt").write_text(f"Bagging-Date: {CREATED[:10]}\nPayload-Oxum: {oxum}\n")
        for target in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
            tags = sorted(path for path in self.root.iterdir() if path.is_file())
            files = payload if target.startswith("manifest") else tags
            lines = [f"{_sha256(path.read_bytes())}  {path.relative_to(self.root)}\n" for path in files]
            (self.root / target).write_text("".join(lines))
        bagit.Bag(str(self.root)).validate()
        self.sign()

    def sign(self, key: Ed25519PrivateKey = SIGNER) -> None:
        """Write the signature of the tag manifest."""
        public = key.public_key().public_bytes_raw()
        signature = key.sign((self.root / "tagmanifest-sha256.txt").read_bytes())
        text = f"Algorithm: Ed25519\nKey: {_sha256(public)}\nSignature: {signature.hex()}\n"
        (self.root / SIGNATURE).write_text(text)

    def encrypt(self, change: Callable[[dict[str, Path]], object] | None = None, receiver: bytes = RECEIVER) -> None:
        """Encrypt the payload of a finished submission and bag it anew.

        change: is given the encrypted files by path in the plaintext's bag, and may change them before they are listed.
        """
        self.unseal()
        files = {}
        for path in sorted(self.data.iterdir()):
            files[f"data/{path.name}"] = target = path.with_name(path.name + ".c4gh")
            envelope(path, target, receiver)
            path.unlink()
        if change:
            change(files)

        def listed(manifest: dict) -> None:
            for entry in manifest["files"]:
                entry["encrypted_sha256"] = _sha256(files[entry["path"]].read_bytes())

        self.edit_manifest(listed)
        self.bag()
        self.seal()
        self.private_key = self.home / "receiver.sec"
        write_private_key(self.private_key, RECEIVER)

    def finish(self) -> None:
        """List the files in the manifest, bag and seal."""
        if (self.root / "manifest.json").exists():
            self.list_files()
            if self.after_listing:
                self.edit_manifest(self.after_listing)
        self.bag()
        self.seal()

    def rewrite_tag_file(self, name: str, text: str) -> None:
        """Change a tag file of a sealed bag, list its new digest and seal again."""
        self.unseal()
        (self.root / name).write_text(text, encoding="utf-8")
        listed = (self.root / "tagmanifest-sha256.txt").read_text().splitlines()
        others = [line for line in listed if not line.endswith(f"  {name}")]
        digest = _sha256((self.root / name).read_bytes())
        (self.root / "tagmanifest-sha256.txt").write_text("\n".join([*others, f"{digest}  {name}"]) + "\n")
        self.sign()
        self.seal()

    def judge(self, **options) -> Report:
        """The judge's report on this submission."""
        profile = ngc_profile.load(self.profile_path)
        options.setdefault("reference", self.reference)
        options.setdefault("public_keys", self.public_keys)
        options.setdefault("private_key", self.private_key)
        return check(self.root, profile, profile_path=self.profile_path, deny=self.deny, **options)


def envelope(source: Path, target: Path, receiver: bytes) -> None:
    """Encrypt a file with Crypt4GH for the holder of a private key; keeps the file's times."""
    with open(source, "rb") as plain, open(target, "wb") as out:
        lib.encrypt([(0, b"e" * 32, sodium.derive_pk(receiver))], plain, out)
    times = source.stat()
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))


def write_private_key(path: Path, key: bytes) -> None:
    """A Crypt4GH private key without passphrase: magic word, then kdf, cipher and key, each after its length."""
    parts = [b"none", b"none", key]
    data = b"c4gh-v1" + b"".join(len(part).to_bytes(2, "big") + part for part in parts)
    text = base64.b64encode(data).decode("ascii")
    path.write_text(f"-----BEGIN CRYPT4GH PRIVATE KEY-----\n{text}\n-----END CRYPT4GH PRIVATE KEY-----\n")
    path.chmod(0o600)


def write_public_key(path: Path, private: bytes) -> None:
    """The Crypt4GH public key of a private one."""
    text = base64.b64encode(sodium.derive_pk(private)).decode("ascii")
    path.write_text(f"-----BEGIN CRYPT4GH PUBLIC KEY-----\n{text}\n-----END CRYPT4GH PUBLIC KEY-----\n")


def reference_section() -> dict:
    """The profile's `reference` for the tiny genome. chr2: MD5 only as published, not demanded."""
    contigs = []
    for name, bases in sequences().items():
        contig = {"name": name, "length": len(bases), "md5": _md5(bases), "role": ROLES[name]}
        if name == "chr1":
            contig = {**contig, "md5": None, "md5_refused": [_md5("unmasked " + name)]}
        if name == "chr2":
            contig = {**contig, "md5": None, "md5_unmasked": _md5(bases)}
        contigs.append(contig)
    return {
        "id": "TINY",
        "accession": "TINY.1",
        "assembly": "TINY",
        "par": [{"contig": c, "start": s, "end": e} for c, s, e in PAR],
        "contigs": contigs,
    }


def content_digest(path: Path, method: str | None, reference: Path) -> str | None:
    """Content digest by the definition, the slow and plain way."""
    if method is None:
        return None
    if method == "vcf-records-sha256":
        try:
            with pysam.BGZFile(str(path)) as handle:
                text = handle.read()
        except OSError:
            return "0" * 64
        return _sha256(b"".join(line for line in text.splitlines(keepends=True) if not line.startswith(b"##")))
    if method == "sam-records-sha256":
        with pysam.AlignmentFile(str(path), reference_filename=str(reference), check_sq=False) as reads:
            return _sha256("".join(read.to_string() + "\n" for read in reads.fetch(until_eof=True)).encode())
    data = json.loads(path.read_text(encoding="utf-8"))
    return _sha256(json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def report_html(extra: str = "", plot_data: object = None) -> str:
    """A small report of MultiQC's build: text, a JSON script, and packed plot data."""
    import gzip

    data = plot_data if plot_data is not None else {"samples": [SAMPLE], "bases": [1504891234, 101234567890]}
    packed = base64.b64encode(gzip.compress(json.dumps(data).encode(), mtime=0)).decode("ascii")
    return (
        "<!doctype html><html><head><title>MultiQC Report</title>"
        f'<script type="text/plain" id="mqc_compressed_plotdata">{packed}</script>'
        '<script type="application/json" id="mqc_config">{"decimalPoint_format": null, "total": 1504891234}</script>'
        "<script>var x = 4294967296;</script></head>"
        f'<body><td data-sorting-val="1504891234.0">1.5 Gb</td><p>{SAMPLE}</p>{extra}</body></html>\n'
    )
