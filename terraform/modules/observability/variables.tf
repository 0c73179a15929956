variable "name" {
  type        = string
  description = "Name of the stack, the prefix of all names."
}

variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts the alarms' messages."
}

variable "alarm_email" {
  type        = string
  description = "Who is told of alarms; null for nobody."
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alarm_email))
    error_message = "alarm_email must be an e-mail address."
  }
}

variable "alb_arn_suffix" {
  type        = string
  description = "The load balancer, as its metrics name it."
}

variable "target_group_arn_suffix" {
  type        = string
  description = "The target group, as its metrics name it."
}

variable "cluster_name" {
  type        = string
  description = "The ECS cluster."
}

variable "worker_service_name" {
  type        = string
  description = "ECS service of the workers."
}

variable "head_service_name" {
  type        = string
  description = "ECS service of the head."
}

variable "gpu_asg_names" {
  type        = list(string)
  description = "Auto Scaling groups of the GPU instances."
}

variable "valkey_id" {
  type        = string
  description = "The head's store, as its metrics name it."
}

variable "postgres_id" {
  type        = string
  description = "The jobs' database, as its metrics name it."
}

variable "min_workers" {
  type        = number
  description = "Workers that are always there: idle ones above them are money lost."
}

variable "max_workers" {
  type        = number
  description = "Workers at most."
}

variable "p95_limit_s" {
  type        = number
  description = "95 % of the answers take less, or it is an alarm."
  default     = 10
}

variable "queue_limit" {
  type        = number
  description = "So many calls waiting inside the graph are an alarm."
  default     = 200
}

variable "refusals_limit" {
  type        = number
  description = "So many documents refused within a minute, for five minutes, are an alarm."
  default     = 10
}

variable "gpu_hourly_usd" {
  type        = number
  description = "Price of a GPU instance an hour, for the cost of idle ones."
  default     = 0.647
}
