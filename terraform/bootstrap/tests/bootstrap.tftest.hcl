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
