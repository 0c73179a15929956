mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name            = "ocr-test"
  private_subnets = ["subnet-a", "subnet-b"]
  security_groups = { valkey = "sg-valkey", postgres = "sg-postgres" }
  ports           = { PORT_VALKEY = 6379, PORT_POSTGRES = 5432 }
  kms_key_arn     = "arn:aws:kms:ap-northeast-2:123456789012:key/test"
}

run "kept" {
  assert {
    condition = (
      aws_elasticache_replication_group.this.transit_encryption_enabled
      && aws_elasticache_replication_group.this.transit_encryption_mode == "required"
      && aws_elasticache_replication_group.this.auth_token != null
      && aws_elasticache_replication_group.this.engine == "valkey"
    )
    error_message = "The head's store speaks TLS and wants a password."
  }

  assert {
    condition     = startswith(output.redis_address, "rediss://")
    error_message = "Ray is told to speak TLS."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.automatic_failover_enabled && aws_db_instance.this.multi_az
    error_message = "Stores survive the loss of a zone."
  }

  assert {
    condition = contains(
      [for parameter in aws_elasticache_parameter_group.this.parameter : "${parameter.name}=${parameter.value}"],
      "maxmemory-policy=noeviction",
    )
    error_message = "A full store does not forget."
  }

  assert {
    condition = (
      !aws_db_instance.this.publicly_accessible && aws_db_instance.this.storage_encrypted
      && aws_db_instance.this.manage_master_user_password && aws_db_instance.this.deletion_protection
    )
    error_message = "The database is private, encrypted, protected, and its password is nobody's."
  }

  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.kms_key_id == var.kms_key_arn])
    error_message = "Secrets are encrypted by the stack's key."
  }

  assert {
    condition = alltrue([
      for policy in aws_s3_bucket_policy.this :
      jsondecode(policy.policy).Statement[0].Effect == "Deny"
      && jsondecode(policy.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    ])
    error_message = "Buckets refuse what is not TLS."
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : !bucket.force_destroy])
    error_message = "A bucket with documents is not deleted by a slip."
  }
}

run "cheap" {
  variables {
    is_highly_available = false
    deletion_protection = false
  }

  assert {
    condition     = aws_elasticache_replication_group.this.num_cache_clusters == 1 && !aws_db_instance.this.multi_az
    error_message = "One of each."
  }

  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true"
    error_message = "Cheap is not open."
  }
}

run "old_postgres" {
  command = plan

  variables {
    postgres_version = "12"
  }

  expect_failures = [var.postgres_version]
}
