"""The torture in small, seconds each: the same runs, the same promises. `make torture` does them by the hundred.

Rows API-04, DOW-12, LIF-01, LIF-02, LIF-05, MON-01 to MON-05, MON-07, PAR-10, RAT-08, SEC-08, STO-01, STO-02, TER-10;
G1, G2, G5, G6.
"""

from __future__ import annotations

from pathlib import Path

from tests.torture import (
    calls,
    catalogue,
    downloads,
    hole,
    kills,
    moments,
    money,
    private,
    rivals,
    slots,
    soak,
    stops,
    writers,
)
from tests.torture.figures import Figures


def kept(figures: Figures) -> Figures:
    assert not figures.broken, figures.text()
    return figures


def test_lif_01_g1_kill_9_under_full_load_loses_and_repeats_nothing(tmp_path: Path) -> None:
    figures = kept(kills.run(tmp_path, kills=5, seed=3, pause_s=0.8))
    assert figures.values["kills"] >= 5
    assert figures.values["POSTs that arrived"] >= 1


def test_g2_no_wish_is_charged_twice_while_answers_go_wrong(tmp_path: Path) -> None:
    figures = kept(money.run(tmp_path, submits=45, seed=2, users=4, share=0.4))
    assert figures.values["  unknown"] >= 1
    assert figures.values["  accepted"] >= 15


def test_mon_04_kill_9_at_any_moment_around_a_submission(tmp_path: Path) -> None:
    figures = kept(moments.run(tmp_path, runs=12, seed=1, up_to_s=1.0, users=2))
    assert figures.values["POSTs that arrived"] >= 1


def test_sto_01_what_was_acknowledged_survives_ten_kills(tmp_path: Path) -> None:
    figures = kept(writers.killed(tmp_path, kills=10, seed=1))
    assert figures.values["writes acknowledged"] >= 10


def test_sto_02_two_processes_never_meet_a_locked_database(tmp_path: Path) -> None:
    kept(writers.two(tmp_path, operations=500))


def test_lif_05_whichever_of_two_engines_is_killed_the_other_takes_over(tmp_path: Path) -> None:
    figures = kept(rivals.takeovers(tmp_path, kills=3, seed=4))
    assert figures.values["takeovers"] >= 1


def test_mon_05_lif_05_two_processes_that_ask_for_one_retry_send_one(tmp_path: Path) -> None:
    kept(rivals.retries(tmp_path, pairs=3, seed=1))


def test_rat_08_the_demo_never_has_more_in_flight_than_slots_through_a_kill(tmp_path: Path) -> None:
    kept(slots.run(tmp_path, bodies=14, seed=1, speed=60, timeout_s=60))


def test_g6_dow_12_files_from_a_faulty_host_are_right_through_kills(tmp_path: Path) -> None:
    figures = kept(downloads.run(tmp_path, files=8, seed=2, most_mb=20, kills=3, pause_s=0.2, mib_s=0.1, timeout_s=90))
    assert figures.values["kill -9"] >= 1


def test_g5_a_call_to_the_system_that_fails_breaks_nothing(tmp_path: Path) -> None:
    journeys = [journey for journey in calls.JOURNEYS if journey.name in ("submit", "download")]
    figures = kept(calls.run(tmp_path, most=6, seed=2, journeys=journeys, at_once=2))
    assert figures.values["download: of which failed, one a run"] >= 5


def test_api_04_keys_and_other_ids_are_not_kept_waiting_by_a_black_hole(tmp_path: Path) -> None:
    figures = kept(hole.run(tmp_path, seconds=5, most_ms=2_000))
    assert figures.values["questions into the black hole"] == 1


def test_par_10_the_form_and_its_list_answer_with_thousands_of_models(tmp_path: Path) -> None:
    figures = kept(catalogue.run(tmp_path, rounds=1, most_ms=3_000))
    assert figures.values["keys without an answer"] == 0


def test_sec_08_all_that_a_first_run_makes_is_private_from_the_first_instant(tmp_path: Path) -> None:
    figures = kept(private.run(tmp_path, strace=False))
    assert figures.values["made: file"] >= 10
    assert figures.values["made: folder"] >= 8


def test_sec_08_what_strace_saw_is_read_as_it_was() -> None:
    lines = [
        '7 openat(AT_FDCWD</x>, "/a", O_RDONLY|O_CLOEXEC) = 3</a>',
        '7 openat(AT_FDCWD</x>, "/b", O_RDWR|O_CREAT|O_CLOEXEC, 0644 <unfinished ...>',
        '8 mkdir("/c", 0755)                 = 0',
        '8 mkdir("/d", 0777)                 = -1 EEXIST (File exists)',
        "7 <... openat resumed>)             = 4</b>",
        '7 openat(AT_FDCWD</x>, "/b", O_RDWR|O_CREAT, 0666) = 4</b>',
        '7 unlink("/b")                      = 0',
        '7 open("/b", O_RDWR|O_CREAT, 0600)  = 4</b>',
        "7 fchmod(4</b>, 0640)               = 0",
        '7 rename("/b", "/e")                = 0',
        '7 open("/e", O_RDWR|O_CREAT, 0666)  = 4</e>',
    ]
    assert [str(made) for made in private.traced(lines)] == [
        "folder /c 755 0",
        "file /b 644 0",
        "file /b 600 0",
        "mode /b 640 0",
    ]


def test_ter_10_files_that_come_during_ctrl_z_and_fg_are_right(tmp_path: Path) -> None:
    figures = kept(stops.run(tmp_path, times=5, seed=2))
    assert figures.values["stops, of which with files under way"] in ("5, 5", "5, 4", "5, 3")


def test_lif_02_a_short_soak_keeps_descriptors_threads_and_rows(tmp_path: Path) -> None:
    figures = kept(soak.run(tmp_path, minutes=0.16, seed=3, warm_up_s=3))
    assert int(figures.values["samples, of which after the warm-up"].split(",")[0]) >= 5
