"""Copy number from read depth: bins, copies of segments and of whole chromosomes, and the VCF that says so.

Depths are mosdepth's; GATK corrects them for GC and cuts them into segments. Intervals are 0-based half-open. A copy
ratio is the depth over that of two copies of the autosomes, so 1 is two copies, 0.5 one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pysam

from ngc_wgs import regions
from ngc_wgs.regions import Interval

SCALE = 10
"""Bases of reads that make one of the counts that GATK is given: whole numbers, fine enough for a bin of few reads."""
MOST_POINTS = 600
"""Points of a sample's profile in the report."""
SEX_NAMES = {"X": "monosomy X (X0)", "XXX": "trisomy X (XXX)", "XXY": "XXY", "XYY": "XYY"}
NAMES = {0: "nullisomy", 1: "monosomy", 3: "trisomy", 4: "tetrasomy"}
NINETY = 1.645
"""Standard deviations to either side that hold 90 % of a normal distribution."""
OF_MEDIAN = 1.2533
"""Error of a median over that of a mean, for normal values: the square root of pi / 2."""


# ---- bins ----------------------------------------------------------------------------------


def bins(intervals: Iterable[Interval], profile, length: int) -> list[Interval]:
    """Bins of exactly `length` bp inside the intervals; what is left over at an interval's end is in none.

    None lies across the end of a pseudoautosomal region, nor in those of Y, whose reads lie on X.
    """
    of_x_and_y = [contig["name"] for contig in profile.contigs("X", "Y")]
    edges = [(name, place) for name in of_x_and_y for par in profile.par(name) for place in par]
    masked = [(c["name"], *par) for c in profile.contigs("Y") for par in profile.par(c["name"])]
    whole = regions.subtract(regions.joined(intervals), masked)
    return [part for part in regions.windows(whole, length, edges) if part[2] - part[1] == length]


def gc_contents(fasta: str, wanted: Iterable[Interval]) -> Iterator[float]:
    """Share of G and C in each interval, in order."""
    name, sequence = "", ""
    with pysam.FastaFile(fasta) as reference:
        for contig, start, end in wanted:
            if contig != name:
                name, sequence = contig, reference.fetch(contig).upper()
            yield (sequence.count("G", start, end) + sequence.count("C", start, end)) / (end - start)


def write_gatk(
    path: Path, dictionary: str, column: str, rows: Iterable[tuple[Interval, object]], sample: str = ""
) -> None:
    """A table as GATK's copy-number tools read it: SAM header, then CONTIG, START, END (1-based) and `column`.

    dictionary: text of the reference's .dict; of its @SQ lines only name and length are kept.
    """
    with path.open("w") as out:
        out.write("@HD\tVN:1.6\tSO:coordinate\n")
        for line in dictionary.splitlines():
            if line.startswith("@SQ"):
                out.write("\t".join(f for f in line.split("\t") if f == "@SQ" or f[:3] in ("SN:", "LN:")) + "\n")
        if sample:
            out.write(f"@RG\tID:GATKCopyNumber\tSM:{sample}\n")
        out.write(f"CONTIG\tSTART\tEND\t{column}\n")
        for (contig, start, end), value in rows:
            out.write(f"{contig}\t{start + 1}\t{end}\t{value}\n")


# ---- depths of a sample --------------------------------------------------------------------


@dataclass
class Depths:
    """A sample's bins, in the order of the reference.

    contig, start, end: of each bin. depth: by uniquely placed reads (x). mappable: whether nearly all of its reads are.
    expected: copies that the sample should have there. autosomal: whether it lies on one.
    """

    contig: np.ndarray
    start: np.ndarray
    end: np.ndarray
    depth: np.ndarray
    mappable: np.ndarray
    expected: np.ndarray
    autosomal: np.ndarray

    @property
    def level(self) -> float:
        """Median depth of the mappable bins of autosomes; 0 of none."""
        own = self.depth[self.autosomal & self.mappable]
        return float(np.median(own)) if len(own) else 0.0


