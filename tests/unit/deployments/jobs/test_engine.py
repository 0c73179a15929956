"""Jobs from their acceptance to their end, with a real database, a real storage and DBOS."""

import asyncio
import hashlib
import hmac
import json
from pathlib import Path

from job_process import OWNER, Bench, JobBox, count_reads, running_engine, stop_still, watch

from deployments.jobs.states import Webhook
from deployments.jobs.storage import result_key
from deployments.jobs.telling import sign


async def test_every_file_of_a_job_ends_with_its_pages_or_its_code(bench: Bench) -> None:
    """Good ones are done, a broken page is counted, a broken file has its code, one that was busy is read."""
    job_id = await bench.box.hand_in("3", "1", "2 bad=2", "1 bad=1", "encrypted", "nonsense", "busy")
    job = await asyncio.to_thread(bench.box.wait_for_end, job_id)
    assert (job.state, job.files_ended, job.pages_total) == ("partial", 7, 8)
    assert (job.pages_processed, job.pages_failed) == (6, 2)
    files = bench.box.records.list_files(job_id)
    assert [file.state for file in files] == ["done", "done", "partial", "failed", "failed", "failed", "done"]
    codes = [None if file.fault is None else file.fault.code for file in files]
    assert codes == [None, None, None, "malformed_pdf", "encrypted_pdf", "malformed_image", None]
    assert await bench.box.storage.get(result_key(job_id, 0, "json")) == b"1,2,3"
    assert sorted(bench.work.read) == sorted(set(bench.work.read))


async def test_the_state_of_a_job_is_that_of_its_files(bench: Bench) -> None:
    """All done: done; none: failed."""
    done, failed = await bench.box.hand_in("1", "2"), await bench.box.hand_in("encrypted", "x")
    assert (await asyncio.to_thread(bench.box.wait_for_end, done)).state == "done"
    assert (await asyncio.to_thread(bench.box.wait_for_end, failed)).state == "failed"


async def test_pages_that_were_kept_are_not_needed_any_more_when_the_file_is_done(bench: Bench) -> None:
    """The result holds them; the input stays until the job goes."""
    job_id = await bench.box.hand_in("3")
    await asyncio.to_thread(bench.box.wait_for_end, job_id)
    async for keys in watch(lambda: bench.box.storage.list_keys(f"jobs/{job_id}/")):
        if not any("/pages/" in key for key in keys):
            return


async def test_a_cancelled_job_reads_no_page_more(bench: Bench) -> None:
    """Pages that hang are dropped, those that wait are never begun, the others' state says so."""
    job_id = await bench.box.hand_in("50 hang", "50 slow")
    await asyncio.to_thread(bench.box.wait_for, job_id, lambda job: len(bench.work.read) >= 4)
    job = await asyncio.to_thread(bench.box.records.cancel, OWNER, job_id)
    assert job is not None
    assert job.state == "cancelled"
    bench.engine.wake()
    other = await bench.box.hand_in("1")
    # Those that hung hold no place any more: somebody else's page is read.
    await asyncio.to_thread(bench.box.wait_for_end, other)
    begun = len(bench.work.read)
    assert begun < 20
    last = await bench.box.hand_in("1")
    await asyncio.to_thread(bench.box.wait_for_end, last)
    assert len(bench.work.read) == begun + 1
    assert {file.state for file in bench.box.records.list_files(job_id)} == {"cancelled"}


async def test_a_small_job_does_not_wait_for_all_files_of_a_large_one(bench: Bench) -> None:
    """The first files of every job come first."""
    large = await bench.box.hand_in(*[f"1 slow {number}" for number in range(40)])
    small = await bench.box.hand_in("1")
    first = await asyncio.to_thread(bench.box.wait_for_end, small)
    last = await asyncio.to_thread(bench.box.wait_for_end, large)
    assert first.ended_s is not None
    assert last.ended_s is not None
    assert first.ended_s < last.ended_s


async def test_a_webhook_is_told_until_it_takes_the_event(bench: Bench) -> None:
    """Refused twice, taken at the third try; each try is signed and has the event's id."""
    bench.work.answers = [500, 0]
    job_id = await bench.box.hand_in("1", webhook=Webhook("https://example.com/hook", "s" * 16))
    await asyncio.to_thread(bench.box.wait_for_end, job_id)
    await asyncio.to_thread(bench.box.wait_for, job_id, lambda job: len(bench.work.posts) >= 4)
    kinds: dict[str, list[str]] = {}
    for url, body, headers in bench.work.posts:
        assert url == "https://example.com/hook"
        event = json.loads(body)
        kinds.setdefault(event["type"], []).append(event["id"])
        assert event["job"]["id"] == job_id
        assert headers["X-Webhook-Id"] == event["id"]
        signed = f"{headers['X-Webhook-Timestamp']}.".encode() + body
        expected = hmac.new(b"s" * 16, signed, hashlib.sha256).hexdigest()
        assert headers["X-Webhook-Signature"] == f"v1={expected}"
    assert set(kinds) == {"job.running", "job.done"}
    assert sorted(map(len, kinds.values())) in ([1, 3], [2, 2])
    assert all(len(set(ids)) == 1 for ids in kinds.values())


def test_a_signature_is_over_the_time_and_the_body() -> None:
    """Whoever sends a body again at another time cannot sign it."""
    assert (
        sign(b"{}", "k" * 16, "evt_1", 1)["X-Webhook-Signature"]
        != sign(b"{}", "k" * 16, "evt_1", 2)["X-Webhook-Signature"]
    )


async def test_what_a_killed_process_has_read_is_not_read_again(
    box: JobBox, environment: dict[str, str], tmp_path: Path
) -> None:
    """Kill -9 three times: each page is once in the result; none that had ended was read twice."""
    names = ["40 slow", *[f"2 slow {number}" for number in range(10)]]
    job_id = await box.hand_in(*names)
    reads_when_ended: dict[str, int] = {}
    for kill in range(3):
        with running_engine(tmp_path, environment) as process:
            target = 12 * (kill + 1)
            await asyncio.to_thread(box.wait_for, job_id, lambda job, n=target: job.pages_processed >= n)
            stop_still(process)
            reads = count_reads(tmp_path)
            for place, number in box.list_ended_pages(job_id):
                page = f"{names[place]}#{number}"
                reads_when_ended.setdefault(page, reads[page])
    with running_engine(tmp_path, environment):
        job = await asyncio.to_thread(box.wait_for_end, job_id)
    assert (job.state, job.pages_total, job.pages_processed) == ("done", 60, 60)
    reads = count_reads(tmp_path)
    assert len(reads) == 60
    assert len(reads_when_ended) >= 36
    assert {page: reads[page] for page in reads_when_ended} == reads_when_ended
    assert (await box.storage.get(result_key(job_id, 0, "json"))).decode() == ",".join(map(str, range(1, 41)))


async def test_a_job_that_was_accepted_while_nobody_reads_is_read_later(
    box: JobBox, environment: dict[str, str], tmp_path: Path
) -> None:
    """The record is enough: whoever starts next finds it."""
    job_id = await box.hand_in("2")
    assert box.job(job_id).state == "queued"
    with running_engine(tmp_path, environment):
        assert (await asyncio.to_thread(box.wait_for_end, job_id)).state == "done"
