"""Intake of FASTQ pairs: what is accepted, and each way to be refused with its code and message."""

import gzip
import hashlib
import threading
import tracemalloc
from pathlib import Path

import pytest

from ngc_wgs import intake
from ngc_wgs.intake import estimate_disk, free_disk, inspect_unit, judge_case, unit_id

UNIT = {"sample": "NA00000001", "library": "LIB1", "flowcell": "HFLOW1XX", "lane": "3"}
SEQUENCE, QUALITY = "ACGTN", "IIII#"


def name(number: int, flowcell: str = "HFLOW1XX", lane: str = "3") -> str:
    return f"A00296:43:{flowcell}:{lane}:1101:{number}:1046"


def fastq(names, sequence: str = SEQUENCE, quality: str = QUALITY) -> bytes:
    return "".join(f"@{n}\n{sequence}\n+\n{quality}\n" for n in names).encode()


def mates(read: int, count: int = 10, **where: str) -> bytes:
    return fastq(f"{name(i, **where)} {read}:N:0:ACGT" for i in range(1, count + 1))


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def inspect(request, tmp_path):
    """Judge two texts (or already compressed bytes) as R1 and R2 of UNIT."""

    def judge(one: bytes, two: bytes, raw: bool = False, **unit: str) -> dict:
        paths = []
        for read, content in enumerate((one, two), start=1):
            path = tmp_path / f"R{read}.fastq.gz"
            path.write_bytes(content if raw else gzip.compress(content))
            paths.append(path)
        return inspect_unit(UNIT | unit, *paths, threads=request.param)

    return judge


def codes(report: dict) -> list[str]:
    return [finding["code"] for finding in report["findings"]]


def only(report: dict, code: str) -> dict:
    """The report's only finding, which is of this code, in a refused unit."""
    assert codes(report) == [code]
    assert report["status"] == "refused"
    assert report["findings"][0]["mend"]
    return report["findings"][0]


# ---- accepted ------------------------------------------------------------------------------


def test_accepts_a_good_pair_and_measures_it(inspect, tmp_path):
    one, two = mates(1), mates(2)
    report = inspect(one, two)
    assert report == {
        "unit": "NA00000001.LIB1.HFLOW1XX.L3",
        "sample": "NA00000001",
        "status": "accepted",
        "findings": [],
        "pairs": 10,
        "bases": 100,
        "q30_bases": 80,
        "pct_q30": 80.0,
        "mean_read_length": 5.0,
        "read_length_min": 5,
        "read_length_max": 5,
        "names": "MATCH",
        "fastq": [
            {
                "read": read,
                "mtime_ns": path.stat().st_mtime_ns,
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "reads": 10,
                "content_sha256": hashlib.sha256(text).hexdigest(),
            }
            for read, text, path in ((1, one, tmp_path / "R1.fastq.gz"), (2, two, tmp_path / "R2.fastq.gz"))
        ],
    }


def test_counts_every_block_and_a_last_one_that_is_not_full(inspect):
    count = 2 * intake.BLOCK_RECORDS + 7
    report = inspect(mates(1, count), mates(2, count))
    assert (report["status"], report["pairs"], report["bases"]) == ("accepted", count, 2 * 5 * count)


def test_reports_shortest_longest_and_mean_read_length(inspect):
    one = fastq([name(1)], "ACGT", "IIII") + fastq([name(2)], "A", "I")
    report = inspect(one, fastq([name(1), name(2)], "ACGTACG", "IIIIIII"))
    assert (report["read_length_min"], report["read_length_max"]) == (1, 7)
    assert report["mean_read_length"] == pytest.approx(19 / 4)


@pytest.mark.parametrize("flowcell", ["HFLOW1XX", "000000000-BFFCT"])
@pytest.mark.parametrize("suffix", ["", "/{read}", " {read}:N:0:ACGT", " {read}:Y:18:1", ":ACGT+TTTT {read}:N:0:A"])
def test_finds_flowcell_and_lane_in_every_usual_form_of_name(inspect, suffix, flowcell):
    texts = [
        fastq((name(i, flowcell) + suffix.format(read=read) for i in range(1, 4)), sequence)
        for read, sequence in ((1, "ACGTN"), (2, "TTTTN"))
    ]
    report = inspect(*texts, flowcell=flowcell)
    assert (report["status"], report["names"], report["pairs"]) == ("accepted", "MATCH", 3)