def read_depths(everything: str, unique: str, profile, sex: str) -> Depths:
    """Depths from two `regions.bed.gz` of mosdepth over the same bins: of all reads, and of those placed uniquely.

    Raises ValueError where the two differ in their bins.
    """
    schema = {"contig": pl.String, "start": pl.Int64, "end": pl.Int64, "depth": pl.Float64}
    columns = list(schema)
    both = [
        pl.read_csv(path, separator="\t", has_header=False, schema=schema, raise_if_empty=False)
        for path in (everything, unique)
    ]
    if not both[0].select(columns[:3]).equals(both[1].select(columns[:3])):
        raise ValueError(f"{everything} and {unique} have other bins")
    contig, start, end, depth = (both[1][column].to_numpy() for column in columns)
    total = both[0]["depth"].to_numpy()
    roles = {item["name"]: item["role"] for item in profile.contigs()}
    autosomal = np.isin(contig, [name for name, role in roles.items() if role == "autosome"])
    limits = profile.data["copy_number"]
    usual = float(np.median(total[autosomal])) if autosomal.any() else 0.0
    # Where hardly any read lies, as in a deletion, a share of them says nothing.
    mappable = (depth >= limits["mappable"] * total) | (total < 0.1 * usual)
    found = Depths(contig, start, end, depth, mappable, np.full(len(contig), 2), autosomal)
    copies = expected_copies(found, profile, sex)
    for role in ("X", "Y"):
        for item in profile.contigs(role):
            here = contig == item["name"]
            found.expected[here] = copies[role]
            for par_start, par_end in profile.par(item["name"]):
                found.expected[here & (start >= par_start) & (start < par_end)] = copies["X"] + copies["Y"]
    return found


def expected_copies(depths: Depths, profile, sex: str) -> dict[str, int]:
    """Copies of X and Y that the sample should have: its sex's, or as measured where the sheet tells no sex."""
    declared = profile.ploidy(sex)
    if sex in ("female", "male"):
        return declared
    found = {role: _copies(depths, profile, role) for role in ("X", "Y")}
    return {role: declared[role] if value is None else round(value) for role, value in found.items()}


def _copies(depths: Depths, profile, role: str) -> float | None:
    """Median copies of X or Y outside the pseudoautosomal regions; None where no depth tells."""
    here = depths.mappable & np.isin(depths.contig, [item["name"] for item in profile.contigs(role)])
    for item in profile.contigs(role):
        for start, end in profile.par(item["name"]):
            here &= ~((depths.contig == item["name"]) & (depths.start >= start) & (depths.start < end))
    return 2 * float(np.median(depths.depth[here])) / depths.level if here.any() and depths.level else None


def counts(depths: Depths) -> np.ndarray:
    """Counts for GATK, as if there were two copies wherever some are expected.

    So X, Y and the pseudoautosomal regions are like autosomes to its medians, and to a panel of both sexes.
    """
    length = depths.end - depths.start
    return np.rint(depths.depth * length / SCALE * 2 / np.where(depths.expected, depths.expected, 2)).astype(np.int64)


def noise(ratio: np.ndarray, contig: np.ndarray) -> float:
    """Standard deviation of a bin's copy ratio, from the differences of neighbours: changes of copy number are few."""
    same = contig[1:] == contig[:-1]
    steps = np.abs(np.diff(ratio)[same])
    return float(1.4826 * np.median(steps) / math.sqrt(2)) if len(steps) else math.inf


def too_little(depths: Depths, limits: Mapping) -> str | None:
    """Why nothing can be called, None where it can."""
    own = depths.autosomal & depths.mappable
    if own.sum() < limits["minimum_autosome_bins"]:
        return f"{own.sum()} usable bins on autosomes, fewer than {limits['minimum_autosome_bins']}"
    if not depths.level:
        return "no depth on the autosomes"
    spread = noise(depths.depth[own] / depths.level, depths.contig[own])
    if spread > limits["maximum_noise"]:
        return f"the depth of a bin varies by {100 * spread:.0f} %, more than {100 * limits['maximum_noise']:.0f} %"
    return None


