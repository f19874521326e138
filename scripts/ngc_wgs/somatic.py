"""Tumours: the resources of the somatic caller, and how a tumour and its normal stand to each other.

Counts are reads. Limits are the profile's (`parameters` of the metric). A measured value is {value, denominator, error,
reason}; what cannot be told says why and is never an agreement.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pysam

from ngc_wgs.identity import measured, read_fai

LOOKED_AT = 1_000
"""Records of a resource whose REF is held against the reference."""
PANEL, RESOURCE = "panel_of_normals", "germline_resource"
MENDS = {
    PANEL: "name a panel of normals made on the reference of this run (docs/operators.md), or write null",
    RESOURCE: "name a VCF with INFO/AF made on the reference of this run, or write null",
}
NORMAL_LOD = 2.2
"""Mutect2 leaves an allele out where the normal's log10 odds of not having it are below this (--normal-lod)."""
REFERENCE_ODDS, ALTERNATIVE_ODDS = math.log10(2), 3.3
"""What a read of the normal adds to those odds, and what one with the allele takes off (base quality 30 to 37)."""


# ---- resources -------------------------------------------------------------------------------


def resource_faults(resources: Mapping[str, str | None], fasta: str) -> list[str]:
    """Why the somatic resources of the configuration cannot serve: one line each with its mend.

    resources: path by key of `somatic`. A resource of another build, one without records, and a germline resource
    without allele frequencies are told.
    """
    lengths = read_fai(f"{fasta}.fai")
    found = []
    with pysam.FastaFile(fasta) as reference:
        for key, path in resources.items():
            if path and (fault := _fault(key, path, lengths, reference)):
                found.append(f"config: somatic.{key}: {path}: {fault}. Mend: {MENDS[key]}.")
    return found


def _fault(key: str, path: str, lengths: Mapping[str, int], reference: pysam.FastaFile) -> str | None:
    verbosity = pysam.set_verbosity(0)
    try:
        with pysam.VariantFile(path) as vcf:
            if key == RESOURCE and "AF" not in vcf.header.info:
                return "has no INFO/AF"
            for contig in vcf.header.contigs.values():
                if contig.name in lengths and contig.length not in (None, lengths[contig.name]):
                    return f"another build: {contig.name} has {contig.length} bp there and {lengths[contig.name]} here"
            seen = with_frequency = 0
            for record in vcf:
                if record.chrom not in lengths:
                    continue
                seen += 1
                with_frequency += "AF" in record.info
                base = reference.fetch(record.chrom, record.start, record.start + len(record.ref)).upper()
                if record.ref and base != record.ref.upper() and "N" not in base:
                    return f"another build: REF of {record.chrom}:{record.pos} is not the reference's sequence there"
                if seen == LOOKED_AT:
                    break
    except (OSError, ValueError) as error:
        return f"cannot be read as a VCF ({str(error).splitlines()[0]})"
    finally:
        pysam.set_verbosity(verbosity)
    if not seen:
        return "has no record on a contig of the reference"
    return "has no INFO/AF in its records" if key == RESOURCE and not with_frequency else None


# ---- tumour and normal -----------------------------------------------------------------------


class Candidate(NamedTuple):
    """A somatic SNV: reads with the allele and all reads, of the tumour and of the normal, and whether it passes."""

    tumour_alt: int
    tumour_depth: int
    normal_alt: int
    normal_depth: int
    passes: bool


def candidates(vcf: str, tumour: str, normal: str) -> Iterator[Candidate]:
    """SNVs of a somatic VCF that pass, or that only the normal speaks against (normal_artifact)."""
    with pysam.VariantFile(vcf) as records:
        for record in records:
            filters = set(record.filter) - {"PASS"}
            if filters <= {"normal_artifact"} and len(record.ref) == len(record.alts[0]) == 1:
                counts = [record.samples[name]["AD"] for name in (tumour, normal)]
                (ref, alt), (normal_ref, normal_alt) = counts
                yield Candidate(alt, ref + alt, normal_alt, normal_ref + normal_alt, not filters)


def most_reads(depth: int) -> int:
    """Most reads with the allele that a normal of this depth may have before Mutect2 leaves it out; -1: none at all."""
    return math.floor((depth * REFERENCE_ODDS - NORMAL_LOD) / (REFERENCE_ODDS + ALTERNATIVE_ODDS))


