# The head's book (GCS): a head that is started anew reads there which nodes, actors and deployments it had.
resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.private_subnets
}

resource "aws_elasticache_parameter_group" "this" {
  name   = "${var.name}-valkey8"
  family = "valkey8"

  # A full store must refuse what is new, never forget what the cluster lives by.
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id       = var.name
  description                = "Ray head of ${var.name}"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = var.valkey_node_type
  port                       = var.ports.PORT_VALKEY
  parameter_group_name       = aws_elasticache_parameter_group.this.name
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [var.security_groups["valkey"]]
  num_cache_clusters         = var.is_highly_available ? 2 : 1
  automatic_failover_enabled = var.is_highly_available
  multi_az_enabled           = var.is_highly_available
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  auth_token                 = aws_secretsmanager_secret_version.this["valkey-auth"].secret_string
  auth_token_update_strategy = "ROTATE"
  snapshot_retention_limit   = var.is_highly_available ? 7 : 1
  final_snapshot_identifier  = var.deletion_protection ? "${var.name}-valkey-final" : null
}
