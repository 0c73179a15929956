variable "aws_region" {
  type        = string
  description = "Region of the state."
  default     = "ap-northeast-2"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.aws_region))
    error_message = "aws_region must look like ap-northeast-2."
  }
}

variable "project_name" {
  type        = string
  description = "Name of the project, the prefix of all names."
  default     = "ocr"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}$", var.project_name))
    error_message = "project_name must be at most 21 lower-case letters, digits and hyphens, and begin with a letter."
  }
}
