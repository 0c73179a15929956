"""Jobs over HTTP: how far they have come, their results, their end."""

import io
import zipfile

from job_office import OTHER, Office, read_events
from job_process import watch


async def test_a_job_is_accepted_read_and_its_results_fetched(office: Office) -> None:
    """202 with the place to look at; progress by page; results of each file in each form."""
    accepted = await office.post("3", "2 bad=2", "encrypted", task="structure", formats="json,markdown")
    assert accepted.status_code == 202
    job_id = accepted.json()["id"]
    assert accepted.headers["location"] == f"/v1/jobs/{job_id}"
    assert int(accepted.headers["retry-after"]) >= 1
    job = (await office.client.get(accepted.headers["location"], params={"wait": 30})).json()
    assert (job["status"], job["files_ended"]) == ("partial", 3)
    assert (job["pages_total"], job["pages_processed"], job["pages_failed"]) == (5, 4, 1)
    assert [file["status"] for file in job["files"]] == ["done", "partial", "failed"]
    assert job["files"][2]["error"]["code"] == "encrypted_pdf"
    for form in ("json", "markdown"):
        assert (await office.client.get(job["files"][0]["results"][form])).text == "1,2,3"
    file = (await office.client.get(f"/v1/jobs/{job_id}/files/1")).json()
    assert [page["status"] for page in file["pages"]] == ["done", "failed"]
    assert file["pages"][1]["error"]["code"] == "malformed_pdf"


async def test_a_result_is_not_sent_again_to_who_has_it(office: Office) -> None:
    """`ETag` and `If-None-Match`."""
    path = await office.finish("1")
    first = await office.client.get(f"{path}/files/0/result")
    again = await office.client.get(
        f"{path}/files/0/result", headers={"if-none-match": first.headers["etag"]}
    )
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


async def test_all_results_come_as_one_zip(office: Office) -> None:
    """Each file in each form; those that failed have none."""
    path = await office.finish("2", "encrypted", task="ocr", formats="text")
    answer = await office.client.get(f"{path}/results")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "0000-0.png.json": b"1,2",
            "0000-0.png.txt": b"1,2",
        }


async def test_why_there_is_no_result_is_told(office: Office) -> None:
    """The file's own code; a form that was not asked for; nothing under that number."""
    path = await office.finish("1", "encrypted")
    failed = await office.client.get(f"{path}/files/1/result")
    assert (failed.status_code, failed.json()["code"]) == (422, "encrypted_pdf")
    unasked = await office.client.get(f"{path}/files/0/result?format=xlsx")
    assert (unasked.status_code, unasked.json()["code"]) == (409, "result_not_ready")
    missing = await office.client.get(f"{path}/files/9/result")
    assert (missing.status_code, missing.json()["code"]) == (404, "job_not_found")


async def test_nobody_sees_the_jobs_of_others(office: Office) -> None:
    """Every route says 404, as for a job that does not exist."""
    path = await office.finish("1")
    other = {"x-api-key": OTHER}
    for suffix in ("", "/files/0", "/files/0/result", "/results", "/events"):
        answer = await office.client.get(path + suffix, headers=other)
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
    assert (await office.client.post(f"{path}/cancel", headers=other)).status_code == 404
    assert (await office.client.delete(path, headers=other)).status_code == 404
    listed = (await office.client.get("/jobs?limit=100", headers=other)).json()["data"]
    assert path.rpartition("/")[2] not in [job["id"] for job in listed]
    assert (await office.client.get(path)).status_code == 200


async def test_jobs_are_listed_page_by_page(office: Office) -> None:
    """The newest first; the cursor is the last id."""
    made = [(await office.post("1")).json()["id"] for _ in range(3)]
    first = (await office.client.get("/jobs", params={"limit": 2})).json()
    assert [job["id"] for job in first["data"]] == made[:0:-1]
    assert (first["has_more"], first["last_id"]) == (True, made[1])
    rest = (await office.client.get("/jobs", params={"limit": 1, "after": first["last_id"]})).json()
    assert [job["id"] for job in rest["data"]] == [made[0]]


async def test_a_cancelled_job_keeps_what_was_read(office: Office) -> None:
    """Files that were done have their results; the others are cancelled; nothing is read any more."""
    path = (await office.post("1", "3 hang")).headers["location"]
    async for file in watch(lambda: office.client.get(f"{path}/files/0")):
        if file.json()["status"] == "done":
            break
    assert (await office.client.post(f"{path}/cancel")).json()["status"] == "cancelled"
    job = (await office.client.get(path)).json()
    assert [file["status"] for file in job["files"]] == ["done", "cancelled"]
    assert (await office.client.get(f"{path}/files/0/result")).status_code == 200


async def test_a_deleted_job_is_gone_with_all_of_it(office: Office) -> None:
    """Running or ended: 204, then 404, and nothing of it lies in the storage."""
    running = (await office.post("3 hang")).headers["location"]
    ended = await office.finish("1")
    for path in (running, ended):
        assert (await office.client.delete(path)).status_code == 204
        assert (await office.client.get(path)).status_code == 404
    for path in (running, ended):
        prefix = f"jobs/{path.rpartition('/')[2]}/"
        async for keys in watch(lambda prefix=prefix: office.bench.box.storage.list_keys(prefix)):
            if not keys:
                break


async def test_events_begin_with_a_snapshot_and_can_be_resumed(office: Office) -> None:
    """Each change has a number; who comes back with the last one is told what came after."""
    path = (await office.post("3 slow", "1")).headers["location"]
    events = read_events((await office.client.get(f"{path}/events")).text)
    assert events[0]["event"] == "job"
    assert [file["index"] for file in events[0]["data"]["files"]] == [0, 1]
    assert events[-1]["event"] == "end"
    assert events[-1]["data"]["status"] == "done"
    numbers = [int(event["id"]) for event in events]
    assert numbers == sorted(numbers)
    resumed = read_events((await office.client.get(f"{path}/events", headers={"last-event-id": "2"})).text)
    assert all(int(event["id"]) > 2 for event in resumed)
    done = {(event["data"]["file"], event["data"]["number"]) for event in resumed if event["event"] == "page"}
    assert done == {(0, 1), (0, 2), (0, 3), (1, 1)}
    last = {"last-event-id": events[-1]["id"]}
    assert [
        e["event"] for e in read_events((await office.client.get(f"{path}/events", headers=last)).text)
    ] == ["end"]
