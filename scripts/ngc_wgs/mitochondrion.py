"""What a sample's report tells of its mitochondrion: depth along the contig, variants with their heteroplasmy."""

from __future__ import annotations

from collections.abc import Iterable

BINS = 100
"""Points of the coverage plot, at most."""
LOW_ONLY = {"low_heteroplasmy", "mt_many_low_hets"}


def depths(lines: Iterable[str], contig: str, length: int, ends: int) -> list[int]:
    """Depth of each base, from `samtools depth -a` of the contig as it is and turned by half (as `CONTIG_shifted`).

    Within `ends` bases of either end the turned one counts: there reads lie across the origin.
    """
    found = [0] * length
    for line in lines:
        name, pos, depth = line.rstrip("\n").split("\t")
        turned = name != contig
        at = (int(pos) - 1 + turned * (length // 2)) % length
        if turned == (at < ends or at >= length - ends):
            found[at] = int(depth)
    return found


def summary(sample: str, found: list[int], variants: Iterable[dict]) -> dict:
    """sample, length, mean depth, the mean depth of each `step` bases, and the variants.

    variants: pos, ref, alt, fraction, depth, genotype (`1` is homoplasmic), filters. low: how many of them have a low
    fraction and no other filter; contaminated: whether these are more than one person has.
    """
    variants = list(variants)
    step = -(-len(found) // BINS)
    bins = [found[at : at + step] for at in range(0, len(found), step)]
    return {
        "sample": sample,
        "length": len(found),
        "mean_depth": round(sum(found) / len(found), 1),
        "step": step,
        "depths": [round(sum(values) / len(values), 1) for values in bins],
        "variants": variants,
        "low": sum({"low_heteroplasmy"} <= set(item["filters"]) <= LOW_ONLY for item in variants),
        "contaminated": any("mt_many_low_hets" in item["filters"] for item in variants),
    }
