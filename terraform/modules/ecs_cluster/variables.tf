variable "name" {
  type        = string
  description = "Name of the stack and of the cluster."
}

variable "private_subnets" {
  type        = list(string)
  description = "Subnets of the instances."
}

variable "instance_security_group" {
  type        = string
  description = "Security group of the instances."
}

variable "instance_profile_arn" {
  type        = string
  description = "Profile of the instances."
}

variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts the logs of sessions."
}

variable "log_retention_days" {
  type        = number
  description = "How long logs of sessions are kept."
  default     = 365
}

variable "head_instance_type" {
  type        = string
  description = "Instance of the Ray head: no GPU, always on demand."
  default     = "m7i.large"

  validation {
    condition     = !can(regex("^(g|p)[0-9]", var.head_instance_type))
    error_message = "head_instance_type must not have a GPU: the head runs no replicas."
  }
}

variable "gpu_instance_types" {
  type        = list(string)
  description = "Instances of the workers, in the order of preference. One GPU each: a worker takes a whole instance."
  default     = ["g4dn.xlarge"]

  validation {
    condition = length(var.gpu_instance_types) > 0 && alltrue([
      for type in var.gpu_instance_types : can(regex("^g4dn\\.(2|4|8|16)?xlarge$", type))
    ])
    error_message = "gpu_instance_types must be g4dn.xlarge, 2xlarge, 4xlarge, 8xlarge or 16xlarge, which have one T4 each."
  }
}

variable "max_workers" {
  type        = number
  description = "How many GPU instances each capacity provider may start."
}

variable "gpu_disk_gib" {
  type        = number
  description = "Root volume of a GPU instance; the image alone takes about 15 GiB."
  default     = 100

  validation {
    condition     = var.gpu_disk_gib >= 60
    error_message = "gpu_disk_gib must be at least 60: the system, the image twice during a rollout, and spilled objects."
  }
}

variable "deletion_protection" {
  type        = bool
  description = "Whether groups with running instances refuse to be deleted."
  default     = true
}
