"""Somatic structural variants: calls of a tumour beside its normal as records of the submission.

Places are those of the germline file (`structural.places`). There is no genotype: callers know two copies and no share
of tumour cells, so the reads and their share are given and filters say what they are worth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import pysam

from ngc_wgs import manta, structural

Support = tuple[int, int, int, int]
"""Read pairs for the reference and for the variant (DR, DV), reads over the junction for either (RR, RV)."""


def share(variant: int, reference: int) -> float | None:
    """Share of the reads that support the variant; None of no reads."""
    return variant / (variant + reference) if variant + reference else None


def fraction(reads: Support, precise: bool) -> float | None:
    """Share that supports the variant: of the reads over the junction where it is precise, else of the pairs."""
    return share(reads[3], reads[2]) if precise else share(reads[1], reads[0])


def filters(tumour: Support, normal: Support, precise: bool, weak: bool, limits: Mapping) -> set[str]:
    """Filters that the reads decide, and `weak_evidence`. limits: the profile's `somatic_structural`.

    What the normal has of either kind of reads counts against the variant: a tenth of the tumour's share is what the
    tumour's own cells in the normal may give.
    """
    own = fraction(tumour, precise) or 0.0
    theirs = max(share(normal[1], normal[0]) or 0.0, share(normal[3], normal[2]) or 0.0)
    depths = [sum(reads[2:]) if precise else sum(reads[:2]) for reads in (tumour, normal)]
    found = {
        "weak_evidence": weak,
        "low_fraction": own < limits["fraction"],
        "few_reads": min(depths) < limits["reads"],
        "in_normal": theirs > limits["normal_share"] * own,
    }
    return {name for name, there in found.items() if there}


def events(
    calls: Iterable[pysam.VariantRecord | manta.Call],
    tumour: str,
    normal: str,
    sex: str,
    profile,
    base: Callable[[str, int], str],
) -> list[structural.Event]:
    """Variants with their lines, columns normal and tumour, from one caller's calls.

    Left out is what is shorter than the germline file's least length, what touches a contig that the sex lacks, and
    what the shares of reads say is not the tumour's own, as `delly filter` leaves it out by the same limits.
    """
    spec, limits = profile.data["somatic_structural_vcf"], profile.data["somatic_structural"]
    on = profile.contigs(*spec["record_roles"])
    length, rank = {c["name"]: c["length"] for c in on}, {c["name"]: at for at, c in enumerate(on)}
    found: list[structural.Event] = []
    for call in calls:
        precise, by_manta = "IMPRECISE" not in call.info, isinstance(call, manta.Call)
        reads = {name: tuple(call.samples[name][key] for key in ("DR", "DV", "RR", "RV")) for name in (normal, tumour)}
        shares = {name: fraction(of_one, precise) for name, of_one in reads.items()}
        least, most = limits["reported_fraction"], limits["reported_normal"]
        if by_manta and ((shares[tumour] or 0) < least or (shares[normal] or 0) > most):
            continue
        support = [f"{key}={call.info.get(key, 0)}" for key in ("PE", "SR")]
        if by_manta:  # which tells of no mapping quality
            quality, score = ".", call.info["SOMATICSCORE"]
            support.append(f"SOMATICSCORE={score}")
            weak = score < limits["somatic_score"]
        else:
            quality = str(round(call.qual))
            support.append(f"MAPQ={call.info.get('MAPQ' if call.info.get('PE', 0) else 'SRMAPQ', 0)}")
            weak = int(quality) < limits["quality"]
        given = filters(reads[tumour], reads[normal], precise, weak, limits) | (set(call.filter) - {"PASS"})
        if structural.at_par_border(call, profile):
            given.add("ParBorder")
        ids = [item["id"] for key in ("filters", "manta_filters") for item in limits[key]]
        passed = ";".join(item for item in ids if item in given) or "PASS"
        own = structural.places(call, base, length)
        if any(profile.copies(place.chrom, place.pos + place.alt.startswith("<"), sex) == 0 for place in own):
            continue
        cells = [":".join([*map(str, reads[name]), _text(shares[name])]) for name in (normal, tumour)]
        made: list[structural.Line] = []
        for place in own:
            long = structural.size(place)
            if long is not None and long < profile.data["structural"]["minimum_length"]:
                continue
            fields = [place.chrom, str(place.pos), place.name, base(place.chrom, place.pos), place.alt, quality]
            fields += [passed, ";".join([*place.info, *support]), "DR:DV:RR:RV:AF", *cells]
            made.append((rank[place.chrom], place.pos, place.name, fields))
        if made:
            found.append(structural.event_of(call.info["SVTYPE"], sorted(made)))
    return found


def _text(value: float | None) -> str:
    return "." if value is None else f"{value:.3f}"


def report(lines: Sequence[str]) -> dict:
    """What the report shows of a tumour: passing variants by type and class of size, and how many have each filter.

    Of a breakend one of its two records counts.
    """
    counts: dict[str, dict[str, int]] = {}
    filtered: dict[str, int] = {}
    for line in lines:
        _, pos, name, _, _, _, passed, text, *_ = line.split("\t")
        info = dict(entry.split("=") for entry in text.split(";") if "=" in entry)
        if info["SVTYPE"] == "BND" and name > info["MATEID"]:
            continue
        if passed != "PASS":
            for item in passed.split(";"):
                filtered[item] = filtered.get(item, 0) + 1
            continue
        of_kind = counts.setdefault(info["SVTYPE"], {})
        long = abs(int(info.get("SVLEN", int(info.get("END", pos)) - int(pos))))
        size = structural.class_of(info["SVTYPE"], long)
        of_kind[size] = of_kind.get(size, 0) + 1
    return {"counts": counts, "filtered": filtered}