# ---- copies --------------------------------------------------------------------------------


def rounded(ratio: float) -> int:
    """Copies that a copy ratio means, halves upwards."""
    return math.floor(2 * ratio + 0.5)


@dataclass(frozen=True)
class Call:
    """A stretch of one copy number. ratio: copy ratio; low, high: its 90 % interval; part_of: an aneuploidy's name."""

    contig: str
    start: int
    end: int
    bins: int
    expected: int
    ratio: float
    low: float
    high: float
    part_of: str = ""

    @property
    def copies(self) -> int:
        """Copies, rounded."""
        return rounded(self.ratio)

    @property
    def kind(self) -> str:
        return "DEL" if self.copies < self.expected else "DUP"


@dataclass(frozen=True)
class Chromosome:
    """A chromosome outside the pseudoautosomal regions. share: of its bins that lie in stretches of these copies."""

    contig: str
    bins: int
    expected: int
    ratio: float
    error: float
    share: float

    @property
    def copies(self) -> int:
        """Copies, rounded."""
        return rounded(self.ratio)


def read_table(path: str) -> pl.DataFrame:
    """A table of GATK's copy-number tools without its SAM header."""
    texts = {"CONTIG": pl.String, "CALL": pl.String}
    return pl.read_csv(path, separator="\t", comment_prefix="@", schema_overrides=texts)


def copy_ratios(depths: Depths, denoised: pl.DataFrame) -> np.ndarray:
    """Copy ratio of each bin from GATK's denoised log2 ratios, 1 the autosomes' median; NaN where GATK left it out.

    Of bins where no copy is expected it is the bare depth: GATK was given no two copies of them.
    """
    given = pl.DataFrame(
        {"CONTIG": depths.contig, "START": depths.start + 1}, schema={"CONTIG": pl.String, "START": pl.Int64}
    )
    joined = given.join(
        denoised.select("CONTIG", "START", "LOG2_COPY_RATIO"), on=["CONTIG", "START"], how="left", maintain_order="left"
    )
    ratio = np.exp2(joined["LOG2_COPY_RATIO"].cast(pl.Float64).fill_null(math.nan).to_numpy())
    ratio = ratio / np.nanmedian(ratio[depths.autosomal & depths.mappable]) * depths.expected / 2
    return np.where(depths.expected == 0, depths.depth / depths.level, ratio)


def stretches(depths: Depths, ratio: np.ndarray, segments: pl.DataFrame, gap: int) -> list[Call]:
    """Runs of bins of one copy number where some copy is expected, those as expected included.

    segments: GATK's. They are cut where the expected copies change and at `gap` bp without a bin, then those of equal
    copies side by side are joined. The interval of a ratio is that of a median under the sample's noise, which grows
    with the root of the depth.
    """
    used = np.flatnonzero(depths.mappable & (depths.expected > 0) & ~np.isnan(ratio))
    own = used[depths.autosomal[used]]
    spread = noise(ratio[own], depths.contig[own])
    starts: dict[str, np.ndarray] = {
        str(name[0]): part["START"].to_numpy() - 1 for name, part in segments.group_by("CONTIG", maintain_order=True)
    }
    groups: list[list[int]] = []
    before = None
    for at in used.tolist():
        contig = depths.contig[at]
        segment = int(np.searchsorted(starts.get(contig, np.array([])), depths.start[at], side="right"))
        key = (contig, segment, depths.expected[at])
        if groups and key == before and depths.start[at] - depths.end[groups[-1][-1]] < gap:
            groups[-1].append(at)
        else:
            groups.append([at])
        before = key

    def call(members: list[int]) -> Call:
        middle = float(np.median(ratio[members]))
        error = NINETY * OF_MEDIAN * spread * math.sqrt(max(middle, 0.05)) / math.sqrt(len(members))
        first, last = members[0], members[-1]
        return Call(
            str(depths.contig[first]), int(depths.start[first]), int(depths.end[last]), len(members),
            int(depths.expected[first]), middle, max(0.0, middle - error), middle + error,
        )  # fmt: skip

    joined: list[tuple[Call, list[int]]] = []
    for members in groups:
        found = call(members)
        if joined:
            last, theirs = joined[-1]
            alike = (last.contig, last.expected, last.copies) == (found.contig, found.expected, found.copies)
            if alike and found.start - last.end < gap:
                joined[-1] = (call(theirs + members), theirs + members)
                continue
        joined.append((found, members))
    return [found for found, _ in joined]


