"""What becomes of jobs under way when their process ends as it should."""

import asyncio

from job_process import JobBox, make_settings, running_bench
from job_work import TextWork

from deployments.jobs.states import Webhook


async def test_what_an_ending_process_leaves_is_gone_on_with_at_once(environment: dict[str, str]) -> None:
    """As in a rollout: the process is asked to stop in the middle of files, and is even still there."""
    box = JobBox(make_settings(environment))
    names = ["40 slow", "3 slow", "50 slow", "2"]

    def begin() -> str:
        with running_bench(environment) as bench:
            job_id = asyncio.run(bench.box.hand_in(*names))
            bench.box.wait_for(job_id, lambda job: job.pages_processed >= 3)
        return job_id

    def go_on(job_id: str) -> TextWork:
        with running_bench(environment) as bench:
            bench.box.wait_for_end(job_id)
        return bench.work

    job_id = await asyncio.to_thread(begin)
    kept = len(box.list_ended_pages(job_id))
    work = await asyncio.to_thread(go_on, job_id)
    job = box.job(job_id)
    assert (job.state, job.pages_total, job.pages_processed) == ("done", 95, 95)
    assert len(work.read) == 95 - kept


async def test_an_event_that_waits_to_be_told_again_is_told_by_the_next_process(
    environment: dict[str, str],
) -> None:
    """A receiver that refuses while one process lives hears of the end of the job from another."""
    environment["JOBS_WEBHOOK_FIRST_DELAY_S"] = "1"

    def begin() -> str:
        work = TextWork()
        work.answers = [500] * 100
        with running_bench(environment, work) as bench:
            hook = Webhook("https://example.com/hook", "s" * 16)
            job_id = asyncio.run(bench.box.hand_in("1", webhook=hook))
            bench.box.wait_for_end(job_id)
            bench.box.wait_for(job_id, lambda job: len(work.posts) >= 2)
        return job_id

    def go_on(job_id: str) -> TextWork:
        with running_bench(environment) as bench:
            bench.box.wait_for(job_id, lambda job: len(bench.work.posts) >= 2)
        return bench.work

    job_id = await asyncio.to_thread(begin)
    assert (await asyncio.to_thread(go_on, job_id)).posts
