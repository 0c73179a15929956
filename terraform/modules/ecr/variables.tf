variable "name" {
  type        = string
  description = "Name of the repository."
}

variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts the images."
}

variable "keep_images" {
  type        = number
  description = "How many images are kept; the oldest go first."
  default     = 30

  validation {
    condition     = var.keep_images >= 2
    error_message = "keep_images must be at least 2: the image that runs, and the one to go back to."
  }
}

variable "deletion_protection" {
  type        = bool
  description = "Whether a repository with images refuses to be deleted."
  default     = true
}