def test_finds_flowcell_and_lane_behind_an_archives_accession(inspect):
    texts = [fastq(f"ERR000001.{i} {name(i)}/{read}" for i in range(1, 4)) for read in (1, 2)]
    assert inspect(*texts)["names"] == "MATCH"
    assert set(codes(inspect(*texts, lane="4"))) == {"LANE_MISMATCH"}


@pytest.mark.parametrize(
    "form", ["SRR1234567.{i}", "ERR2438055.{i}/{read}", "SRR1234567.{i} {i} length=5", "C09D:3:2201:2543:{i}/{read}"]
)
def test_accepts_renamed_reads_and_says_so(inspect, form):
    texts = [
        fastq((form.format(i=i, read=read) for i in range(1, 1500)), sequence)
        for read, sequence in ((1, "ACGTN"), (2, "TTTTN"))
    ]
    report = inspect(*texts)
    assert (report["status"], report["names"]) == ("accepted", "NOT_IN_NAMES")


@pytest.mark.parametrize("change", [lambda t: t.replace(b"\n", b"\r\n"), lambda t: t[:-1]], ids=["CRLF", "no last LF"])
def test_accepts_other_line_ends(inspect, change):
    assert inspect(change(mates(1)), change(mates(2)))["status"] == "accepted"


def test_accepts_a_file_of_several_gzip_members_and_zero_padding(inspect):
    one = gzip.compress(mates(1, 5)) + gzip.compress(mates(1, 10)[len(mates(1, 5)) :]) + bytes(512)
    report = inspect(one, gzip.compress(mates(2)), raw=True)
    assert (report["status"], report["pairs"]) == ("accepted", 10)


def test_names_of_the_unit_are_those_of_the_read_group():
    assert unit_id(UNIT) == "NA00000001.LIB1.HFLOW1XX.L3"


def test_paths_with_spaces_work(tmp_path):
    folder = tmp_path / "a folder"
    folder.mkdir()
    for read in (1, 2):
        (folder / f"R {read}.fastq.gz").write_bytes(gzip.compress(mates(read)))
    assert inspect_unit(UNIT, folder / "R 1.fastq.gz", folder / "R 2.fastq.gz")["status"] == "accepted"


# ---- files that cannot be read --------------------------------------------------------------


def test_refuses_a_missing_file_and_still_judges_the_other(tmp_path):
    (tmp_path / "R2.fastq.gz").write_bytes(gzip.compress(mates(2, lane="7")))
    report = inspect_unit(UNIT, tmp_path / "R1.fastq.gz", tmp_path / "R2.fastq.gz")
    assert codes(report) == ["FILE_MISSING", "LANE_MISMATCH"]
    assert report["findings"][0]["where"] == str(tmp_path / "R1.fastq.gz")
    assert report["findings"][0]["message"] == "R1: there is no such file"
    nothing = dict.fromkeys(("mtime_ns", "bytes", "sha256", "content_sha256"))
    assert report["fastq"][0] == {"read": 1, "reads": 0, **nothing}
    assert report["fastq"][1]["reads"] == 10


def test_refuses_a_folder_in_place_of_a_file(tmp_path):
    (tmp_path / "R2.fastq.gz").write_bytes(gzip.compress(mates(2)))
    found = only(inspect_unit(UNIT, tmp_path, tmp_path / "R2.fastq.gz"), "FILE_UNREADABLE")
    assert found["message"] == "R1: cannot be read: not a regular file"


