"""The model store, with small weights in a package made on the fly, and a real S3 server."""

import hashlib
import multiprocessing
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest
import yaml
from moto.server import ThreadedMotoServer

from configs.catalogue import load_catalogue
from deployments.errors import ModelCorrupt, ModelMissing
from deployments.models.sources import PackageSource, S3Source, SourceUnavailable
from deployments.models.store import ModelStore

from small_models import SHA256, WEIGHTS, install_package, make_catalogue, make_store, resolve_in_process


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_weights_of_a_package_become_a_model_directory(tmp_path: Path, site: Path) -> None:
    """PaddleX's own layout: weights and an inference.yml that names the model."""
    install_package(site)
    files = make_store(tmp_path / "store").resolve("small_det", "onnx")
    assert files.weights.read_bytes() == WEIGHTS
    assert (files.sha256, files.source) == (SHA256, "package")
    config = yaml.safe_load((files.directory / "inference.yml").read_text())
    assert config["Global"]["model_name"] == "small_det"
    assert "small_weights" not in sys.modules


def test_a_resolved_model_needs_its_package_no_more(tmp_path: Path, site: Path) -> None:
    """The store has its own copy."""
    install_package(site)
    store = make_store(tmp_path / "store")
    store.resolve("small_det", "onnx")
    (site / "small_weights" / "det.onnx").unlink()
    assert store.resolve("small_det", "onnx").source == "package"
    assert store.find_installed("small_det", "onnx") == "store"


def test_wrong_weights_of_a_package_are_refused(tmp_path: Path, site: Path) -> None:
    """The message names the model and both hashes, and the store keeps nothing."""
    install_package(site, b"other weights")
    store = make_store(tmp_path / "store")
    with pytest.raises(ModelCorrupt, match=f"small_det.*{SHA256[:12]}"):
        store.resolve("small_det", "onnx")
    assert store.find_installed("small_det", "onnx") == "package"


def test_a_damaged_copy_is_fetched_again(tmp_path: Path, site: Path) -> None:
    """Half-written or altered weights in the store are replaced by the right ones."""
    install_package(site)
    store = make_store(tmp_path / "store")
    store.resolve("small_det", "onnx").weights.write_bytes(b"half")
    assert store.resolve("small_det", "onnx").weights.read_bytes() == WEIGHTS


def test_unpinned_weights_are_pinned_by_their_first_copy(tmp_path: Path, site: Path) -> None:
    """What the catalogue has no hash for must not change either."""
    install_package(site)
    store = make_store(tmp_path / "store", sha256=None)
    files = store.resolve("small_det", "onnx")
    assert files.sha256 == SHA256
    files.weights.write_bytes(b"somebody else's")
    with pytest.raises(ModelCorrupt):
        store.resolve("small_det", "onnx")


def test_a_missing_model_says_in_one_sentence_how_to_get_it(tmp_path: Path) -> None:
    """The command stands in the message."""
    with pytest.raises(ModelMissing, match="ocr-serve models pull small_det") as caught:
        make_store(tmp_path / "store").resolve("small_det", "onnx")
    assert caught.value.message.count(". ") == 0


def test_a_misspelt_name_is_answered_with_near_ones(tmp_path: Path) -> None:
    """Nobody has to look the catalogue up."""
    with pytest.raises(ModelMissing, match="near it are small_det"):
        make_store(tmp_path / "store").resolve("smal_det", "onnx")


def test_a_given_directory_wins_and_is_used_as_it_is(tmp_path: Path, site: Path) -> None:
    """An operator's own weights have a hash of their own."""
    install_package(site)
    mine = tmp_path / "mine"
    mine.mkdir()
    store = make_store(tmp_path / "store", given={"small_det": mine})
    with pytest.raises(ModelMissing, match=r"lacks inference\.onnx and inference\.yml"):
        store.resolve("small_det", "onnx")
    (mine / "inference.onnx").write_bytes(b"fine-tuned")
    (mine / "inference.yml").write_text("Global: {model_name: small_det}\n")
    files = store.resolve("small_det", "onnx")
    assert (files.directory, files.source) == (mine, "given")
    assert files.sha256 == hashlib.sha256(b"fine-tuned").hexdigest()


