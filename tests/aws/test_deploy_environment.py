"""`--env`: the head and the token of an environment by AWS's API, and a tunnel to the dashboard."""

import json
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import httpx
import psutil
import pytest

from serve_app.cli import main
from serve_app.rollout.aws_head import AwsFault, Environment, Head
from serve_app.rollout.dashboard import Dashboard, DashboardError
from serve_app.rollout.tunnel import open_tunnel

from moto_process import CREDENTIALS, REGION, make_client
from service import find_free_port

pytestmark = pytest.mark.aws

NAME, RUNTIME = "ocr-prod", "0123456789ab-1234567890"
TOKEN = "the-token-of-the-cluster"
# What stands for the AWS CLI and its plugin: it checks its arguments and forwards a real port.
STAND_IN = """#!{python}
import json, os, socket, sys, threading
if os.environ.get("STAND_IN_FAILS"):
    sys.exit("An error occurred (TargetNotConnected): the target is not connected.")
arguments = dict(zip(sys.argv[3::2], sys.argv[4::2]))
assert sys.argv[1:3] == ["ssm", "start-session"], sys.argv
assert arguments["--document-name"] == "AWS-StartPortForwardingSession"
with open(os.environ["STAND_IN_LOG"], "a") as log:
    print(json.dumps(arguments | {{"pid": os.getpid()}}), file=log)
parameters = json.loads(arguments["--parameters"])
assert parameters["portNumber"] == ["8265"]
listener = socket.create_server(("127.0.0.1", int(parameters["localPortNumber"][0])))
def copy(source, sink):
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)
while True:
    near, _ = listener.accept()
    far = socket.create_connection(("127.0.0.1", int(os.environ["STAND_IN_PORT"])))
    for pair in ((near, far), (far, near)):
        threading.Thread(target=copy, args=pair, daemon=True).start()
"""


class AddRuntimeIds(BaseHTTPRequestHandler):
    """Hands requests on to moto, and adds what its containers lack: an agent that takes sessions."""

    moto_url = ""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            answer = urlopen(Request(self.moto_url + self.path, body, dict(self.headers)))
        except HTTPError as error:
            answer = error
        with answer:
            content = json.loads(answer.read())
        for task in content.get("tasks", []):
            for container in task["containers"]:
                container["runtimeId"] = RUNTIME
        text = json.dumps(content).encode()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Tests need no log."""


class DashboardOfTheHead(BaseHTTPRequestHandler):
    """A dashboard with one node and nothing on it, which wants the token."""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.send_response(401)
            self.end_headers()
            return
        nodes = {"data": {"result": {"result": [{"state": "ALIVE", "resources_total": {"CPU": 4}}]}}}
        content = nodes if "nodes" in self.path else {"applications": {}}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        """Tests need no log."""


def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture(scope="module")
def ecs_port(moto_url: str) -> Iterator[int]:
    AddRuntimeIds.moto_url = moto_url
    yield from serving(AddRuntimeIds)


@pytest.fixture(scope="module")
def dashboard_port() -> Iterator[int]:
    yield from serving(DashboardOfTheHead)


@pytest.fixture(scope="module", autouse=True)
def stack(moto_url: str) -> None:
    """What `terraform/` makes, as far as the deployer looks at it."""
    ecs, ec2 = make_client("ecs", moto_url), make_client("ec2", moto_url)
    # Else each look at a task brings it nearer to its end.
    lasting = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 1_000_000}}
    httpx.post(f"{moto_url}/moto-api/state-manager/set-transition", json=lasting).raise_for_status()
    for cluster in (NAME, "ocr-empty"):
        ecs.create_cluster(clusterName=cluster)
    for part in ("head", "worker"):
        family = ecs.register_task_definition(
            family=f"{NAME}-{part}",
            containerDefinitions=[{"name": part, "image": "ocr:1", "memory": 512, "essential": True}],
        )["taskDefinition"]["family"]
        ecs.create_service(cluster=NAME, serviceName=part, taskDefinition=family, desiredCount=1)
    (instance,) = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"]
    identity = ec2.describe_instances(InstanceIds=[instance["InstanceId"]])["Reservations"][0]["Instances"][0]
    document = json.dumps(
        {"instanceId": identity["InstanceId"], "accountId": "123456789012", "region": REGION}
    )
    arn = ecs.register_container_instance(cluster=NAME, instanceIdentityDocument=document)[
        "containerInstance"
    ]["containerInstanceArn"]
    for part in ("worker", "head"):
        ecs.start_task(
            cluster=NAME,
            taskDefinition=f"{NAME}-{part}",
            containerInstances=[arn],
            startedBy=part,
            group=f"service:{part}",
        )
    secrets = make_client("secretsmanager", moto_url)
    secrets.create_secret(Name=f"{NAME}/ray-token", SecretString=f"{TOKEN}\n")
    secrets.create_secret(Name="ocr-empty/ray-token", SecretString=" ")


@pytest.fixture
def aws(ecs_port: int, moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """The environment prod, for boto3 as an operator sets it up."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", f"http://127.0.0.1:{ecs_port}")
    return Environment.of("prod", "ocr", REGION)


