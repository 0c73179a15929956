"""What roles and containers may do, in both environments, whatever module it comes from."""

from infra.resources import Resources, as_list, list_statements, list_task_containers, select

# AWS lets these actions name no resources: what bounds them is a condition, or nothing.
_ACTIONS_WITHOUT_RESOURCES = {
    "ecr:GetAuthorizationToken",
    "cloudwatch:PutMetricData",
    "ecs:ListTasks",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}


def test_policies_allow_named_actions_on_named_resources(resources: Resources) -> None:
    for address, policy in select(resources, "aws_iam_role_policy").items():
        for statement in list_statements(policy["policy"]):
            actions, targets = as_list(statement["Action"]), as_list(statement["Resource"])
            assert statement["Effect"] == "Allow"
            assert not any("*" in action for action in actions), address
            if "*" in targets:
                assert set(actions) <= _ACTIONS_WITHOUT_RESOURCES, address


def test_what_runs_in_a_task_may_not_read_the_secrets_that_start_it(resources: Resources) -> None:
    policies = select(resources, "aws_iam_role_policy")
    readers = {
        address
        for address, policy in policies.items()
        for statement in list_statements(policy["policy"])
        if any(action.startswith("secretsmanager:") for action in as_list(statement["Action"]))
    }
    assert readers
    # A deployer is nobody's task.
    readers = {
        address for address in readers if not address.endswith('.aws_iam_role_policy.github["deploy"]')
    }
    assert readers
    assert all(".aws_iam_role_policy.execution[" in address for address in readers)
    for task in select(resources, "aws_ecs_task_definition").values():
        assert task["task_role_arn"] != task["execution_role_arn"]


def test_a_role_is_assumed_by_a_named_service_or_by_one_branch_or_environment_of_one_repository(
    resources: Resources,
) -> None:
    subjects = set()
    for address, role in select(resources, "aws_iam_role").items():
        for statement in list_statements(role["assume_role_policy"]):
            assert set(statement["Principal"]) <= {"Service", "Federated"}, address
            if "Federated" in statement["Principal"]:
                subject = statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
                subjects.add(subject)
    environment = "dev" if any(name.endswith("-dev") for name in list_names(resources)) else "prod"
    assert subjects == {
        "repo:example/ocr:ref:refs/heads/main",
        f"repo:example/ocr:environment:{environment}",
    }


def list_names(resources: Resources) -> list[str]:
    return [cluster["name"] for cluster in select(resources, "aws_ecs_cluster").values()]


def test_secrets_come_from_the_secret_store_and_never_stand_in_a_task_definition(
    resources: Resources,
) -> None:
    secret_names = {"RAY_AUTH_TOKEN", "RAY_REDIS_PASSWORD", "API_KEY", "PGPASSWORD"}
    given: set[str] = set()
    for _, container in list_task_containers(resources):
        assert not secret_names & {variable["name"] for variable in container["environment"]}
        assert all(
            secret["valueFrom"].startswith("arn:aws:secretsmanager:") for secret in container["secrets"]
        )
        given |= {secret["name"] for secret in container["secrets"]}
    assert secret_names <= given


def test_containers_run_without_privileges(resources: Resources) -> None:
    for address, container in list_task_containers(resources):
        assert container["user"] == "10001", address
        assert container["privileged"] is False, address
