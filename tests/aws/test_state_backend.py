"""Terraform's state in S3 with locks in DynamoDB and beside it, as terraform/bootstrap makes it."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from moto_process import REGION, aws_environment, make_client
from paths import ROOT

pytestmark = [
    pytest.mark.aws,
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed"),
]

# An apply that holds the lock until a file is there.
CONFIGURATION = """
terraform {
  backend "s3" {}
}

variable "gate" {
  type    = string
  default = ""
}

resource "terraform_data" "this" {
  input = "written"

  provisioner "local-exec" {
    command = <<-WAIT
      test -z "${var.gate}" && exit
      touch "${var.gate}.held"
      until test -e "${var.gate}"; do sleep 0.05; done
    WAIT
  }
}
"""


@dataclass
class Operator:
    """Somebody who runs Terraform in a folder of their own, on the shared state."""

    folder: Path
    variables: dict[str, str]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start Terraform, which never asks."""
        return subprocess.Popen(
            ["terraform", *arguments],
            cwd=self.folder,
            env=os.environ | self.variables | {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit status and what was printed."""
        with self.start(*arguments) as process:
            printed, _ = process.communicate(timeout=120)
        return process.returncode, printed


@pytest.fixture
def table(endpoint: str, new_name: str) -> Iterator[str]:
    client = make_client("dynamodb", endpoint)
    client.create_table(
        TableName=new_name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
    )
    client.get_waiter("table_exists").wait(TableName=new_name)
    yield new_name
    client.delete_table(TableName=new_name)


@pytest.fixture
def key_id(endpoint: str) -> Iterator[str]:
    client = make_client("kms", endpoint)
    key = client.create_key(Description="ocr-test")["KeyMetadata"]
    yield key["Arn"]
    client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)


@pytest.fixture
def operators(
    tmp_path: Path, endpoint: str, bucket: str, table: str, key_id: str
) -> tuple[Operator, Operator]:
    """Two of them, who were given the text that `terraform output backend_config` prints."""
    text = render_backend(bucket, table, key_id)
    made = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "main.tf").write_text(CONFIGURATION)
        (folder / "backend.hcl").write_text(text)
        made.append(Operator(folder, aws_environment(endpoint)))
        status, printed = made[-1].run("init", "-backend-config=backend.hcl")
        assert status == 0, printed
    return made[0], made[1]


def render_backend(bucket: str, table: str, key_id: str) -> str:
    """The output's own text with the values in the place of their references."""
    source = (ROOT / "terraform" / "bootstrap" / "outputs.tf").read_text()
    found = re.search(r"<<-CONFIG\n(.*?)\n\s*CONFIG", source, re.DOTALL)
    assert found is not None
    values = {
        "aws_s3_bucket.state.bucket": bucket,
        "env": "dev",
        "var.aws_region": REGION,
        "aws_kms_key.state.arn": key_id,
        "aws_dynamodb_table.lock.name": table,
    }
    return re.sub(r"\$\{([^}]+)\}", lambda reference: values[reference[1]], found[1])


def test_the_state_is_shared_versioned_and_encrypted(
    operators: tuple[Operator, Operator], endpoint: str, bucket: str, key_id: str
) -> None:
    first, second = operators
    assert first.run("apply", "-auto-approve")[0] == 0
    assert "terraform_data.this" in second.run("state", "list")[1]
    client = make_client("s3", endpoint)
    stored = client.get_object(Bucket=bucket, Key="dev/terraform.tfstate")
    assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"]) == ("aws:kms", key_id)
    assert json.loads(stored["Body"].read())["resources"][0]["type"] == "terraform_data"
    assert second.run("destroy", "-auto-approve")[0] == 0
    versions = client.list_object_versions(Bucket=bucket, Prefix="dev/terraform.tfstate")["Versions"]
    assert len([version for version in versions if version["Key"] == "dev/terraform.tfstate"]) >= 2


def test_of_two_at_once_one_is_refused(
    operators: tuple[Operator, Operator], endpoint: str, bucket: str, table: str, tmp_path: Path
) -> None:
    """By both locks: the file beside the state and the row in the table."""
    first, second = operators
    gate = tmp_path / "gate"
    with first.start("apply", "-auto-approve", f"-var=gate={gate}") as held:
        try:
            wait_for(Path(f"{gate}.held"), held)
            status, printed = second.run("apply", "-auto-approve", "-lock-timeout=0s")
            assert status != 0
            assert "Error acquiring the state lock" in printed
            assert list_locks(endpoint, bucket, table) == (True, True)
        finally:
            gate.touch()
        printed, _ = held.communicate(timeout=120)
    assert held.returncode == 0, printed
    assert list_locks(endpoint, bucket, table) == (False, False)
    assert second.run("apply", "-auto-approve", "-lock-timeout=0s")[0] == 0


def test_who_waits_gets_the_lock(operators: tuple[Operator, Operator], tmp_path: Path) -> None:
    first, second = operators
    gate = tmp_path / "gate"
    with first.start("apply", "-auto-approve", f"-var=gate={gate}") as held:
        wait_for(Path(f"{gate}.held"), held)
        with second.start("apply", "-auto-approve", "-lock-timeout=60s") as waiting:
            printed = read_until("Acquiring state lock", waiting)
            gate.touch()
            printed += waiting.communicate(timeout=120)[0]
        assert waiting.returncode == 0, printed
        held.communicate(timeout=120)
    assert held.returncode == 0


def list_locks(endpoint: str, bucket: str, table: str) -> tuple[bool, bool]:
    """Whether the lock file is there, and whether the table has a row that is a lock."""
    objects = make_client("s3", endpoint).list_objects_v2(Bucket=bucket).get("Contents", [])
    rows = make_client("dynamodb", endpoint).scan(TableName=table)["Items"]
    # A second kind of row keeps the digest of the state.
    return any(entry["Key"].endswith(".tflock") for entry in objects), any("Info" in row for row in rows)


def wait_for(file: Path, process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 120
    while not file.exists():
        assert process.poll() is None, "terraform ended"
        assert time.monotonic() < end
        time.sleep(0.05)


def read_until(text: str, process: "subprocess.Popen[str]") -> str:
    """What was printed until this came: Terraform gives up when a lock goes while it asks whose it is."""
    printed = ""
    for line in process.stdout or ():
        printed += line
        if text in line:
            return printed
    raise AssertionError(f"terraform ended and printed\n{printed}")