def tumour_in_normal(found: Iterable[Candidate], limits: Mapping[str, Any]) -> dict[str, Any]:
    """Measured share of the normal's reads that come of the tumour sample, by the alleles of the tumour alone.

    Of an allele at fraction f in the tumour, a normal with a share t of it has t * f. Mutect2 leaves out an allele of
    which the normal has too many reads (`most_reads`), so the likelihood of the counts is that of a binomial cut off
    there. What is as frequent in the normal as in the tumour for another reason, an artefact of both, is a second part
    of the mixture, whose share is fitted beside t. The error is half the width where the log likelihood falls by 0.5.
    """
    import numpy as np

    used = [
        one
        for one in found
        if one.tumour_alt >= limits["minimum_alt_reads"]
        and one.tumour_alt >= limits["minimum_fraction"] * one.tumour_depth
        and one.normal_depth >= 1
        and one.normal_alt <= most_reads(one.normal_depth)
        and most_reads(one.normal_depth) >= 1
    ]
    if len(used) < limits["minimum_sites"]:
        reason = f"{len(used)} alleles of the tumour alone, {limits['minimum_sites']} are needed"
        return measured(None, len(used), None, reason)
    fraction = np.array([one.tumour_alt / one.tumour_depth for one in used])
    depth = np.array([one.normal_depth for one in used])
    alt = np.array([one.normal_alt for one in used])
    most = np.array([most_reads(one.normal_depth) for one in used])

    def likelihoods(share: float):
        chance = np.clip(share * fraction + limits["base_error"] * (1 - share * fraction), 1e-9, 1 - 1e-9)
        term = (1 - chance) ** depth
        total, at = term.copy(), np.where(alt == 0, term, 0.0)
        for count in range(1, int(most.max()) + 1):
            term = term * (depth - count + 1) / count * chance / (1 - chance)
            term = np.where(depth >= count, term, 0.0)
            total += np.where(count <= most, term, 0.0)
            at = np.where(alt == count, term, at)
        return np.maximum(at, 1e-300) / np.maximum(total, 1e-300)

    shares = np.linspace(0, 1, 501)
    artefacts = np.linspace(0, 0.5, 26)[:, None]
    as_artefact = likelihoods(1.0)
    curve = np.array(
        [np.log((1 - artefacts) * likelihoods(t) + artefacts * as_artefact).sum(axis=1).max() for t in shares]
    )
    best = int(curve.argmax())
    near = shares[curve >= curve[best] - 0.5]
    value, error = float(shares[best]), max(float(near[-1] - near[0]) / 2, 0.001)
    reason = f"by {len(used)} alleles of the tumour alone, {int((alt > 0).sum())} of them in the normal"
    if error > limits["maximum_error"] and value - error <= limits["error_at"]:
        reason = f"estimate {value:.3f} with error {error:.3f}, more than {limits['maximum_error']}: {reason}"
        return measured(None, len(used), round(error, 6), reason)
    return measured(round(value, 6), len(used), round(error, 6), reason)


Counts = Mapping[tuple[str, int], tuple[int, int]]
"""Contig and position -> reads with REF and with ALT."""


def read_allelic_counts(lines: Iterable[str]) -> dict[tuple[str, int], tuple[int, int]]:
    """Counts of a table of CollectAllelicCounts; none of an empty one."""
    rows = (line.rstrip("\n").split("\t") for line in lines if not line.startswith(("@", "CONTIG")))
    return {(row[0], int(row[1])): (int(row[2]), int(row[3])) for row in rows}


def order(found: Sequence[Candidate], tumour: Counts, normal: Counts, limits: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the tumour is the one with alleles of its own (1), or the sample called normal is (0): swapped.

    tumour, normal: counts at the SNVs at which the normal is heterozygous. An allele of the normal alone is ALT there
    without a read of the tumour. A tumour that lost one of two copies lacks REF as often as ALT, so as many as lack REF
    are taken off.
    """
    least = limits["minimum_depth"]
    own = sum(
        one.passes
        and one.normal_alt == 0
        and min(one.tumour_depth, one.normal_depth) >= least
        and one.tumour_alt >= limits["minimum_fraction"] * one.tumour_depth
        for one in found
    )
    lacks_ref = lacks_alt = 0
    for place, (ref, alt) in normal.items():
        of_tumour = tumour.get(place, (0, 0))
        balanced = ref + alt >= least and min(ref, alt) >= limits["minimum_fraction"] * (ref + alt)
        if balanced and sum(of_tumour) >= least:
            lacks_ref += of_tumour[0] == 0
            lacks_alt += of_tumour[1] == 0
    others = max(0, lacks_alt - lacks_ref)
    error = math.sqrt(own + lacks_ref + lacks_alt)
    reason = f"{own} alleles of the tumour alone, {others} of the normal alone"
    seen = own + others
    if seen < limits["minimum_sites"] or abs(own - others) <= limits["errors"] * error:
        return measured(None, seen, None, f"{reason}: too few or too even to tell whether the two are swapped")
    if own > others:
        return measured(1.0, seen, None, reason)
    return measured(0.0, seen, None, f"{reason}: tumour and normal are swapped")
