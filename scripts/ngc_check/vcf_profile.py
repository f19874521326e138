"""The profile's rules on a VCF or gVCF: header and one record at a time, exact and in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ngc_check import vcf_copy_number, vcf_somatic, vcf_somatic_copy_number, vcf_somatic_structural
from ngc_check.vcf_reference import Reference
from ngc_check.vcf_spec import FORMAT_RESERVED, INTEGER, REF_ALLELE, Emit, Header, Record
from ngc_check.vcf_structural import S_ALLELE, StructuralJudge, not_spelt

P_CONTAINER, P_INDEX, P_VERSION, P_ORDER = "NGC-VCF-001", "NGC-VCF-002", "NGC-VCF-003", "NGC-VCF-004"
P_CONTIGS, P_MD5, P_RECORD_CONTIG, P_REFERENCE = "NGC-VCF-005", "NGC-VCF-006", "NGC-VCF-007", "NGC-VCF-008"
P_NORMAL, P_SPLIT, P_DUPLICATE = "NGC-VCF-009", "NGC-VCF-010", "NGC-VCF-011"
P_FORMAT, P_FORMAT_DEF, P_INFO, P_INFO_PRESENT = "NGC-VCF-012", "NGC-VCF-013", "NGC-VCF-014", "NGC-VCF-015"
P_FILTER, P_SAMPLE, P_PLOIDY, P_HEADER = "NGC-VCF-016", "NGC-VCF-017", "NGC-VCF-018", "NGC-VCF-019"
G_NON_REF, G_END, G_COVERAGE = "NGC-GVCF-001", "NGC-GVCF-002", "NGC-GVCF-003"
NON_REF = "<NON_REF>"


def not_normal(pos: int, ref: str, alt: str) -> str | None:
    """Why one biallelic sequence change is not left-aligned and parsimonious, or None.

    Needs no reference: a change is normal exactly when the alleles end differently, and begin differently or one
    of them is a single base (Tan, Abecasis and Kang 2015). At position 1 nothing lies to the left to pad with.
    """
    ref, alt = ref.upper(), alt.upper()
    if not alt.isalpha() or ref == alt:
        return None
    if ref[-1] == alt[-1] and (pos > 1 or min(len(ref), len(alt)) > 1):
        return "both alleles end with the same base: not left-aligned, or not trimmed"
    if ref[0] == alt[0] and min(len(ref), len(alt)) > 1:
        return "both alleles begin with the same base: not trimmed"
    return None


class ProfileJudge:
    """Holds what one file is judged against.

    kind: the profile's section on its content. sample: the pseudonym of the only column, or those of all; sex: of the
    only one, or of each by pseudonym. columns: of a tumour's VCF, the names of its columns by role (`tumour` and
    `normal`), None where no manifest names them. reference: None where none is at hand (then REF is not judged).
    """

    def __init__(
        self,
        profile,
        header: Header,
        emit: Emit,
        *,
        kind: str,
        sample: str | Collection[str] | None,
        sex: str | Mapping[str, str] | None,
        reference: Reference | None,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        self.profile, self.header, self.emit, self.kind = profile, header, emit, kind
        self.sample, self.reference, self.columns = sample, reference, columns
        self.spec = profile.data[kind]
        self.gvcf = self.spec["blocks"]
        callers = profile.data["structural"]["callers"]
        self.structural = StructuralJudge(header, emit, self.spec["alts"], callers) if "alts" in self.spec else None
        roles = self.spec["record_roles"]
        self.record_contigs = {c["name"] for c in profile.contigs(*roles)}
        self.rank = {name: at for at, name in enumerate(header.contigs)}
        self.role = {c["name"]: c["role"] for c in profile.contigs()}
        by_name = sex if isinstance(sex, Mapping) else dict.fromkeys(header.samples, sex)
        self.sex_ploidies = [
            profile.ploidy(by_name[name]) if by_name.get(name) is not None else None for name in header.samples
        ]
        """Copies of X and Y that each column should have, None where its sex is not known."""
        self.required_format = [key for key, d in self.spec["format"].items() if d["required"]]
        self.required_info = [key for key, d in self.spec["info"].items() if d["required"]]
        only = by_name.get(header.samples[0]) if header.samples else None
        self.copy_number = (
            vcf_copy_number.CopyNumberJudge(profile, emit, only) if kind == vcf_copy_number.KIND else None
        )
        self.somatic = (
            vcf_somatic.SomaticJudge(profile, header, emit, columns, reference) if kind == vcf_somatic.KIND else None
        )
        self.somatic_copy_number = (
            vcf_somatic_copy_number.SomaticCopyNumberJudge(profile, emit)
            if kind == vcf_somatic_copy_number.KIND
            else None
        )
        self.somatic_structural = (
            vcf_somatic_structural.SomaticStructuralJudge(profile, header, emit, columns)
            if kind == vcf_somatic_structural.KIND
            else None
        )
        self.contig = ""
        self.covered = 0
        """Last position of the contig that a gVCF record has covered, 0 before its first record."""
        self.here: dict[tuple[str, str], int] = {}
        """(REF, ALT) of the records at `here_pos`, for exact duplicates."""
        self.here_pos = -1

    # --- header
    def judge_header(self) -> None:
        """Every rule that the header alone decides."""
        self._allow_list()
        self._contigs()
        self._definitions()
        self._samples()
        if self.gvcf and "NON_REF" not in self.header.alts:
            self.emit(G_NON_REF, self.header.last_line, "ALT NON_REF is not declared")
        for kind in self.structural.kinds if self.structural else ():
            if kind != "BND" and kind not in self.header.alts:
                self.emit(S_ALLELE, self.header.last_line, f"ALT {kind} is not declared")

    def _samples(self) -> None:
        names, wanted, line = self.header.samples, self.sample, self.header.last_line
        if self.spec["samples"] == "tumour":
            for name in sorted(set(names) ^ set(names if self.columns is None else self.columns.values())):
                what = (
                    "a column that the manifest does not name" if name in names else "named in the manifest, no column"
                )
                self.emit(P_SAMPLE, line, f"{name!r}: {what}")
        elif self.spec["samples"] != "one":
            for name in sorted(set(names) ^ set(names if wanted is None else wanted)):
                who = "a sample that is none" if name in names else "no column"
                self.emit(P_SAMPLE, line, f"{name!r}: {who} of the case's germline members")
        elif len(names) != 1:
            self.emit(P_SAMPLE, line, f"{len(names)} samples where one is wanted")
        elif wanted is not None and names[0] != wanted:
            case = " (other case)" if names[0].upper() == wanted.upper() else ""
            self.emit(P_SAMPLE, line, f"the sample is not the manifest's {wanted!r}{case}")

    def _allow_list(self) -> None:
        allowed = self.spec["header_keys"]
        exact = {key for key in allowed if not key.endswith("*")}
        prefixes = tuple(key[:-1] for key in allowed if key.endswith("*"))
        reference = str(self.profile.reference["id"])
        for number, key, value in self.header.lines:
            if key not in exact and not (prefixes and key.startswith(prefixes)):
                self.emit(P_HEADER, number, f"header line '##{key}' is not in the profile's list")
            elif key == "reference" and value != reference:
                self.emit(P_HEADER, number, f"##reference must be the logical id {reference!r}")
            elif key == "profile" and value.split()[0] != self.profile.id:
                self.emit(P_HEADER, number, f"##profile must name {self.profile.id!r}")
            elif key == "source" and ("/" in value or "\\" in value):
                self.emit(P_HEADER, number, "##source holds a path")

    def _contigs(self) -> None:
        wanted, found, line = self.profile.contigs(), self.header.contigs, self.header.last_line
        names = [c["name"] for c in wanted]
        if list(found) != names:
            missing, extra = [n for n in names if n not in found], [n for n in found if n not in self.role]
            what = f"missing {missing[0]}" if missing else f"not of the profile: {extra[0]}" if extra else "other order"
            self.emit(P_CONTIGS, line, f"contigs differ from the profile's {len(names)}: {what}")
        for contig in wanted:
            have = found.get(contig["name"])
            if have is None:
                continue
            if have.get("length") != str(contig["length"]):
                self.emit(P_CONTIGS, line, f"{contig['name']}: length {have.get('length')}, not {contig['length']}")
            md5 = have.get("md5", "").lower()
            if not md5:
                self.emit(P_MD5, line, f"{contig['name']}: no md5")
            elif contig.get("md5") and md5 != contig["md5"]:
                self.emit(P_MD5, line, f"{contig['name']}: md5 {md5} is not the profile's {contig['md5']}")
            elif md5 in contig.get("md5_refused", ()):
                self.emit(P_MD5, line, f"{contig['name']}: md5 {md5} is of a sequence that the profile refuses")

    def _definitions(self) -> None:
        reserved = FORMAT_RESERVED[self.header.version]
        for key, wanted in self.spec["format"].items():
            have = self.header.format.get(key)
            if have is None:
                if wanted["required"]:
                    self.emit(P_FORMAT, self.header.last_line, f"FORMAT {key} is not declared")
            elif key not in reserved and (have.number, have.type) != (wanted["number"], wanted["type"]):
                # Keys that the specification reserves are judged there.
                self.emit(
                    P_FORMAT_DEF,
                    self.header.last_line,
                    f"FORMAT {key}: Number={have.number} Type={have.type}, not {wanted['number']} {wanted['type']}",
                )

    # --- records
    def judge(self, record: Record) -> None:
        """Every rule of one record; records must come in file order."""
        n, emit, chrom = record.line, self.emit, record.chrom
        if chrom != self.contig:
            earlier = self.rank.get(self.contig, -1)
            if self.rank.get(chrom, len(self.rank)) < earlier:
                emit(P_ORDER, n, f"{chrom} comes after {self.contig}, against the header's order")
            self.contig, self.covered = chrom, 0
        if chrom not in self.record_contigs:
            emit(P_RECORD_CONTIG, n, f"a record on {chrom}")
        if self.reference is not None and record.pos > 0 and REF_ALLELE.fullmatch(record.ref):
            fault = self.reference.fault(chrom, record.pos, record.ref)
            if fault:
                emit(P_REFERENCE, n, f"{chrom}:{record.pos} {fault}")
        if self.structural is not None:
            self.structural.judge(record)
        else:
            named = not_spelt(alt for alt in record.alts if not (self.gvcf and alt == NON_REF))
            if named:
                emit(S_ALLELE, n, f"{record.chrom}:{record.pos} ALT {named[:40]} in a file of spelt alleles")
        if self.gvcf:
            self._gvcf_record(record)
        else:
            self._vcf_record(record)
        if self.header.columns > 8:
            missing = [key for key in self.required_format if key not in record.format]
            if missing:
                emit(P_FORMAT, n, f"FORMAT lacks {', '.join(missing)}")
            unknown = [key for key in record.format if key not in self.header.format]
            if unknown:
                emit(P_FORMAT, n, f"FORMAT {unknown[0][:40]!r} is not declared")
        undeclared = [key for key in record.info if key not in self.header.info]
        if undeclared:
            emit(P_INFO, n, f"INFO {undeclared[0][:40]!r} is not declared")
        absent = [key for key in self.required_info if key not in record.info]
        if absent:
            emit(P_INFO_PRESENT, n, f"INFO lacks {', '.join(absent)}")
        self._ploidy(record)
        if self.copy_number is not None:
            self.copy_number.judge(record)
        if self.somatic_structural is not None:
            self.somatic_structural.judge(record)
        if self.somatic_copy_number is not None:
            self.somatic_copy_number.judge(record)
        if self.somatic is not None:
            self.somatic.judge(record)

    def finish(self) -> None:
        """Every rule that needs all records."""
        if self.structural is not None:
            self.structural.finish()

    def _vcf_record(self, record: Record) -> None:
        n, emit = record.line, self.emit
        if len(record.alts) > 1 and self.spec["split"]:
            emit(P_SPLIT, n, f"{record.chrom}:{record.pos} has {len(record.alts)} ALT alleles")
        elif len(record.alts) == 1 and self.spec["normal"]:
            fault = not_normal(record.pos, record.ref, record.alts[0])
            if fault:
                emit(P_NORMAL, n, f"{record.chrom}:{record.pos} {fault}")
        if record.filter == ".":
            emit(P_FILTER, n, "FILTER is '.': filters were not applied")
        else:
            unknown = [f for f in record.filter.split(";") if f != "PASS" and f not in self.header.filters]
            if unknown:
                emit(P_FILTER, n, f"FILTER {unknown[0][:40]!r} is not declared")

    def exact_duplicate(self, record: Record) -> bool:
        """Whether CHROM:POS:REF:ALT is in the file already; then it is this rule's, not the specification's."""
        if self.gvcf:
            return False
        if record.pos != self.here_pos or record.chrom != self.contig:
            self.here_pos = record.pos
            self.here.clear()
        key = (record.ref.upper(), ",".join(record.alts).upper())
        if self.structural is not None:
            # Alleles that are named alike differ by where they end; an insertion by how long it is.
            key = (key[0], f"{key[1]} {record.info.get('END')} {record.info.get('SVLEN')} {record.info.get('CT')}")
        if len(key[0]) + len(key[1]) > 400:
            key = (str(hash(key[0])), str(hash(key[1])))
        earlier = self.here.setdefault(key, record.line)
        if len(self.here) > 20_000:
            self.here.clear()
        if earlier == record.line:
            return False
        self.emit(P_DUPLICATE, record.line, f"{record.chrom}:{record.pos} is the same change as line {earlier}")
        return True

    def _gvcf_record(self, record: Record) -> None:
        n, emit = record.line, self.emit
        if record.alts[-1] != NON_REF:
            emit(G_NON_REF, n, f"{record.chrom}:{record.pos} the last ALT allele is not {NON_REF}")
        end = record.pos + len(record.ref) - 1
        text = record.info.get("END")
        if text is not None and INTEGER.fullmatch(text):
            end = int(text)
            length = self.header.contigs.get(record.chrom, {}).get("length")
            if length is not None and end > int(length):
                emit(G_END, n, f"{record.chrom}:{record.pos} END {end} lies beyond the contig")
        elif record.alts == [NON_REF]:
            emit(G_END, n, f"{record.chrom}:{record.pos} a reference block without END")
        gap = self.covered and record.pos > self.covered + 1
        if gap and not self._gap_of_n(record.chrom, self.covered, record.pos):
            emit(G_COVERAGE, n, f"{record.chrom}: nothing covers {self.covered + 1}-{record.pos - 1}")
        self.covered = max(self.covered, end)

    def _gap_of_n(self, chrom: str, covered: int, pos: int) -> bool:
        return self.reference is not None and self.reference.all_n(chrom, covered, pos - 1)

    def expected_ploidy(self, chrom: str, pos: int) -> int | None:
        """Ploidy that the profile wants of every column at a position, None where not judged.

        0 where nothing is right for all: on a contig that must be absent, or where the columns' sexes differ.
        """
        wanted = self._ploidies(chrom, pos)
        return wanted[0] if len(wanted) == 1 else 0

    def _ploidies(self, chrom: str, pos: int) -> list[int | None]:
        """Ploidy wanted of each column, once where all are alike."""
        role = self.role.get(chrom)
        if self.spec["ploidy"] == "any" or role not in ("autosome", "X", "Y"):
            return [None]
        if role == "autosome":
            return [2]
        in_par = any(start < pos <= end for start, end in self.profile.par(chrom))
        wanted = []
        for ploidy in self.sex_ploidies:
            copies = None if ploidy is None else ploidy[role]
            wanted.append((2 if role == "X" else None) if copies and in_par else copies)
        return wanted[:1] if len(set(wanted)) == 1 else wanted

    def _ploidy(self, record: Record) -> None:
        # What a symbolic allele stands for begins behind POS (VCF 4.2 section 3).
        behind = not self.gvcf and record.alts[0].startswith("<")
        wanted = self._ploidies(record.chrom, record.pos + behind)
        if wanted == [None] or record.format[:1] != ["GT"]:
            return
        if wanted == [0]:
            self.emit(P_PLOIDY, record.line, f"{record.chrom}:{record.pos} on a contig that this sex does not have")
            return
        for at, column in enumerate(record.samples):
            copies = wanted[at % len(wanted)]
            genotype = column.split(":", 1)[0]
            ploidy = genotype.count("/") + genotype.count("|") + 1
            missing = not genotype.strip("./|")
            if copies is None or genotype == "." or (copies == 0 and missing) or ploidy == copies:
                continue
            text = f"{record.chrom}:{record.pos} GT {genotype[:20]} has ploidy {ploidy}, not {copies}"
            self.emit(P_PLOIDY, record.line, text)