def chromosomes(depths: Depths, ratio: np.ndarray, found: Sequence[Call], profile) -> list[Chromosome]:
    """Autosomes, X and Y that have usable bins, with the median of their copy ratios."""
    own = depths.autosomal & depths.mappable & ~np.isnan(ratio)
    spread = noise(ratio[own], depths.contig[own])
    made = []
    for item in profile.contigs("autosome", "X", "Y"):
        name = item["name"]
        here = (depths.contig == name) & depths.mappable & ~np.isnan(ratio)
        for start, end in profile.par(name):
            here &= ~((depths.start >= start) & (depths.start < end))
        if not here.any():
            continue
        middle = float(np.median(ratio[here]))
        copies = rounded(middle)
        inside = np.zeros(len(here), dtype=bool)
        for call in found:
            if call.contig == name and call.copies == copies:
                inside |= here & (depths.start >= call.start) & (depths.end <= call.end)
        expected = int(depths.expected[here][0])
        share = 1.0 if not expected else float(inside.sum() / here.sum())
        error = OF_MEDIAN * spread * math.sqrt(max(middle, 0.05)) / math.sqrt(here.sum())
        made.append(Chromosome(name, int(here.sum()), expected, middle, error, share))
    return made


def aneuploidies(found: Sequence[Chromosome], profile, limits: Mapping) -> dict[tuple[str, ...], str]:
    """Name of each whole-chromosome aneuploidy by the contigs that it is of.

    A chromosome counts where at least `aneuploidy_share` of its bins have the copies of its median.
    """
    roles = {item["name"]: item["role"] for item in profile.contigs()}
    named: dict[tuple[str, ...], str] = {}
    for item in found:
        if roles[item.contig] == "autosome" and item.copies != 2 and item.share >= limits["aneuploidy_share"]:
            named[(item.contig,)] = f"{NAMES.get(item.copies, f'{item.copies} copies of')} {item.contig}"
    sexual = [item for item in found if roles[item.contig] in ("X", "Y")]
    if any(item.share < limits["aneuploidy_share"] for item in sexual) or {roles[i.contig] for i in sexual} != {
        "X",
        "Y",
    }:
        return named
    karyotype = "".join(sorted(roles[item.contig] * item.copies for item in sexual))
    if karyotype not in ("XX", "XY"):
        named[tuple(item.contig for item in sexual)] = SEX_NAMES.get(karyotype, karyotype or "neither X nor Y")
    return named


def named(found: Iterable[Call], whole: Iterable[Chromosome], aneuploid: Mapping[tuple[str, ...], str]) -> list[Call]:
    """Calls other than expected; those that go the way of their chromosome's aneuploidy have its name."""
    ways = {item.contig: item.copies - item.expected for item in whole}
    told = {}
    for contigs, name in aneuploid.items():
        # The pseudoautosomal regions of X have the copies of X and Y together.
        together = sum(ways[contig] for contig in contigs)
        for contig in contigs:
            told[contig] = name, "DUP" if (ways[contig] or together) > 0 else "DEL"
    return [
        replace(call, part_of=told[call.contig][0] if told.get(call.contig, ("", ""))[1] == call.kind else "")
        for call in found
        if call.copies != call.expected
    ]


# ---- what is written -----------------------------------------------------------------------


