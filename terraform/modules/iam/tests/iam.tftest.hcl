mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name               = "ocr-test"
  ecr_repository_arn = "arn:aws:ecr:ap-northeast-2:123456789012:repository/ocr"
  kms_key_arn        = "arn:aws:kms:ap-northeast-2:123456789012:key/test"
  head_secret_arns   = ["arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:head"]
  worker_secret_arns = ["arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:worker"]
  jobs_bucket_arn    = "arn:aws:s3:::jobs"
  models_bucket_arn  = "arn:aws:s3:::models"
  github_environment = "prod"

  ray_token_secret_arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:head"
}

run "roles" {
  assert {
    condition = alltrue(flatten([
      for policy in concat(values(aws_iam_role_policy.execution), values(aws_iam_role_policy.task), [aws_iam_role_policy.instance_metrics]) : [
        for statement in jsondecode(policy.policy).Statement :
        !strcontains(jsonencode(statement.Action), "*")
      ]
    ]))
    error_message = "No policy allows actions by a wildcard."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.execution["head"].policy, "secret:worker")
    error_message = "The head's start does not read the workers' secrets."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.task["head"].policy, "s3:")
    error_message = "The head has no documents."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.task["worker"].policy, "secretsmanager:")
    error_message = "What runs in a task does not read secrets."
  }

  assert {
    condition = !anytrue([
      for statement in jsondecode(aws_iam_role_policy.task["worker"].policy).Statement :
      strcontains(jsonencode(statement.Resource), "models") && strcontains(jsonencode(statement.Action), "Put")
    ])
    error_message = "Workers read models, they do not write them."
  }

  assert {
    condition     = length(aws_iam_role.github) == 0
    error_message = "Without a repository GitHub has no role."
  }
}

run "github" {
  variables {
    github_repository = "example/ocr"
  }

  assert {
    condition = {
      for part, role in aws_iam_role.github :
      part => jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"]
      } == {
      push   = "repo:example/ocr:ref:refs/heads/main"
      deploy = "repo:example/ocr:environment:prod"
    }
    error_message = "One branch of one repository may push, one environment may deploy."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.github["push"].policy, "ssm:") && !strcontains(aws_iam_role_policy.github["deploy"].policy, "ecr:")
    error_message = "Who pushes does not deploy, and who deploys does not push."
  }
}

run "bad_repository" {
  command = plan

  variables {
    github_repository = "*"
  }

  expect_failures = [var.github_repository]
}
