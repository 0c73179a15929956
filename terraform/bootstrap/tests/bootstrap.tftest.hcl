mock_provider "aws" {
  source = "../mocks"
}

run "state" {
  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "An old state can be had again."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.state.block_public_acls,
      aws_s3_bucket_public_access_block.state.block_public_policy,
      aws_s3_bucket_public_access_block.state.ignore_public_acls,
      aws_s3_bucket_public_access_block.state.restrict_public_buckets,
    ])
    error_message = "The state is private."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.state.rule[*].apply_server_side_encryption_by_default)[*].sse_algorithm) == "aws:kms"
    error_message = "The state is encrypted by a key of its own."
  }

  assert {
    condition     = aws_dynamodb_table.lock.hash_key == "LockID" && aws_dynamodb_table.lock.point_in_time_recovery[0].enabled
    error_message = "The lock table is what the backend expects."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.state.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "The state travels by TLS only."
  }

  assert {
    condition = alltrue([
      for env, config in output.backend_config :
      strcontains(config, "use_lockfile   = true") && strcontains(config, "dynamodb_table") && strcontains(config, "${env}/terraform.tfstate")
    ])
    error_message = "Each environment has a state and both locks."
  }
}

run "no_github" {
  assert {
    condition     = length(output.github_role_arns) == 0 && length(aws_iam_openid_connect_provider.github) == 0
    error_message = "Without a repository GitHub has no way in."
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
      plan         = ["repo:example/ocr:pull_request", "repo:example/ocr:ref:refs/heads/main"]
      "apply-dev"  = ["repo:example/ocr:environment:dev"]
      "apply-prod" = ["repo:example/ocr:environment:prod"]
    }
    error_message = "Pull requests plan; an environment applies itself."
  }

  assert {
    condition = alltrue(flatten([
      for policy in values(aws_iam_role_policy.github) : [
        for statement in jsondecode(policy.policy).Statement :
        statement.Resource != "*" && !strcontains(jsonencode(statement.Action), "*")
      ]
    ]))
    error_message = "Own policies name actions and resources."
  }

  assert {
    condition = alltrue([
      for part, attachment in aws_iam_role_policy_attachment.github :
      endswith(attachment.policy_arn, part == "plan" ? "/ReadOnlyAccess" : "/PowerUserAccess")
    ])
    error_message = "A plan changes nothing, and nobody is an administrator."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.github["apply-dev"].policy).Statement :
      statement.Effect == "Deny" || !strcontains(jsonencode(statement.Resource), "role/ocr-github")
    ])
    error_message = "An apply does not change what applies."
  }
}

run "bad_repository" {
  command = plan

  variables {
    github_repository = "*"
  }

  expect_failures = [var.github_repository]
}