def test_refuses_a_file_that_may_not_be_read(inspect, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(intake.io, "FileIO", refuse)
    report = inspect(mates(1), mates(2))
    assert codes(report) == ["FILE_UNREADABLE"] * 2
    assert report["findings"][0]["message"] == "R1: cannot be read: Permission denied"


def test_a_disk_error_while_reading_is_a_finding(inspect, monkeypatch):
    class Failing(intake.io.FileIO):
        def readinto(self, buffer):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(intake.io, "FileIO", Failing)
    report = inspect(mates(1), mates(2))
    assert set(codes(report)) == {"FILE_UNREADABLE"}
    assert "Input/output error" in report["findings"][0]["message"]
    assert [fastq["sha256"] for fastq in report["fastq"]] == [None, None]


# ---- gzip ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [5, 60, -4], ids=["in the header", "in the data", "in the checksum"])
def test_refuses_truncated_gzip(inspect, kept):
    whole = gzip.compress(mates(1))
    report = inspect(whole[:kept], gzip.compress(mates(2)), raw=True)
    found = only(report, "GZIP_TRUNCATED")
    assert found["message"] == "R1: the gzip stream ends before its end mark: the file is truncated"
    assert report["fastq"][0]["content_sha256"] is None
    assert report["fastq"][0]["sha256"] == hashlib.sha256(whole[:kept]).hexdigest()
    assert report["fastq"][1]["reads"] == 10


def test_says_after_which_record_a_long_file_is_truncated(inspect):
    count = 30_000
    whole = gzip.compress(mates(1, count), 1)
    found = only(inspect(whole[: len(whole) // 2], gzip.compress(mates(2, count), 1), raw=True), "GZIP_TRUNCATED")
    record = int(found["where"].rsplit(" ", 1)[1])
    assert "after record" in found["where"] and 0 < record < count


@pytest.mark.parametrize("place", [-6, -1], ids=["checksum", "size"])
def test_refuses_gzip_that_fails_its_checksum(inspect, place):
    bad = bytearray(gzip.compress(mates(2)))
    bad[place] ^= 1
    found = only(inspect(gzip.compress(mates(1)), bytes(bad), raw=True), "GZIP_CORRUPT")
    assert found["message"].startswith("R2: the gzip data are corrupted")


def test_refuses_corrupted_gzip_data(inspect):
    bad = bytearray(gzip.compress(mates(1, 5000)))
    bad[len(bad) // 2 : len(bad) // 2 + 64] = bytes(64)
    assert {"GZIP_CORRUPT", "GZIP_TRUNCATED"} & set(codes(inspect(bytes(bad), gzip.compress(mates(2, 5000)), raw=True)))


def test_refuses_bytes_after_the_gzip_stream(inspect):
    file = gzip.compress(mates(1)) + b"and then some text that is not gzip"
    report = inspect(file, gzip.compress(mates(2)), raw=True)
    found = only(report, "GZIP_TRAILING")
    assert "not gzip follow a complete gzip stream" in found["message"]
    assert report["fastq"][0]["bytes"] == len(file)
    assert report["fastq"][0]["sha256"] == hashlib.sha256(file).hexdigest()


def test_refuses_plain_text_and_judges_it_all_the_same(inspect):
    report = inspect(mates(1) + b"@x\nACGT\n+\nIII\n", mates(2), raw=True)
    assert codes(report) == ["NOT_GZIP", "LENGTH_MISMATCH", "NOT_GZIP"]
    assert report["findings"][0]["message"] == "R1: the file is not gzip"


def test_refuses_what_is_neither_gzip_nor_fastq(inspect):
    report = inspect(b"PK\x03\x04 a zip file", gzip.compress(mates(2)), raw=True)
    only(report, "NOT_GZIP")
    assert report["fastq"][0]["bytes"] == 15


# ---- records -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tail", "code", "message"),
    [
        (b"@x\nACGT\n+\nIII\n", "LENGTH_MISMATCH", "sequence and quality differ in length"),
        (b"@x\nACGT\n+\nIII", "LENGTH_MISMATCH", "sequence and quality differ in length"),
        (b"x\nACGT\n+\nIIII\n", "FASTQ_STRUCTURE", "first line does not start with @"),
        (b"@x\nACGT\n-\nIIII\n", "FASTQ_STRUCTURE", "third line does not start with +"),
        (b"@x\nACGT\n+y\nIIII\n", "FASTQ_STRUCTURE", "third line repeats another name"),
        (b"@x\nAC", "FASTQ_TRUNCATED", "ends within a record"),
        (b"@x\nACGT\n", "FASTQ_TRUNCATED", "ends within a record"),
        (b"@x\nACGT\n+\n", "FASTQ_TRUNCATED", "ends within a record"),
        (b"\n", "FASTQ_TRUNCATED", "ends within a record"),
        (b"@x\nACGT\n+\nII\xffI\n", "NOT_ASCII", "characters that are not ASCII"),
        (b"@x\xc3\xa6\nACGT\n+\nIIII\n", "NOT_ASCII", "characters that are not ASCII"),
    ],
)
def test_refuses_a_broken_record_and_names_it(inspect, tail, code, message):
    report = inspect(mates(1) + tail, mates(2, 11))
    found = only(report, code)
    assert message in found["message"]
    # a block with a character that is not ASCII is refused before its records are parsed
    assert found["where"].endswith("record 11" if code != "NOT_ASCII" else "R1.fastq.gz")
    assert "ACGT" not in found["message"]
    assert report["fastq"][1]["reads"] == 11


def test_a_broken_record_hides_neither_the_digest_nor_broken_gzip_behind_it(inspect):
    text = mates(1) + b"@x\nACGT\n+\nIII\n" + mates(1, 5)
    report = inspect(text, mates(2))
    assert report["fastq"][0]["content_sha256"] == hashlib.sha256(text).hexdigest()
    bad = bytearray(gzip.compress(text * 2000, 1))
    bad[-6] ^= 1
    assert codes(inspect(bytes(bad), gzip.compress(mates(2)), raw=True)) == ["LENGTH_MISMATCH", "GZIP_CORRUPT"]


def test_judges_both_files_where_both_are_broken(inspect):
    report = inspect(mates(1) + b"@x\nACGT\n+\nIII\n", mates(2, 3) + b"@x\nAC")
    assert codes(report) == ["LENGTH_MISMATCH", "FASTQ_TRUNCATED"]
    assert [finding["where"].rsplit(" ", 1)[1] for finding in report["findings"]] == ["11", "4"]


@pytest.mark.parametrize("empty", [b"", gzip.compress(b"")], ids=["no byte", "no record"])
def test_refuses_an_empty_fastq(inspect, empty):
    report = inspect(empty, empty, raw=True)
    assert codes(report) == ["FASTQ_EMPTY", "FASTQ_EMPTY"]
    assert report["findings"][1]["message"] == f"R2: the file holds no read ({len(empty)} bytes)"
    assert (report["pairs"], report["pct_q30"], report["mean_read_length"]) == (0, None, None)


def test_refuses_a_read_without_bases(inspect):
    empty = fastq([f"{name(11)} 1:N:0:ACGT"], "", "")
    found = only(inspect(mates(1) + empty, mates(2, 11)), "READ_EMPTY")
    assert found["where"].endswith("R1.fastq.gz, record 11")
    assert found["message"] == "R1: a record holds no base (1 of 11 records looked at)"


def test_refuses_a_record_without_a_name(inspect):
    report = inspect(fastq(["a/1", ""]), fastq(["a/2", ""]))
    assert codes(report) == ["NAME_EMPTY"] * 2
    assert report["findings"][0]["where"].endswith("R1.fastq.gz, record 2")
    assert report["findings"][0]["message"] == "R1: a record has no name (1 of 2 records looked at)"


def test_refuses_names_that_do_not_tell_reads_apart(inspect):
    report = inspect(fastq(["SEQ_ID"] * 5), fastq(["SEQ_ID"] * 5, "TTTTN"))
    assert codes(report) == ["NAMES_REPEATED"] * 2
    assert report["findings"][0]["where"].endswith("R1.fastq.gz, record 2")
    assert report["findings"][0]["message"] == "R1: a read has the name of an earlier one (4 of 5 records looked at)"


@pytest.mark.parametrize("character", ["\x1f", " ", "\x7f"])
def test_refuses_a_quality_outside_phred33(inspect, character):
    bad = fastq([f"{name(11)} 1:N:0:ACGT"], "ACGT", f"II{character}I")
    found = only(inspect(mates(1) + bad, mates(2, 11)), "QUALITY_RANGE")
    assert found["where"].endswith("record 11")
    assert "outside the printable characters of Phred+33" in found["message"]


def test_refuses_phred64_qualities(inspect):
    texts = [fastq((f"{name(i)}/{read}" for i in range(9)), "ACGTA", "hgfBB") for read in (1, 2)]
    report = inspect(*texts)
    assert codes(report) == ["QUALITY_PHRED64"] * 2
    assert "between B and h, as in the old Phred+64 coding" in report["findings"][0]["message"]


def test_accepts_high_phred33_qualities(inspect):
    texts = [fastq((f"{name(i)}/{read}" for i in range(9)), "ACGTA", "~~~I#") for read in (1, 2)]
    assert inspect(*texts)["status"] == "accepted"


# ---- pairs ---------------------------------------------------------------------------------


def test_refuses_files_of_different_length(inspect):
    report = inspect(mates(1, 12), mates(2, 10))
    assert only(report, "PAIR_COUNT")["message"] == "R1 holds 12 reads, R2 holds 10"
    assert report["pairs"] == 10


def test_refuses_files_that_differ_by_whole_blocks(inspect):
    count = 3 * intake.BLOCK_RECORDS
    assert only(inspect(mates(1, count), mates(2, intake.BLOCK_RECORDS)), "PAIR_COUNT")


@pytest.mark.parametrize("place", [0, 4, intake.BLOCK_RECORDS + 5])
def test_refuses_names_out_of_step_and_names_the_record(inspect, place):
    count = intake.BLOCK_RECORDS + 10
    names = [f"{name(i)} 2:N:0:ACGT" for i in range(1, count + 1)]
    names[place] = f"{name(987654)} 2:N:0:ACGT"
    report = inspect(mates(1, count), fastq(names))
    found = only(report, "PAIR_NAMES")
    assert found["where"].endswith(f"record {place + 1}")
    assert name(987654) in found["message"] and f"(1 of {count:,} pairs)" in found["message"]
    assert report["pairs"] == count - 1


def test_refuses_mates_whose_coordinates_differ_in_the_last_digit_only(inspect):
    assert only(inspect(fastq([name(1)[:-1] + "1"]), fastq([name(1)[:-1] + "2"])), "PAIR_NAMES")


def test_refuses_mate_numbers_that_the_aligner_would_not_take_off(inspect):
    assert "differ only in /1 and /2" in only(inspect(fastq(["SRR1.7.1"]), fastq(["SRR1.7.2"])), "PAIR_NAMES")["mend"]


@pytest.mark.parametrize("form", ["{name}/{read}", "{name} {read}:N:0:ACGT"])
def test_refuses_r1_and_r2_exchanged(inspect, form):
    texts = [fastq(form.format(name=name(i), read=read) for i in range(1, 4)) for read in (2, 1)]
    report = inspect(*texts)
    assert codes(report) == ["MATE_SWAPPED"] * 2
    assert report["findings"][0]["message"] == (
        "R1: read names say that these are reads 2 of their pairs (3 of 3 records looked at)"
    )
    assert "exchange fq1 and fq2" in report["findings"][0]["mend"]


def test_refuses_a_file_that_holds_reads_of_both_kinds(inspect):
    mixed = mates(1, 4) + mates(2, 5)[len(mates(2, 4)) :]
    found = only(inspect(mixed, mates(2, 5)), "MATE_SWAPPED")
    assert found["where"].endswith("R1.fastq.gz, record 5")


def test_refuses_the_same_reads_as_r1_and_r2(inspect):
    text = fastq(name(i) for i in range(1, 4))
    assert only(inspect(gzip.compress(text, 1), gzip.compress(text, 9), raw=True), "SAME_CONTENT")["message"] == (
        "R1 and R2 hold the same reads"
    )


# ---- flowcell and lane ---------------------------------------------------------------------


def test_refuses_the_wrong_lane(inspect):
    report = inspect(mates(1), mates(2), lane="4")
    assert codes(report) == ["LANE_MISMATCH"] * 2
    assert report["findings"][0]["message"] == (
        "R1: 10 read names say flowcell HFLOW1XX lane 3, units.tsv says flowcell HFLOW1XX lane 4"
    )
    assert report["names"] == "MISMATCH"


def test_refuses_the_wrong_flowcell(inspect):
    report = inspect(mates(1), mates(2), flowcell="HOTHER1XX")
    assert codes(report) == ["FLOWCELL_MISMATCH"] * 2
    assert "correct the flowcell in units.tsv" in report["findings"][0]["mend"]


@pytest.mark.parametrize("place", [1, intake.BLOCK_RECORDS + 3, 3 * intake.BLOCK_RECORDS])
def test_finds_one_read_of_another_lane_among_many(inspect, place):
    count = 3 * intake.BLOCK_RECORDS + 2
    texts = [
        fastq(f"{name(i, lane='4' if i == place else '3')} {read}:N:0:A" for i in range(1, count + 1))
        for read in (1, 2)
    ]
    report = inspect(*texts)
    assert codes(report) == ["LANES_MIXED"] * 2
    found = report["findings"][0]
    assert found["where"].endswith(f"record {place}")
    assert f"flowcell HFLOW1XX lane 3: {count - 1:,}; flowcell HFLOW1XX lane 4: 1 reads" in found["message"]


def test_counts_more_lanes_than_it_searches_for(inspect):
    count = intake.NEEDLES + 10
    texts = [
        fastq(name(i, flowcell=f"H{i % count}XX") + f"/{read}" for i in range(2 * intake.BLOCK_RECORDS))
        for read in (1, 2)
    ]
    message = inspect(*texts)["findings"][0]["message"]
    assert f"and {count - 20} more" in message


def test_refuses_names_that_carry_the_lane_in_part_of_the_file_only(inspect):
    texts = [mates(1, 5) + fastq(["SRR1.6"]), mates(2, 5) + fastq(["SRR1.6"])]
    report = inspect(*texts)
    assert codes(report) == ["NAMES_MIXED"] * 2
    assert "1 of 6 read names carry no flowcell and lane" in report["findings"][0]["message"]


# ---- personal numbers ----------------------------------------------------------------------


@pytest.mark.parametrize("form", ["020161-9995_{i}", "pt0201609995:{i}", "SRR1.{i} 0201609995", "010185-1AB{i}"])
def test_refuses_a_personal_number_in_a_read_name_without_showing_it(inspect, form):
    report = inspect(*(fastq(form.format(i=i) for i in range(1, 4)) for _ in (1, 2)))
    assert set(codes(report)) <= {"PERSONAL_NUMBER", "SAME_CONTENT"}
    assert report["findings"][0]["message"].startswith("R1: a read name holds what looks like a CPR number (3 of 3")
    assert "9995" not in str(report["findings"]) and "1AB" not in str(report["findings"])


def test_coordinates_of_a_read_name_are_no_personal_numbers(inspect):
    names = ["A00296:43:HFLOW1XX:3:1101:0201609995:1046", "A00296:43:HFLOW1XX:3:1101:1046:0201609995"]
    report = inspect(fastq(f"{n}/1" for n in names), fastq(f"{n}/2" for n in names))
    assert report["status"] == "accepted"


def test_masks_a_personal_number_in_a_path_and_in_names_out_of_step(tmp_path):
    paths = [tmp_path / f"0201609995_R{read}.fastq.gz" for read in (1, 2)]
    paths[0].write_bytes(gzip.compress(fastq(["x0201609995"])))
    paths[1].write_bytes(gzip.compress(fastq(["y0201609995"])))
    report = inspect_unit(UNIT, *paths)
    assert "PAIR_NAMES" in codes(report)
    assert "0201609995" not in str(report["findings"])


# ---- resources -----------------------------------------------------------------------------


def test_reads_each_file_once_and_leaves_no_thread(inspect, monkeypatch):
    counts: dict[str, int] = {}

    class Counting(intake.io.FileIO):
        def readinto(self, buffer):
            count = super().readinto(buffer)
            counts[self.name] = counts.get(self.name, 0) + count
            return count

    monkeypatch.setattr(intake.io, "FileIO", Counting)
    report = inspect(mates(1, 20_000), mates(2, 20_000))
    assert sorted(counts.values()) == sorted(fastq["bytes"] for fastq in report["fastq"])
    assert threading.active_count() == 1


def test_memory_does_not_grow_with_the_file(tmp_path):
    def peak(count: int) -> int:
        paths = [tmp_path / f"{count}_R{read}.fastq.gz" for read in (1, 2)]
        for read, path in enumerate(paths, start=1):
            path.write_bytes(gzip.compress(mates(read, count), 1))
        tracemalloc.start()
        inspect_unit(UNIT, *paths)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(80_000) < 1.5 * peak(20_000)


# ---- a case and the disk -------------------------------------------------------------------


def report_of(tmp_path: Path, lane: str, level: int = 6, lane_of_names: str = "") -> dict:
    paths = [tmp_path / f"L{lane}_R{read}.fastq.gz" for read in (1, 2)]
    for read, path in enumerate(paths, start=1):
        path.write_bytes(gzip.compress(mates(read, lane=lane_of_names or lane), level))
    return inspect_unit(UNIT | {"lane": lane}, *paths)


def test_a_case_of_good_units_has_no_finding(tmp_path):
    assert judge_case([report_of(tmp_path, "1"), report_of(tmp_path, "2")]) == []


def test_a_case_with_a_refused_unit_says_why(tmp_path):
    found = judge_case([report_of(tmp_path, "1"), report_of(tmp_path, "2", lane_of_names="5")])
    assert [finding["code"] for finding in found] == ["UNIT_REFUSED"]
    assert found[0]["where"] == "NA00000001.LIB1.HFLOW1XX.L2"
    assert "LANE_MISMATCH" in found[0]["message"]


def test_a_recompressed_copy_in_another_unit_is_recognised(tmp_path):
    reports = [report_of(tmp_path, "1", level=1), report_of(tmp_path, "2", level=9, lane_of_names="1")]
    same = [finding for finding in judge_case(reports) if finding["code"] == "SAME_FASTQ"]
    assert [finding["where"] for finding in same] == [
        f"NA00000001.LIB1.HFLOW1XX.L1 R{read}, NA00000001.LIB1.HFLOW1XX.L2 R{read}" for read in (1, 2)
    ]
    assert same[0]["message"] == "the same reads are in more than one unit"


def test_empty_files_are_not_the_same_reads(tmp_path):
    for file in ("a", "b"):
        (tmp_path / file).write_bytes(gzip.compress(b""))
    reports = [inspect_unit(UNIT | {"lane": lane}, tmp_path / "a", tmp_path / "b") for lane in "12"]
    assert {finding["code"] for finding in judge_case(reports)} == {"UNIT_REFUSED"}


def test_estimates_the_disk_from_the_bytes_of_fastq():
    assert estimate_disk(1000, factor=2.5) == {"fastq_bytes": 1000, "factor": 2.5, "needed_bytes": 2500}
    assert estimate_disk(1000)["factor"] == intake.DISK_FACTOR


def test_a_disk_with_room_has_no_finding(tmp_path):
    checked = free_disk(tmp_path / "not" / "there yet", 1)
    assert checked["findings"] == [] and checked["free_bytes"] > 0


def test_a_disk_too_small_is_a_finding(tmp_path):
    found = free_disk(tmp_path, 10**18)["findings"]
    assert [finding["code"] for finding in found] == ["DISK_FULL"]
    assert "1,000,000,000.0 GB" in found[0]["message"]


def test_a_read_only_disk_is_a_finding(tmp_path, monkeypatch):
    monkeypatch.setattr(intake.os, "access", lambda path, mode: False)
    assert [finding["code"] for finding in free_disk(tmp_path, 1)["findings"]] == ["DISK_READ_ONLY"]
