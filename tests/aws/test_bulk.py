"""Bulk reading of a bucket, as far as it goes without a cluster: listing, shards, results, going on."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest

from configs.profile import AppArgs, load_profile
from serve_app.bulk.places import Entry, Place
from serve_app.bulk.reader import ShardReader
from serve_app.bulk.shards import Markers, Shard, make_shards
from serve_app.reading_task import ReadingTask, make_task

from moto_process import CREDENTIALS, make_client
from paths import FIXTURES

pytestmark = pytest.mark.aws

BUCKET = "many-files"
MANY = 10_000
ARGS = AppArgs(profile="cpu", engine="fake")


@pytest.fixture
def bucket(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """An empty bucket, and the environment of a node that may use it."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    client = make_client("s3", moto_url)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield client
    obstore.delete(Place(f"s3://{BUCKET}").open(), list(list_keys()))
    client.delete_bucket(Bucket=BUCKET)


def list_keys(prefix: str = "") -> Iterator[str]:
    for batch in obstore.list(Place(f"s3://{BUCKET}").open(), prefix=prefix):
        for item in batch:
            yield item["path"]


def read_all(task: ReadingTask, files_a_shard: int, *, stops_after: int | None = None) -> list[str]:
    """Read shards as the actors do; the keys that were read, in order."""
    source, out = Place(f"s3://{BUCKET}/in"), Place(f"s3://{BUCKET}/out")
    reader = ShardReader(source, out, task, load_profile(ARGS, 0), ARGS)
    done = Markers(out.open(), task.fingerprint()).load_done(tries_failed=False)
    keys: list[str] = []
    for number, shard in enumerate(make_shards(source.open(), done, files_a_shard)):
        if number == stops_after:
            break
        keys += [report.source for report in reader.read_shard(shard)]
    reader.close()
    return keys


async def test_ten_thousand_keys_are_listed_as_they_come(bucket) -> None:
    """Each once, in shards, and the first of them before the last is listed."""
    store = Place(f"s3://{BUCKET}/in").open()
    names = [f"{number:05}.png" for number in range(MANY)]
    gate = asyncio.Semaphore(32)

    async def put(name: str) -> None:
        async with gate:
            await obstore.put_async(store, name, b"-")

    await asyncio.gather(*map(put, names))
    shards = make_shards(store, frozenset(), 300)
    first = next(shards)
    assert [entry.key for entry in first.entries] == names[:300]
    rest = [entry.key for shard in shards for entry in shard.entries]
    assert rest == names[300:]


def test_results_lie_beside_each_other_in_the_bucket(bucket) -> None:
    """A broken file has its code, and no result."""
    letter = (FIXTURES / "letter.png").read_bytes()
    for name, content in {"a/letter.png": letter, "broken.pdf": b"%PDF-1.4", "notes.txt": b"-"}.items():
        bucket.put_object(Bucket=BUCKET, Key=f"in/{name}", Body=content)
    task = make_task(None, "json,md", {})
    assert read_all(task, 10) == ["a/letter.png", "broken.pdf"]
    results = [key for key in list_keys("out") if "_bulk" not in key]
    assert results == ["out/a/letter.png.json", "out/a/letter.png.md"]
    body = bucket.get_object(Bucket=BUCKET, Key="out/a/letter.png.json")["Body"].read()
    assert json.loads(body)["pages_processed"] == 1
    markers = Markers(Place(f"s3://{BUCKET}/out").open(), task.fingerprint())
    totals = markers.count(tries_failed=False)
    assert (totals.kept, totals.failed, totals.codes) == (1, 1, {"malformed_pdf": 1})


def test_shards_that_are_done_are_not_read_again(bucket) -> None:
    """Nor are files that came later mixed up with them; a changed file and other options are read."""
    letter = (FIXTURES / "one_line.png").read_bytes()
    for name in "abcde":
        bucket.put_object(Bucket=BUCKET, Key=f"in/{name}.png", Body=letter)
    task = make_task(None, "json", {})
    assert read_all(task, 2, stops_after=1) == ["a.png", "b.png"]
    bucket.put_object(Bucket=BUCKET, Key="in/aa.png", Body=letter)
    bucket.put_object(Bucket=BUCKET, Key="in/b.png", Body=(FIXTURES / "empty.png").read_bytes())
    assert sorted(read_all(task, 2)) == ["aa.png", "b.png", "c.png", "d.png", "e.png"]
    assert read_all(task, 2) == []
    assert len(read_all(make_task(None, "json", {"words": "true"}), 2)) == 6


def test_failed_files_are_read_again_when_that_is_wanted(bucket) -> None:
    """Else they count as done, or a broken file would be read by every run."""
    bucket.put_object(Bucket=BUCKET, Key="in/broken.png", Body=b"no image")
    task = make_task(None, "json", {})
    assert read_all(task, 2) == ["broken.png"]
    markers = Markers(Place(f"s3://{BUCKET}/out").open(), task.fingerprint())
    assert len(markers.load_done(tries_failed=False)) == 1
    assert len(markers.load_done(tries_failed=True)) == 0


def test_a_shard_goes_through_the_cluster_as_text() -> None:
    """With whatever a key is made of."""
    shard = Shard("name", (Entry('영수증 "1".png', "1-abc"), Entry("b.png", "2-d")))
    assert Shard.from_json(shard.to_json()) == shard


@pytest.mark.parametrize("text", ["ftp://host/x", "http://host/x"])
def test_places_of_other_kinds_are_refused(text: str) -> None:
    """With what there is."""
    with pytest.raises(ValueError, match="take s3:// or file://"):
        Place.parse(text)


def test_a_folder_is_a_place(tmp_path: Path) -> None:
    """By its path or its URL."""
    assert Place.parse(str(tmp_path)) == Place.parse(tmp_path.as_uri())
    assert Place.parse(str(tmp_path)).holds(Place.parse(str(tmp_path / "out")))
    assert not Place.parse(str(tmp_path / "in")).holds(Place.parse(str(tmp_path / "in2")))
