variable "name" {
  type        = string
  description = "Name of the stack, the prefix of all names."
}

variable "private_subnets" {
  type        = list(string)
  description = "Subnets of the stores."
}

variable "security_groups" {
  type        = map(string)
  description = "Security groups by part: valkey and postgres are used here."
}

variable "ports" {
  type        = map(number)
  description = "Port numbers by name, as the module ports reads them."
}

variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts stores, buckets and secrets."
}

variable "is_highly_available" {
  type        = bool
  description = "Whether stores have a second instance in another zone."
  default     = true
}

variable "deletion_protection" {
  type        = bool
  description = "Whether stores refuse to be deleted, and leave a snapshot when they are."
  default     = true
}

variable "valkey_node_type" {
  type        = string
  description = "Node of the head's store; a cluster's book takes a few MiB."
  default     = "cache.t4g.small"
}

variable "postgres_instance_class" {
  type        = string
  description = "Instance of the jobs' database."
  default     = "db.t4g.medium"
}

variable "postgres_version" {
  type        = string
  description = "Major version of PostgreSQL."
  default     = "17"

  validation {
    condition     = can(regex("^1[5-9]$", var.postgres_version))
    error_message = "postgres_version must be a major version from 15 to 19."
  }
}

variable "postgres_disk_gib" {
  type        = number
  description = "Disk of the jobs' database to begin with; it grows to four times as much."
  default     = 50
}

variable "backup_days" {
  type        = number
  description = "How long backups of the database are kept."
  default     = 14

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "backup_days must be 1 to 35."
  }
}

variable "job_days" {
  type        = number
  description = "After how many days documents and results of jobs are deleted from their bucket."
  default     = 30

  validation {
    condition     = var.job_days >= 1
    error_message = "job_days must be at least 1."
  }
}