def filters(call: Call, limits: Mapping) -> list[str]:
    """Filters of a call, none where it passes."""
    edge = (call.expected - 0.5 if call.kind == "DEL" else call.expected + 0.5) / 2
    near = call.low <= edge <= call.high
    return ["few_bins"] * (call.bins < limits["minimum_bins"]) + ["near_expected"] * near


def genotype(call: Call, ploidy: int) -> str:
    """What VCF 4.2 can say: which of the homologues are changed, a dot for one of which it is not known."""
    if call.copies == 0:
        return "/".join("1" * ploidy)
    if ploidy == 1:
        return "1"
    return "0/1" if abs(call.copies - call.expected) == 1 else "./1"


def record(call: Call, base: str, ploidy: int, bin_length: int, limits: Mapping) -> str:
    """A VCF line. base: of the reference at the position before the call (its own first where it begins the contig)."""
    pos = max(call.start, 1)
    length = call.end - pos
    info = [
        "IMPRECISE",
        f"SVTYPE={call.kind}",
        f"END={call.end}",
        f"SVLEN={-length if call.kind == 'DEL' else length}",
        f"CIPOS=-{bin_length},{bin_length}",
        f"CIEND=-{bin_length},{bin_length}",
    ]
    if call.part_of:
        info.append(f"ANEUPLOIDY={call.part_of.replace(' ', '_')}")
    values = [
        genotype(call, ploidy),
        str(call.copies),
        str(call.expected),
        f"{call.ratio:.3f}",
        f"{call.low:.3f},{call.high:.3f}",
        str(call.bins),
    ]
    passed = ";".join(filters(call, limits)) or "PASS"
    place = f"{call.contig}\t{pos}\t.\t{base}\t<{call.kind}>\t.\t{passed}"
    return f"{place}\t{';'.join(info)}\tGT:CN:ECN:CR:CRCI:BINS\t{':'.join(values)}\n"


def points(depths: Depths, ratio: np.ndarray, most: int = MOST_POINTS) -> dict[str, list[list[float]]]:
    """The profile for a plot: per contig [position (Mb), copies], medians of as many bins as keep it to `most`."""
    used = np.flatnonzero(depths.mappable & ~np.isnan(ratio))
    # Every contig may end with an incomplete group.
    contigs = list(dict.fromkeys(depths.contig[used].tolist()))
    size = -(-len(used) // max(1, most - len(contigs)))
    made = {}
    for name in contigs:
        own = used[depths.contig[used] == name]
        groups = [own[at : at + size] for at in range(0, len(own), size)]
        made[name] = [
            [round(float(depths.start[g].mean()) / 1e6, 4), round(2 * float(np.median(ratio[g])), 3)] for g in groups
        ]
    return made


def document(depths: Depths, ratio: np.ndarray, whole: Sequence[Chromosome], aneuploid: Mapping, calls: Sequence[Call],
             bin_length: int, limits: Mapping) -> dict:  # fmt: skip
    """What the report shows of a sample: noise, chromosomes, aneuploidies, calls by type and filter, the profile."""
    own = depths.autosomal & depths.mappable & ~np.isnan(ratio)
    return {
        "bin": bin_length,
        "bins": len(depths.contig),
        "mappable_bins": int(depths.mappable.sum()),
        "noise": round(noise(ratio[own], depths.contig[own]), 4),
        "chromosomes": [
            {
                "contig": item.contig,
                "bins": item.bins,
                "expected": item.expected,
                "copies": round(2 * item.ratio, 3),
                "error": round(2 * item.error, 3),
            }
            for item in whole
        ],
        "aneuploidies": [{"name": name, "contigs": list(contigs)} for contigs, name in aneuploid.items()],
        "calls": [
            {
                "contig": call.contig,
                "start": call.start,
                "end": call.end,
                "type": call.kind,
                "copies": call.copies,
                "expected": call.expected,
                "filters": filters(call, limits),
            }
            for call in calls
        ],
        "points": points(depths, ratio),
    }
