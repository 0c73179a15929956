output "secret_arns" {
  description = "Secrets by name: api-key, ray-token, valkey-auth; known when they have a value."
  value       = { for name, version in aws_secretsmanager_secret_version.this : name => version.arn }
}

output "postgres_secret_arn" {
  description = "Secret with the database's username and password, which RDS keeps and rotates."
  value       = one(aws_db_instance.this.master_user_secret[*].secret_arn)
}

output "redis_address" {
  description = "The head's store, as Ray takes it."
  value       = "rediss://${aws_elasticache_replication_group.this.primary_endpoint_address}:${var.ports.PORT_VALKEY}"
}

output "postgres" {
  description = "Where the jobs' database is: host, port, name."
  value = {
    host = aws_db_instance.this.address
    port = tostring(var.ports.PORT_POSTGRES)
    name = aws_db_instance.this.db_name
  }
}

output "bucket_names" {
  description = "Buckets by part: jobs, models."
  value       = { for part, bucket in aws_s3_bucket.this : part => bucket.bucket }
}

output "bucket_arns" {
  description = "ARNs of the buckets by part: jobs, models."
  value       = local.bucket_arns
}

output "valkey_id" {
  description = "The head's store, as its metrics name it."
  value       = aws_elasticache_replication_group.this.replication_group_id
}

output "postgres_id" {
  description = "The jobs' database, as its metrics name it."
  value       = aws_db_instance.this.identifier
}