def test_processes_that_start_together_all_get_the_right_weights(tmp_path: Path, site: Path) -> None:
    """All replicas of a stage resolve their model at once."""
    install_package(site)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    arguments = (str(tmp_path / "store"), str(site), results)
    processes = [context.Process(target=resolve_in_process, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == [WEIGHTS] * 3
    for process in processes:
        process.join(30)


@pytest.fixture
def bucket_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 bucket of a real server on this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "ap-northeast-2",
        "AWS_DEFAULT_REGION": "ap-northeast-2",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ALLOW_HTTP": "true",
    }
    for key, value in settings.items():
        monkeypatch.setenv(key, value)
    client = boto3.client("s3")
    place = {"LocationConstraint": "ap-northeast-2"}
    client.create_bucket(Bucket="models", CreateBucketConfiguration=place)
    client.put_object(Bucket="models", Key="ocr/small_det/onnx/inference.onnx", Body=WEIGHTS)
    client.put_object(
        Bucket="models", Key="ocr/small_det/onnx/inference.yml", Body=b"Global: {model_name: small_det}\n"
    )
    yield "s3://models/ocr"
    # The server keeps its buckets for the whole process.
    httpx.post(f"http://{host}:{port}/moto-api/reset").raise_for_status()
    server.stop()


def test_a_model_comes_from_s3(tmp_path: Path, bucket_url: str) -> None:
    """Objects below the prefix become the directory; the hash is checked."""
    files = make_store(tmp_path / "store", PackageSource(), S3Source(bucket_url)).resolve("small_det", "onnx")
    assert (files.source, files.weights.read_bytes()) == ("s3", WEIGHTS)


def test_a_bucket_without_the_model_is_passed_over(tmp_path: Path, bucket_url: str) -> None:
    """The next place is asked, and the last one's absence is reported."""
    with pytest.raises(ModelMissing, match="package, s3"):
        make_store(tmp_path / "store", PackageSource(), S3Source(f"{bucket_url}/elsewhere")).resolve(
            "small_det", "onnx"
        )


def test_the_environment_describes_a_store(tmp_path: Path) -> None:
    """Every place can be set, and the hubs can be switched off."""
    environment = {
        "OCR_MODELS_DIR": str(tmp_path),
        "OCR_MODELS_GIVEN": f"small_det={tmp_path}",
        "OCR_MODELS_HUB": "off",
    }
    store = ModelStore.from_environment(make_catalogue(), environment)
    assert store.find_installed("small_det", "onnx") == "given"


def test_a_source_that_cannot_be_asked_does_not_hide_the_next(
    tmp_path: Path, site: Path, bucket_url: str
) -> None:
    """A bucket that does not exist, an address that is none: the package has the weights all the same."""
    install_package(site)
    for number, url in enumerate(("s3://nobodys/ocr", "nonsense")):
        store = make_store(tmp_path / str(number), S3Source(url), PackageSource())
        assert store.resolve("small_det", "onnx").source == "package"


def test_a_source_that_cannot_be_asked_is_named(tmp_path: Path) -> None:
    """Whoever reads the message sees that the model may be there after all."""
    with pytest.raises(SourceUnavailable):
        S3Source("nonsense").fetch("small_det", make_catalogue().models["small_det"], "onnx", tmp_path)
    with pytest.raises(ModelMissing, match="s3, which could not be asked"):
        make_store(tmp_path / "store", S3Source("nonsense")).resolve("small_det", "onnx")


def test_a_check_reports_a_damaged_copy_and_leaves_it(tmp_path: Path, site: Path) -> None:
    """Checking is not repairing, although the package could."""
    install_package(site)
    store = make_store(tmp_path / "store")
    files = store.resolve("small_det", "onnx")
    assert store.check("small_det", "onnx") == files
    files.weights.write_bytes(b"half")
    with pytest.raises(ModelCorrupt, match=SHA256[:12]):
        store.check("small_det", "onnx")
    assert files.weights.read_bytes() == b"half"
    files.weights.unlink()
    with pytest.raises(ModelCorrupt, match="incomplete"):
        store.check("small_det", "onnx")


@pytest.mark.parametrize("text", ["", "Global: [", "Global: {model_name: another}"])
def test_a_broken_inference_yml_is_written_again(tmp_path: Path, site: Path, text: str) -> None:
    """Sound weights beside a config that is not theirs are no model."""
    install_package(site)
    store = make_store(tmp_path / "store")
    (store.resolve("small_det", "onnx").directory / "inference.yml").write_text(text)
    with pytest.raises(ModelCorrupt, match=r"inference\.yml"):
        store.check("small_det", "onnx")
    assert store.resolve("small_det", "onnx").config["Global"]["model_name"] == "small_det"


def test_a_given_directory_of_another_model_is_refused(tmp_path: Path) -> None:
    """Its inference.yml says whose it is."""
    (tmp_path / "inference.onnx").write_bytes(WEIGHTS)
    (tmp_path / "inference.yml").write_text("Global: {model_name: another}\n")
    with pytest.raises(ModelCorrupt, match="another"):
        make_store(tmp_path / "store", given={"small_det": tmp_path}).resolve("small_det", "onnx")


def test_a_given_directory_needs_all_files_of_the_weights(tmp_path: Path) -> None:
    """Paddle's networks are two files."""
    (tmp_path / "inference.json").write_bytes(b"{}")
    (tmp_path / "inference.yml").write_text("Global: {model_name: PP-OCRv6_tiny_rec}\n")
    store = ModelStore(tmp_path / "store", load_catalogue(), {"PP-OCRv6_tiny_rec": tmp_path}, [])
    with pytest.raises(ModelMissing, match=r"lacks inference\.pdiparams"):
        store.resolve("PP-OCRv6_tiny_rec", "paddle")


def test_a_given_pair_without_a_directory_is_refused(tmp_path: Path) -> None:
    """It would mean the working directory."""
    with pytest.raises(ValueError, match="OCR_MODELS_GIVEN"):
        ModelStore.from_environment(make_catalogue(), {"OCR_MODELS_GIVEN": "small_det"})