@pytest.fixture
def aws_program(tmp_path: Path, dashboard_port: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in first on the path; gives the file in which it notes its calls."""
    program, log = tmp_path / "aws", tmp_path / "calls"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("STAND_IN_LOG", str(log))
    monkeypatch.setenv("STAND_IN_PORT", str(dashboard_port))
    return log


def test_the_head_is_the_running_task_of_the_service_head(aws: Environment, moto_url: str) -> None:
    """Not a worker: the target names cluster, task and container as ECS exec does."""
    ecs = make_client("ecs", moto_url)
    tasks = ecs.list_tasks(cluster=NAME, startedBy="head")["taskArns"]
    assert aws.find_head() == Head(f"ecs:{NAME}_{tasks[0].rpartition('/')[2]}_{RUNTIME}", REGION)


def test_the_token_comes_from_secrets_manager(aws: Environment) -> None:
    assert aws.fetch_token() == TOKEN


@pytest.mark.parametrize(
    ("environment", "head_fault", "token_fault"),
    [
        ("empty", "has no running task", "is empty"),
        ("nowhere", "ClusterNotFoundException", "ResourceNotFoundException"),
    ],
)
def test_what_is_missing_is_named(
    aws: Environment, environment: str, head_fault: str, token_fault: str
) -> None:
    other = Environment.of(environment, "ocr", REGION)
    with pytest.raises(AwsFault, match=head_fault):
        other.find_head()
    with pytest.raises(AwsFault, match=token_fault):
        other.fetch_token()


def test_a_name_that_terraform_would_refuse_is_refused() -> None:
    with pytest.raises(AwsFault, match="cannot be the name"):
        Environment.of("Prod; rm", "ocr", REGION)


def test_the_tunnel_carries_the_dashboard_and_ends(aws_program: Path) -> None:
    """A real process that forwards a real port, gone afterwards."""
    with open_tunnel(Head(f"ecs:{NAME}_abc_{RUNTIME}", REGION)) as address:
        assert Dashboard(address, TOKEN).fetch_details() == {"applications": {}}
        with pytest.raises(DashboardError, match="token"):
            Dashboard(address).fetch_details()
        call = json.loads(aws_program.read_text())
        assert (call["--target"], call["--region"]) == (f"ecs:{NAME}_abc_{RUNTIME}", REGION)
        port = int(address.rpartition(":")[2])
    assert not psutil.pid_exists(call["pid"])
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
        pass


def test_a_session_that_does_not_stand_says_why(aws_program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_FAILS", "1")
    with pytest.raises(AwsFault, match="TargetNotConnected"), open_tunnel(Head("ecs:a_b_c", REGION)):
        pass


def test_without_the_program_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AwsFault, match="AWS CLI"), open_tunnel(Head("ecs:a_b_c", REGION)):
        pass


def test_a_failure_inside_ends_the_tunnel(aws_program: Path) -> None:
    with pytest.raises(RuntimeError), open_tunnel(Head("ecs:a_b_c", REGION)):
        raise RuntimeError
    assert not psutil.pid_exists(json.loads(aws_program.read_text())["pid"])


def test_deploy_to_an_environment_goes_through_the_tunnel_with_the_secret_token(
    aws: Environment, aws_program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole command, up to the question that nobody answers."""
    path = tmp_path / "new.yaml"
    path.write_text("applications:\n- {name: ocr, import_path: 'serve_app.app:build'}\n")
    assert main(["deploy", str(path), "--env", "prod", "--region", REGION]) == 3
    told = capsys.readouterr()
    assert "ocr: new application" in told.out
    assert "use --yes" in told.err
    assert TOKEN not in told.out + told.err
    assert json.loads(aws_program.read_text())["--target"].startswith(f"ecs:{NAME}_")


def test_an_environment_out_of_reach_changes_nothing(
    aws: Environment, aws_program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.yaml"
    path.write_text("applications: []\n")
    assert main(["deploy", str(path), "--env", "nowhere", "--region", REGION, "--yes"]) == 2
    assert "ClusterNotFoundException" in capsys.readouterr().err
    assert not aws_program.exists()


def test_two_ways_to_a_cluster_are_one_too_many(tmp_path: Path) -> None:
    port = find_free_port()
    with pytest.raises(SystemExit):
        main(["deploy", "x.yaml", "--env", "prod", "--address", f"http://127.0.0.1:{port}"])
