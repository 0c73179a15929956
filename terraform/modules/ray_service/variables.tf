variable "name" {
  type        = string
  description = "Name of the stack, the prefix of all names."
}

variable "cluster_name" {
  type        = string
  description = "The ECS cluster."
}

variable "capacity_providers" {
  type        = map(string)
  description = "Capacity providers by pool: head, gpu, gpu-spot."
}

variable "vpc_id" {
  type        = string
  description = "VPC in which the head's name is known."
}

variable "private_subnets" {
  type        = list(string)
  description = "Subnets of the tasks."
}

variable "security_groups" {
  type        = map(string)
  description = "Security groups by part: nodes, head and workers are used here."
}

variable "execution_role_arns" {
  type        = map(string)
  description = "Roles that start the tasks: head, worker."
}

variable "task_role_arns" {
  type        = map(string)
  description = "Roles that run in the tasks: head, worker."
}

variable "target_group_arn" {
  type        = string
  description = "Target group of the load balancer that the workers join."
}

variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts the logs."
}

variable "ecr_image" {
  type        = string
  description = "Image of all nodes, with a tag or a digest."
}

variable "ports" {
  type        = map(number)
  description = "Port numbers by name, as the module ports reads them."
}

variable "head_environment" {
  type        = map(string)
  description = "More variables of the head."
  default     = {}
}

variable "worker_environment" {
  type        = map(string)
  description = "More variables of the workers, which the replicas inherit."
  default     = {}
}

variable "head_secrets" {
  type        = map(string)
  description = "Secrets of the head: variable name to ARN (with :key:: for one key of a JSON secret)."
}

variable "worker_secrets" {
  type        = map(string)
  description = "Secrets of the workers: variable name to ARN (with :key:: for one key of a JSON secret)."
}

variable "head_cpu" {
  type        = number
  description = "CPU units of the head's task."
  default     = 1536
}

variable "head_memory_mib" {
  type        = number
  description = "Memory of the head's task."
  default     = 6144
}

variable "worker_cpus" {
  type        = number
  description = "Cores of a worker, as Ray counts them: all of a g4dn.xlarge."
  default     = 4
}

variable "worker_memory_mib" {
  type        = number
  description = "Memory of a worker's task: a g4dn.xlarge less the system and the ECS agent."
  default     = 14336
}

variable "shared_memory_mib" {
  type        = map(number)
  description = "Shared memory by part: Ray's object store lives there."
  default     = { head = 1024, worker = 4096 }

  validation {
    condition     = var.shared_memory_mib.worker >= 2048
    error_message = "Workers need at least 2048 MiB of shared memory: raw pages pass through it."
  }
}

variable "drain_s" {
  type        = number
  description = "How long a worker that is told to stop moves its replicas and finishes requests."
  default     = 90

  validation {
    condition     = var.drain_s >= 30 && var.drain_s <= 110
    error_message = "drain_s must be 30 to 110: a task has 120 seconds in all, and so has a spot instance."
  }
}

variable "min_workers" {
  type        = number
  description = "Workers that are always there."

  validation {
    condition     = var.min_workers >= 1
    error_message = "min_workers must be at least 1: scaling needs a worker to multiply."
  }
}

variable "max_workers" {
  type        = number
  description = "Workers at most."
}

variable "spot_percent" {
  type        = number
  description = "Share of the workers above min_workers that are spot instances."
  default     = 0

  validation {
    condition     = var.spot_percent >= 0 && var.spot_percent <= 100
    error_message = "spot_percent must be 0 to 100."
  }
}

variable "scale_in_cooldown_s" {
  type        = number
  description = "How long no worker is taken away after one was."
  default     = 900
}

variable "log_retention_days" {
  type        = number
  description = "How long logs are kept."
  default     = 365
}
